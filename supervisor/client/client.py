"""Calls operations of the REST API by name; the route table says where they are and what comes back."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
import msgspec

from supervisor.client.contexts import Context
from supervisor.client.errors import ContextError, RequestFailed, Unreachable
from supervisor.rest.entities import ErrorMessage
from supervisor.rest.own_routes import DESCRIBED_ROUTES

# For a connection; answers may take as long as a worker validates.
CONNECT_TIMEOUT_S: Final = 10.0
REQUEST_TIMEOUT_S: Final = 120.0
# A cluster that rebalances turns changes away until it has done so: for how long they are tried again, and how often.
BUSY_TIMEOUT_S: Final = 30.0
_BUSY_PAUSE_S: Final = 0.5
# Of an answer that goes on something comes more often than this.
_FOLLOW_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=30.0)

_ROUTES: Final = {route.name: route for route in DESCRIBED_ROUTES}
_BUSY: Final = (HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)


class ConnectClient:
    """A client of the workers of one context, of connectd or of Java: `async with ConnectClient(context) as client`."""

    def __init__(self, context: Context) -> None:
        """Raises ContextError."""
        self.context = context
        self._urls = [url.rstrip("/") for url in context.urls]
        self._tls = _tls(context)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"Accept": "application/json"}
        if (login := _login(self.context)) is not None:
            headers["Authorization"] = login
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S),
            connector=aiohttp.TCPConnector(ssl=self._tls),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def call(
        self, operation: str, *, body: Any = None, query: Mapping[str, Any] | None = None, **params: str | int
    ) -> Any:
        """Call an operation of the route table by its name; the result has the type that the route declares.

        Raises RequestFailed, Unreachable.
        """
        route, path = _ROUTES[operation], _path(operation, params)
        answer = await self._request(route.method, path, body, query or {})
        if route.response is None or not answer:
            return None
        try:
            return msgspec.json.decode(answer, type=route.response)
        except msgspec.DecodeError as error:
            raise Unreachable(f"{path} was not answered by a worker of Kafka Connect: {error}") from None

    async def rows(self, operation: str, *, query: Mapping[str, Any], **params: str | int) -> AsyncGenerator[bytes]:
        """The rows of an answer that goes on, without their ends, as they come; ends when the worker does.

        Raises RequestFailed, Unreachable.
        """
        assert self._session is not None
        path, rest = _path(operation, params), b""
        for number, url in enumerate(self._urls, start=1):
            try:
                async with self._session.get(url + path, params=_query(query), timeout=_FOLLOW_TIMEOUT) as answer:
                    await _require_success(answer)
                    async for data in answer.content.iter_any():
                        *rows, rest = (rest + data).split(b"\n")
                        for row in rows:
                            yield row
                return
            except aiohttp.ClientConnectorError as error:
                if number == len(self._urls):
                    raise self._unreachable(error) from None
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise self._unreachable(error) from None

    async def fetch(self, path: str, *, worker: str) -> bytes:
        """The body at a path that is not Kafka's, of one worker as it is called in states: `host:port`.

        Raises RequestFailed, Unreachable.
        """
        assert self._session is not None
        scheme = self._urls[0].partition("://")[0]
        # A worker of a single machine may be known under another name here than it calls itself.
        urls = [url for url in self._urls if url.endswith(f"//{worker}")] or [f"{scheme}://{worker}"]
        try:
            async with self._session.get(urls[0] + path) as answer:
                await _require_success(answer)
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise self._unreachable(error) from None

    async def _request(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> bytes:
        """A worker that cannot be reached is passed over; one that is busy is asked again for a while."""
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                return await self._try_workers(method, path, body, query)
            except RequestFailed as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_BUSY_PAUSE_S)

    async def _try_workers(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> bytes:
        assert self._session is not None
        for number, url in enumerate(self._urls, start=1):
            try:
                async with self._session.request(
                    method,
                    url + path,
                    params=_query(query),
                    data=None if body is None else msgspec.json.encode(body),
                    headers={} if body is None else {"Content-Type": "application/json"},
                    skip_auto_headers=("Content-Type",),  # without a body there is no type of one
                    allow_redirects=method == "GET",
                ) as answer:
                    await _require_success(answer)
                    return await answer.read()
            except aiohttp.ClientConnectorError as error:
                # Only before anything was sent another one may be asked: a change must not be made twice.
                if number == len(self._urls):
                    raise self._unreachable(error) from None
            except TimeoutError:
                raise Unreachable(f"{url} did not answer within {REQUEST_TIMEOUT_S:.0f} s") from None
            except (aiohttp.ClientError, ValueError) as error:
                raise self._unreachable(error) from None
        raise ContextError("the context has no URL of a worker")

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"no worker answers at {' or '.join(self._urls)}: {error}")


async def _require_success(answer: aiohttp.ClientResponse) -> None:
    if answer.status < HTTPStatus.BAD_REQUEST:
        return
    body = await answer.read()
    try:
        message = msgspec.json.decode(body, type=ErrorMessage).message or ""
    except msgspec.DecodeError:
        message = ""
    reason = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else str(answer.status)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        message = message or "the worker wants a user name and password: see `connectd config set-context --help`"
    raise RequestFailed(answer.status, message or f"{answer.method} {answer.url.path}: {answer.status} {reason}")


def _path(operation: str, params: Mapping[str, str | int]) -> str:
    return _ROUTES[operation].path.format(**{name: quote(str(value), safe="") for name, value in params.items()})


def _is_busy(error: RequestFailed) -> bool:
    """A conflict also means that something is there already: that will not change by waiting."""
    message = str(error).lower()
    return error.status in _BUSY and any(
        word in message for word in ("rebalance", "try again", "in progress", "starting")
    )


def _query(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in query.items():
        for each in value if isinstance(value, list) else [value]:
            pairs.append((name, str(each).lower() if isinstance(each, bool) else str(each)))
    return pairs


def _login(context: Context) -> str | None:
    """What the header says who we are with. Raises ContextError."""
    if context.username is not None:
        password = _secret("password", context.password, context.password_file)
        return aiohttp.encode_basic_auth(context.username, password, "utf-8")
    token = _secret("token", context.token, context.token_file)
    return f"Bearer {token}" if token else None


def _secret(what: str, given: str | None, file: str | None) -> str:
    if file is None:
        return given or ""
    try:
        return Path(file).read_text().rstrip("\r\n")
    except OSError as error:
        raise ContextError(f"{file}: the {what} cannot be read: {error.strerror}") from None


def _tls(context: Context) -> ssl.SSLContext | bool:
    """Whom to trust. Raises ContextError."""
    if not any(url.startswith("https:") for url in context.urls):
        return True
    try:
        tls = ssl.create_default_context(cafile=context.ca_file)
        if context.certificate is not None:
            tls.load_cert_chain(context.certificate, context.key)
    except (OSError, ssl.SSLError) as error:
        files = [file for file in (context.ca_file, context.certificate, context.key) if file is not None]
        raise ContextError(f"the certificates {', '.join(files)} cannot be used: {error}") from None
    if context.insecure:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls
