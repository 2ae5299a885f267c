"""The web page's files, who looks at it, and changes that come from pages of other sites."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from supervisor.ui.files import static_files
from tests.support.rest import rest


async def test_the_page_is_served_with_strict_headers(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        async with here.session.get(f"{here.url}/ui") as answer:
            assert (answer.status, str(answer.url)) == (200, f"{here.url}/ui/index.html")
            assert answer.content_type == "text/html"
        for name in static_files():
            page = await here.get(f"/ui/{name}", headers={"Accept-Encoding": "identity"})
            assert page.status == 200
            assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
            assert "unsafe" not in page.headers["Content-Security-Policy"]
            assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert (await here.get("/ui/nothing.js")).status == 404
        assert (await here.get("/ui/..%2ffiles.py")).status == 404


async def test_a_file_that_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        first = await here.get("/ui/index.html")
        again = await here.get("/ui/index.html", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.text) == (304, "")
        async with here.session.get(
            f"{here.url}/ui/index.html", headers={"Accept-Encoding": "gzip"}, auto_decompress=False
        ) as answer:
            assert gzip.decompress(await answer.read()).decode() == first.text


async def test_the_page_can_be_switched_off(tmp_path: Path) -> None:
    async with rest(tmp_path, ui_enabled="false") as here:
        assert (await here.get("/ui")).status == 404
        assert (await here.get("/ui/index.html")).status == 404
        assert (await here.get("/connectors")).status == 200


def test_the_page_asks_no_other_host() -> None:
    for name, file in static_files().items():
        addresses = re.findall(rb"(?:https?:)?//[a-z0-9.]+\.[a-z]+", file.data)
        assert [each for each in addresses if b"www.w3.org" not in each] == [], name


async def test_who_asks_is_told_what_they_may_do(tmp_path: Path) -> None:
    async with rest(tmp_path, rest_roles_read="*") as here:
        assert (await here.get("/connectd/v1/me")).body == {"user": "anonymous", "role": "read"}
    async with rest(tmp_path) as here:
        assert (await here.get("/connectd/v1/me")).body == {"user": "anonymous", "role": "admin"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),  # no browser
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"}, False),
        ({"Origin": "https://evil.example.com"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://ui.example.org"}, True),
        ({"Origin": "https://ui.example.org"}, True),
    ],
)
async def test_pages_of_other_sites_change_nothing(tmp_path: Path, headers: dict[str, str], allowed: bool) -> None:
    async with rest(tmp_path, access_control_allow_origin="https://ui.example.org") as here:
        assert (await here.create("c", connector_class="Source")).status == 201
        answer = await here.post("/connectors/c/restart", headers=headers)
        assert answer.status == (204 if allowed else 403)
        assert (await here.get("/connectors", headers=headers)).status == 200


async def test_the_page_of_this_worker_may_change_things(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        await here.create("c", connector_class="Source")
        assert (await here.post("/connectors/c/restart", headers={"Origin": here.url})).status == 204
