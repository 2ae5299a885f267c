"""The files of the web page, read once and kept: with what browsers need to know whether theirs is the same."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
START: Final = "index.html"


class StaticFile(NamedTuple):
    """One file as it is sent; `etag` changes with its content."""

    content_type: str
    data: bytes
    gzipped: bytes
    etag: str


@cache
def static_files() -> dict[str, StaticFile]:
    """All of them by name. They are small, and read when somebody opens the page for the first time."""
    folder = files(__package__) / "static"
    return {
        each.name: _static_file(TYPES[each.name.rpartition(".")[2]], each.read_bytes())
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in TYPES
    }


def _static_file(content_type: str, data: bytes) -> StaticFile:
    digest = hashlib.sha256(data).hexdigest()[:16]
    return StaticFile(content_type, data, gzip.compress(data, mtime=0), f'"{digest}"')
