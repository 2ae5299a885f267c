"""The web page: `/ui`, and who is looking at it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from supervisor.rest.answer import Answer
from supervisor.rest.api import Call
from supervisor.rest.entities import Me
from supervisor.rest.errors import plain
from supervisor.ui.files import START, static_files

# Everything comes from this worker, nothing is written in the page itself, and no other page may show it in a frame.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # ask every time; the answer is mostly that it is the same
    "Vary": "Accept-Encoding",
}


async def open_page(call: Call) -> Answer:
    """To the page itself, so that the addresses in it are relative to its folder."""
    return Answer(status=HTTPStatus.TEMPORARY_REDIRECT, headers={**_HEADERS, "Location": f"/ui/{START}"})


async def page_file(call: Call) -> Answer:
    file = static_files().get(call.params["file"])
    if file is None:
        raise plain(HTTPStatus.NOT_FOUND)
    headers = {**_HEADERS, "ETag": file.etag}
    if file.etag in call.headers.get("If-None-Match", ""):
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = file.content_type
    if not call.takes_gzip:
        return Answer(file.data, headers=headers)
    return Answer(file.gzipped, headers={**headers, "Content-Encoding": "gzip"})


async def me(call: Call) -> Answer:
    return Answer(Me(call.user, call.role.name.lower()))
