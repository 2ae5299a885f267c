"""Headers: of other origins, of the operator's choice, of content; and the administrative part on listeners of its own."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from connectd.errors import ConfigException
from supervisor.rest.cross_origin import CrossOrigin
from supervisor.rest.response_headers import parse_rules
from tests.support.rest import rest

PREFLIGHT = {"Origin": "https://ui.example.org", "Access-Control-Request-Method": "PUT"}


async def test_other_origins_are_not_allowed_unless_they_are_set(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        answer = await here.request("OPTIONS", "/connectors", headers=PREFLIGHT)
        assert not any(name.lower().startswith("access-control") for name in answer.headers)


async def test_an_origin_that_is_set_is_allowed(tmp_path: Path) -> None:
    settings = {
        "access_control_allow_origin": r"https://.*\.example\.org,http://localhost:3000",
        "access_control_allow_methods": "GET, PUT",
    }
    async with rest(tmp_path, **settings) as here:
        for origin, allowed in (
            ("https://ui.example.org", True),
            ("http://localhost:3000", True),
            ("https://ui.example.org.evil.com", False),
            ("https://example.com", False),
        ):
            answer = await here.get("/connectors", headers={"Origin": origin})
            assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
            assert answer.headers["Vary"] == "Origin"
        preflight = await here.request("OPTIONS", "/connectors", headers=PREFLIGHT)
        assert preflight.headers["Access-Control-Allow-Methods"] == "GET,PUT"
        assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"
        # Errors too, or a browser would not show them.
        refused = await here.get("/nothing", headers={"Origin": "http://localhost:3000"})
        assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (404, "http://localhost:3000")


def test_an_origin_that_is_no_regular_expression() -> None:
    with pytest.raises(ConfigException, match=r"access\.control\.allow\.origin: Expected origins as regular"):
        CrossOrigin.of("https://[", "")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("deflate, GZIP;q=0.5", "gzip"),
        ("gzip; q=0", None),
        ("gzip;q=0.0, identity", None),
        ("identity", None),
        ("", None),
    ],
)
async def test_metrics_are_packed_for_who_asks_for_it(tmp_path: Path, accepted: str, encoding: str | None) -> None:
    async with rest(tmp_path) as here:
        answer = await here.get("/metrics", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "\nconnectd_ready 1\n" in answer.text


async def test_headers_of_the_operators_choice(tmp_path: Path) -> None:
    rules = 'set X-Frame-Options: DENY, add Cache-Control: no-store, "set X-List: a, b", setDate Expires: 60000'
    async with rest(tmp_path, response_http_headers_config=rules) as here:
        for path in ("/connectors", "/nothing"):
            answer = await here.get(path)
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-List"] == "a, b"
            lifetime = parsedate_to_datetime(answer.headers["Expires"]) - parsedate_to_datetime(answer.headers["Date"])
            assert 58 <= lifetime.total_seconds() <= 61


def test_a_date_that_is_none() -> None:
    with pytest.raises(ConfigException, match="Expected milliseconds from now"):
        parse_rules("setDate Expires: tomorrow")


async def test_levels_are_set_where_the_administrative_part_listens(tmp_path: Path) -> None:
    async with rest(tmp_path, admin_listeners="") as here:
        assert (await here.get("/admin/loggers")).status == 404
    (tmp_path / "own").mkdir()
    with capture_logs() as logs:
        async with rest(tmp_path / "own", admin_listeners="http://127.0.0.1:0") as here:
            said = [str(event["event"]) for event in logs]
            _, admin = (each.removeprefix("REST API at ") for each in said if each.startswith("REST API at "))
            assert (await here.get("/admin/loggers")).status == 404
            assert (await here.get("/admin/loggers", url=admin)).status == 200
            assert (await here.get("/connectors", url=admin)).status == 404


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("text/html, application/*;q=0.5", 200),
        ("*/*;q=0", 406),
        ("text/html", 406),
        ("application/json;q=much", 400),
        ("json", 400),
    ],
)
async def test_what_a_client_accepts(tmp_path: Path, accept: str, status: int) -> None:
    async with rest(tmp_path) as here:
        answer = await here.get("/connectors", headers={"Accept": accept})
        assert answer.status == status
        assert answer.headers["Content-Type"].startswith("application/json")


async def test_the_server_tells_nothing_about_itself(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        assert (await here.get("/")).headers["Server"] == "connectd"
