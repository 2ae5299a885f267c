"""Requests to other workers: what only the leader or the owner may do is forwarded to them (Kafka's `RestClient`)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec
import structlog
from yarl import URL

from supervisor.herder.errors import RequestTarget
from supervisor.herder.progress import Outcome
from supervisor.herder.signatures import ALGORITHM, SIGNATURE, signed
from supervisor.rest.answer import JSON, Answer
from supervisor.rest.entities import ErrorMessage, WrittenConnector
from supervisor.rest.errors import RETRY_AFTER_S, RestException, unavailable
from tasks.states import TargetState

log = structlog.get_logger(__name__)

FORWARD: Final = "forward"
# Longer than the other worker takes for anything, so that its own explanation arrives.
TIMEOUT_S: Final = 125.0
_CONNECT_S: Final = 5.0
# Of an answer that goes on something comes more often than this.
_NEXT_S: Final = 30.0
# Of the client's headers only what says who it is, or that it is a worker (which Java's leader does not get to see); of the
# other worker's those that belong to the answer.
_REQUEST_HEADERS: Final = ("Authorization", SIGNATURE, ALGORITHM)
_ANSWER_HEADERS: Final = ("Location", "Retry-After", "WWW-Authenticate")


class WorkerClient:
    """Speaks to the REST API of other workers. `tls` makes what https needs, when it is needed."""

    def __init__(self, tls: Callable[[], ssl.SSLContext]) -> None:
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def forward(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None,
        target: RequestTarget,
    ) -> Answer:
        """The answer of the worker that may do it; two hops at most, as in Java. `path` is percent-encoded.

        Raises RestException, and RequestTarget if nobody knows where to go.
        """
        if target.url is None:
            raise target
        hop = query.get(FORWARD)
        if hop is not None and hop.lower() != "true":
            raise RestException(
                HTTPStatus.CONFLICT,
                "Cannot complete request because of a conflicting operation (e.g. worker rebalance), nothing was changed",
                {"Retry-After": str(RETRY_AFTER_S)},
            )
        kept = {name: headers[name] for name in _REQUEST_HEADERS if name in headers}
        again = {**query, FORWARD: "true" if hop is None else "false"}
        return await self._send(method, _url(target.url, path).with_query(again), kept, body)

    async def get(self, url: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """The body of what the worker at `url` answers to a client whose headers these are; `path` is percent-encoded.

        Raises RestException.
        """
        kept = {name: headers[name] for name in _REQUEST_HEADERS if name in headers}
        answer = await self._send("GET", _url(url, path).with_query(query), kept, None)
        _require_success(answer)
        return answer.body or b""

    async def follow(
        self, url: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> AsyncGenerator[list[bytes]]:
        """The rows of an answer that goes on, without their ends, as they come. Raises RestException."""
        kept = {name: headers[name] for name in _REQUEST_HEADERS if name in headers}
        target = _url(url, path).with_query(query)
        rest = b""
        try:
            session = await self._open()
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_NEXT_S)
            async with session.get(
                target, headers={**kept, "Accept": JSON}, ssl=self._trust(target), timeout=timeout
            ) as answer:
                if answer.status >= HTTPStatus.BAD_REQUEST:
                    raise RestException(answer.status, _message(await answer.read()))
                async for data in answer.content.iter_any():
                    *rows, rest = (rest + data).split(b"\n")
                    if rows:
                        yield rows
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unavailable(f"The worker {target.origin()} does not answer ({error})") from error

    async def put_task_configs(
        self, url: str, connector: str, configs: Sequence[Mapping[str, str]], key: bytes | None, algorithm: str
    ) -> None:
        """Tell the leader, whose REST API is at `url`, which tasks a connector wants. Without a key it is not signed.

        Raises RestException.
        """
        await self._send_internal("POST", url, connector, "tasks", msgspec.json.encode(configs), key, algorithm)

    async def put_connector(
        self,
        url: str,
        connector: str,
        config: Mapping[str, str] | None,
        state: TargetState | None,
        key: bytes | None,
        algorithm: str,
    ) -> None:
        """Have the leader write a connector that was validated here, None deletes it. A leader that is Java's knows of no such
        request, and is asked as any client would ask it. Raises RestException."""
        path = quote(connector, safe="")
        body = msgspec.json.encode(WrittenConnector(None if config is None else dict(config), state))
        headers = {} if key is None else signed(key, algorithm, body)
        answer = await self._send("PUT", _url(url, f"/connectd/v1/connectors/{path}"), headers, body)
        if answer.status == HTTPStatus.NOT_FOUND and _message(answer.body).startswith("HTTP 404"):
            if config is None:
                answer = await self._send("DELETE", _url(url, f"/connectors/{path}"), {}, None)
            else:
                content = msgspec.json.encode(config)
                answer = await self._send("PUT", _url(url, f"/connectors/{path}/config"), {}, content)
        _require_success(answer)

    async def fence_zombies(self, url: str, connector: str, key: bytes | None, algorithm: str) -> None:
        """Ask the leader to fence the producers of a connector's earlier tasks. Raises RestException."""
        await self._send_internal("PUT", url, connector, "fence", None, key, algorithm)

    async def _send_internal(
        self, method: str, url: str, connector: str, what: str, body: bytes | None, key: bytes | None, algorithm: str
    ) -> None:
        headers = {} if key is None else signed(key, algorithm, body or b"")
        target = _url(url, f"/connectors/{quote(connector, safe='')}/{what}")
        _require_success(await self._send(method, target, headers, body))

    async def _send(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Answer:
        worker = str(url.origin())
        types = {"Accept": JSON} if body is None else {"Accept": JSON, "Content-Type": JSON}
        try:
            session = await self._open()
            async with session.request(
                method,
                url,
                data=body,
                headers={**headers, **types},
                ssl=self._trust(url),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=_CONNECT_S),
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise unavailable(
                f"The worker {worker}, which has to do this, cannot be reached ({error}). {Outcome.NOT_APPLIED}"
            ) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("a forwarded request was not answered", worker=worker, method=method, error=repr(error))
            late = isinstance(error, TimeoutError)
            raise RestException(
                HTTPStatus.GATEWAY_TIMEOUT if late else HTTPStatus.BAD_GATEWAY,
                f"The worker {worker}, which has to do this, has not answered. {Outcome.UNKNOWN}",
            ) from error
        kept = {name: answer.headers[name] for name in _ANSWER_HEADERS if name in answer.headers}
        return Answer(msgspec.Raw(content) if content else None, HTTPStatus(answer.status), kept)

    async def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # In a thread: that is when it is imported, see `supervisor.bare_packages`.
            await asyncio.to_thread(getattr, aiohttp, "ClientSession")
        if self._session is None:
            self._session = aiohttp.ClientSession(skip_auto_headers=("Content-Type", "User-Agent"))
        return self._session

    def _trust(self, url: URL) -> ssl.SSLContext | bool:
        if url.scheme != "https":
            return True
        if self._context is None:
            self._context = self._tls()
        return self._context


def _url(worker: str, path: str) -> URL:
    return URL(worker.rstrip("/") + path, encoded=True)


def _require_success(answer: Answer) -> None:
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise RestException(answer.status, _message(answer.body), answer.headers)


def _message(body: bytes | None) -> str:
    try:
        return msgspec.json.decode(body or b"", type=ErrorMessage).message or ""
    except msgspec.MsgspecError:
        return "The other worker refused, and did not say why"
