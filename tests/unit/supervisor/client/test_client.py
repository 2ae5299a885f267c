"""The client and its contexts without a cluster: failing over, waiting for what is busy, TLS, and wrong files."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from supervisor.client import client as client_module
from supervisor.client.client import ConnectClient
from supervisor.client.contexts import LOCAL, Context, Contexts, contexts_path, read_contexts, write_contexts
from supervisor.client.errors import ContextError, RequestFailed, Unreachable
from supervisor.embedded.ports import free_port

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ask(handler: Handler, work: Callable[[str], Awaitable[None]]) -> None:
    """Do something with a server that answers every request by `handler`."""

    async def run() -> None:
        server = web.Server(handler)
        runner = web.ServerRunner(server)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            await work(f"http://127.0.0.1:{port}")
        finally:
            await runner.cleanup()

    asyncio.run(run())


def error(status: int, message: str) -> web.Response:
    return web.json_response({"error_code": status, "message": message}, status=status)


def test_a_worker_that_is_gone_is_passed_over() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(["a", "b"])

    async def work(url: str) -> None:
        async with ConnectClient(Context(urls=[f"http://127.0.0.1:{free_port()}", f"{url}/"])) as client:
            assert await client.call("list_connectors") == ["a", "b"]

    ask(answer, work)


def test_nobody_answers() -> None:
    async def run() -> None:
        urls = [f"http://127.0.0.1:{free_port()}"]
        async with ConnectClient(Context(urls=urls)) as client:
            with pytest.raises(Unreachable, match=f"no worker answers at {urls[0]}"):
                await client.call("list_connectors")

    asyncio.run(run())


def test_a_rebalance_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_BUSY_PAUSE_S", 0.0)
    answers = [
        error(409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"),
        error(503, "The worker is starting, nothing was changed"),
        web.Response(status=204),
    ]

    async def answer(request: web.Request) -> web.Response:
        assert (request.method, request.raw_path) == ("DELETE", "/connectors/a%2Fb%20c")
        return answers.pop(0)

    async def work(url: str) -> None:
        async with ConnectClient(Context(urls=[url])) as client:
            await client.call("destroy_connector", connector="a/b c")
        assert not answers

    ask(answer, work)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (lambda: error(409, "Connector a already exists"), "Connector a already exists"),
        (lambda: web.Response(status=502, text="<html>"), "GET /connectors: 502 Bad Gateway"),
        (lambda: web.Response(status=401), "the worker wants a user name and password"),
    ],
)
def test_refusals_say_what_the_worker_said(response: Callable[[], web.Response], message: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return response()

    async def work(url: str) -> None:
        async with ConnectClient(Context(urls=[url])) as client:
            with pytest.raises(RequestFailed, match=message):
                await client.call("list_connectors")

    ask(answer, work)


def test_something_else_answers() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def work(url: str) -> None:
        async with ConnectClient(Context(urls=[url])) as client:
            with pytest.raises(Unreachable, match="not answered by a worker of Kafka Connect"):
                await client.call("list_connectors")

    ask(answer, work)


def test_login_with_a_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pässword\n")

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Basic {base64.b64encode('me:pässword'.encode()).decode()}"
        return web.json_response([])

    async def work(url: str) -> None:
        context = Context(urls=[url], username="me", password_file=str(tmp_path / "password"))
        async with ConnectClient(context) as client:
            assert await client.call("list_connectors") == []

    ask(answer, work)


def test_a_token_is_read_from_its_file_and_sent_to_whom_it_is_for(tmp_path: Path) -> None:
    file = tmp_path / "token"

    async def answer(request: web.Request) -> web.Response:
        return web.json_response([request.headers["Authorization"]])

    async def work(url: str) -> None:
        for token in ("first", "renewed"):
            file.write_text(f"{token}\n")
            async with ConnectClient(Context(urls=[url], token_file=str(file))) as client:
                assert await client.call("list_connectors") == [f"Bearer {token}"]
        async with ConnectClient(Context(urls=[url], token="kept")) as client:
            assert await client.call("list_connectors") == ["Bearer kept"]
        file.unlink()
        with pytest.raises(ContextError, match="token: the token cannot be read"):
            await ConnectClient(Context(urls=[url], token_file=str(file))).__aenter__()

    ask(answer, work)


def test_rows_come_as_they_are_sent_wherever_they_are_cut() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/connectd/v1/connectors/no-such"):
            return error(404, "Connector no-such not found")
        assert (request.path, request.query["follow"]) == ("/connectd/v1/connectors/a b/logs", "true")
        response = web.StreamResponse()
        await response.prepare(request)
        for part in (b"on", b"e\n", b"\ntwo\nth", b"ree\n"):
            await response.write(part)
        return response

    async def work(url: str) -> None:
        urls = [f"http://127.0.0.1:{free_port()}", url]  # the first one is gone
        async with ConnectClient(Context(urls=urls)) as client:
            rows = [row async for row in client.rows("connector_logs", query={"follow": True}, connector="a b")]
            assert rows == [b"one", b"", b"two", b"three"]
            with pytest.raises(RequestFailed, match="no-such not found"):
                await anext(client.rows("connector_logs", query={}, connector="no-such"))

    ask(answer, work)


def test_certificates_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ContextError, match=str(tmp_path / "missing")):
        ConnectClient(Context(urls=["https://localhost:1"], ca_file=str(tmp_path / "missing")))


def test_contexts_are_kept_and_chosen(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "contexts.json"
    assert read_contexts(path).choose(None) is LOCAL
    work = Context(urls=["https://one:8443", "https://two:8443"], username="me", password="secret")
    write_contexts(path, Contexts(current="work", contexts={"work": work}))
    assert read_contexts(path).choose(None) == work
    assert read_contexts(path).choose("local") is LOCAL
    assert "secret" not in repr(work)
    with pytest.raises(ContextError, match=r"no context home.*work"):
        read_contexts(path).choose("home")


@pytest.mark.parametrize(
    "text", ["{", '{"contexts": {"a": {"urls": 1}}}', '{"contexts": {"a": {"pasword": "s3cret"}}}']
)
def test_a_wrong_file_is_named_and_its_values_are_not(tmp_path: Path, text: str) -> None:
    (tmp_path / "contexts.json").write_text(text)
    with pytest.raises(ContextError, match=str(tmp_path / "contexts.json")) as raised:
        read_contexts(tmp_path / "contexts.json")
    assert "s3cret" not in str(raised.value)


def test_where_contexts_are_kept() -> None:
    assert contexts_path({"CONNECTD_CONTEXTS": "/a/b.json"}) == Path("/a/b.json")
    assert contexts_path({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/connectd/contexts.json")
    assert contexts_path({"HOME": "/h"}) == Path("/h/.config/connectd/contexts.json")
