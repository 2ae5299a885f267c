"""What clients do wrong is their mistake, in clear words: bodies that are too large, too slow, not JSON, of wrong types."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.exit_codes import CommandExit
from supervisor.rest import exchange
from tests.support.rest import rest

DEEP = b"[" * 100_000
CREATE = "/connectors"
CONFIG = "/connectors/c/config"
OFFSETS = "/connectors/c/offsets"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", CREATE, b"", "A request body is expected: JSON"),
        ("POST", CREATE, b"null", "A request body is expected, null is none"),
        (
            "POST",
            CREATE,
            b"{",
            "The request body is not JSON: Expecting property name enclosed in double quotes at line 1",
        ),
        ("POST", CREATE, b'{"name": NaN}', "The request body is not JSON: NaN is no JSON number"),
        ("POST", CREATE, b'{"name": "\xff"}', "The request body is not JSON: not encoded in UTF-8 at byte 10"),
        ("POST", CREATE, DEEP, "The request body is not JSON: nested too deeply"),
        ("POST", CREATE, [], "The request body is wrong: Expected `object`, got `array`"),
        ("POST", CREATE, {"name": "c"}, "config is missing: the configuration of the connector"),
        ("POST", CREATE, {"name": ["c"], "config": {}}, "Expected `str | null`, got `array` - at `$.name`"),
        ("POST", CREATE, {"name": "c", "config": {"a": {"b": 1}}}, "got `object` - at `$.config[...]`"),
        ("POST", CREATE, {"name": "c", "config": {}, "confg": 1}, "Object contains unknown field `confg`"),
        ("POST", CREATE, {"name": "c", "config": {}, "initial_state": "ASLEEP"}, "Invalid enum value 'ASLEEP'"),
        ("POST", CREATE, {"name": "c", "config": {"name": "d"}}, "doesn't match connector name in the URL (c)"),
        ("PUT", CONFIG, {"a": [1]}, "Expected `str | null`, got `array`"),
        ("PUT", CONFIG, "text", "Expected `object`, got `str`"),
        ("PATCH", CONFIG, [{}], "Expected `object`, got `array`"),
        ("PATCH", OFFSETS, {"offsets": [{"partition": 1}]}, "Expected `object | null`, got `int`"),
        ("PATCH", OFFSETS, {"offsets": [{"ofset": {}}]}, "Object contains unknown field `ofset`"),
        ("PATCH", OFFSETS, {"offsets": []}, "Partitions / offsets need to be provided"),
        ("PUT", "/connector-plugins/X/config/validate", [1], "Expected `object`, got `array`"),
        ("PUT", "/admin/loggers/x", {"level": {}}, "Expected `str | null`, got `object`"),
        ("PUT", "/admin/loggers/x", {}, "Desired 'level' parameter was not specified in request."),
    ],
)
async def test_wrong_bodies(tmp_path: Path, method: str, path: str, body: Any, message: str) -> None:
    async with rest(tmp_path) as here:
        answer = await here.request(method, path, body)
        assert answer.status == 400
        assert message in answer.message
        assert "Traceback" not in answer.text


async def test_values_of_a_body_are_not_repeated(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        for body in (b'{"name": "c", "config": {"password": hunter2}}', {"config": {"password": ["hunter2"]}}):
            answer = await here.post("/connectors", body)
            assert (answer.status, "hunter2" in answer.text) == (400, False)


async def test_a_body_is_read_as_java_reads_it(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        body = b'{"name": " c ", "config": {"int": 1, "exact": 1.50, "big": 12345678901234567890, "on": true, "none": null}}'
        answer = await here.post("/connectors", body)
        assert answer.status == 201
        assert answer.body["config"] == {
            "name": "c",
            "int": "1",
            "exact": "1.50",
            "big": "12345678901234567890",
            "on": "true",
            "none": "",
        }


async def test_a_body_that_is_too_large(tmp_path: Path) -> None:
    async with rest(tmp_path, rest_request_max_bytes="1000") as here:
        fits = json.dumps({"name": "c", "config": {"x": "x" * 900}}).encode()
        assert (await here.post("/connectors", fits)).status == 201
        answer = await here.post("/connectors", fits + b" " * 1000)
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        assert answer.message == "The request body is larger than 1000 bytes (rest.request.max.bytes)"

        async def chunks() -> Any:
            for _ in range(10):
                yield b" " * 500

        async with here.session.post(
            f"{here.url}/connectors", data=chunks(), headers={"Content-Type": "application/json"}
        ) as chunked:
            assert chunked.status == 413


async def test_a_body_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_TIMEOUT_S", 0.2)
    async with rest(tmp_path) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
        head = "POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
        writer.write(head.encode())
        # The connection itself stays open for a while, for who still sends.
        answer = (await reader.readuntil(b"The request body did not come within 0.2 s")).decode()
        assert answer.startswith("HTTP/1.1 408 ")
        writer.close()


async def test_an_operation_that_never_ends_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "REQUEST_TIMEOUT_S", 0.2)
    async with rest(tmp_path) as here:
        answer = await here.create("c", validate="hang")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "Request timed out after 0.2 s. Nothing was changed" in answer.message
        assert not here.world.herder.connectors()


async def test_an_error_of_our_own_shows_nothing(tmp_path: Path) -> None:
    class Broken:
        def connectors(self) -> list[str]:
            raise RuntimeError("hunter2")

    async with rest(tmp_path, Broken()) as here:
        answer = await here.get("/connectors")
        assert (answer.status, answer.message) == (500, "Internal error: RuntimeError, see the log")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/connectors//status", "The path has an empty segment"),
        ("/connectors/%zz", "The path has a % that is not followed by two hexadecimal digits"),
        ("/connectors/%ff", "The path is not encoded in UTF-8"),
    ],
)
async def test_paths_that_are_none(tmp_path: Path, path: str, message: str) -> None:
    async with rest(tmp_path) as here:
        answer = await here.get(path)
        assert (answer.status, answer.message) == (400, message)


async def test_what_is_no_http_is_a_400(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        for head in ("nonsense\r\n\r\n", "GET / HTTP/1.1\r\nX\r\n\r\n", f"GET /{'x' * 20_000} HTTP/1.1\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
            writer.write(head.encode())
            answer = (await reader.read()).decode()
            assert answer.startswith("HTTP/1.") and " 400 " in answer.split("\r\n")[0]
            assert "Traceback" not in answer
            writer.close()
        assert (await here.get("/connectors")).status == 200


async def test_nothing_is_changed_while_the_worker_stops(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        assert (await here.create("c")).status == 201
        await here.world.herder.stop()
        for method, path, body in (
            ("POST", "/connectors", {"name": "d", "config": {}}),
            ("PUT", "/connectors/c/config", {"tasks": "2"}),
            ("PUT", "/connectors/c/pause", None),
            ("DELETE", "/connectors/c", None),
        ):
            answer = await here.request(method, path, body)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert answer.message == "The worker is stopping. Nothing was changed"
        assert (await here.get("/connectors")).body == ["c"]
        assert "tasks" not in (await here.get("/connectors/c/config")).body


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("listeners=https://localhost:0", "ssl.keystore.location"),
        ("listeners=localhost", "Expected a URL that begins with http:// or https://"),
        ("admin.listeners=http://x", "Expected a URL such as http://localhost:8083"),
        (
            "rest.extension.classes=BasicAuthSecurityRestExtension\nrest.basic.auth.file=/nowhere",
            "rest.basic.auth.file",
        ),
        ("rest.extension.classes=org.example.MyExtension", "Expected BasicAuthSecurityRestExtension"),
        ("access.control.allow.origin=[", "access.control.allow.origin"),
        ("response.http.headers.config=setDate Expires: soon", "Expected milliseconds from now"),
        ("rest.request.max.bytes=0", "rest.request.max.bytes"),
    ],
)
def test_a_worker_file_is_wrong_before_anything_starts(tmp_path: Path, settings: str, message: str) -> None:
    file = tmp_path / "worker.properties"
    needed = "bootstrap.servers=x:1\nkey.converter=StringConverter\nvalue.converter=StringConverter\n"
    file.write_text(f"{needed}offset.storage.file.filename={tmp_path}/offsets\n{settings}\n")
    command = [sys.executable, "-c", "from supervisor.cli import main; main()", "check", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == CommandExit.CONFIG
    assert message in done.stdout + done.stderr
