"""The REST API of a standalone herder whose processes only pretend (`tests.support.herder_world`), over real sockets."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from supervisor.herder.herder import Herder
from supervisor.rest.service import RestService
from supervisor.rest.settings import RestSettings
from tasks.settings import StandaloneConfig
from tests.support.herder_world import World, world

_WORKER = {
    "bootstrap.servers": "127.0.0.1:1",
    "key.converter": "StringConverter",
    "value.converter": "StringConverter",
    "offset.storage.file.filename": "offsets",
    "listeners": "http://127.0.0.1:0",
}


@dataclass(frozen=True)
class Response:
    """An answer; `body` is what its JSON says, None without one."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else None

    @property
    def message(self) -> str:
        """Why a request was refused."""
        assert self.body["error_code"] == self.status
        return str(self.body["message"])


class Rest:
    """A served REST API, and a client of it."""

    def __init__(self, here: World, service: RestService, url: str, session: aiohttp.ClientSession) -> None:
        self.world = here
        self.service = service
        self.url = url
        self.session = session

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        user: str | None = None,
        tls: ssl.SSLContext | None = None,
        url: str | None = None,
    ) -> Response:
        """`body` is JSON, or bytes as they are; `user` is `name:password`; `path` is percent-encoded."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        more = {} if data is None else {"Content-Type": "application/json"}
        if user is not None:
            more["Authorization"] = aiohttp.encode_basic_auth(*user.split(":", 1))
        async with self.session.request(
            method,
            URL((url or self.url) + path, encoded=True),
            data=data,
            headers={**more, **(headers or {})},
            ssl=True if tls is None else tls,
        ) as answer:
            return Response(answer.status, answer.headers, (await answer.read()).decode())

    async def get(self, path: str, **more: Any) -> Response:
        return await self.request("GET", path, **more)

    async def put(self, path: str, body: Any = None, **more: Any) -> Response:
        return await self.request("PUT", path, body, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Response:
        return await self.request("POST", path, body, **more)

    async def create(self, name: str, *, tls: ssl.SSLContext | None = None, **config: str) -> Response:
        dotted = {key.replace("_", "."): value for key, value in config.items()}
        return await self.post("/connectors", {"name": name, "config": dotted}, tls=tls)


@contextlib.asynccontextmanager
async def rest(folder: Path, herder: Herder | None = None, **settings: str) -> AsyncIterator[Rest]:
    """Settings of the worker have `_` for dots. Another `herder` answers instead of the world's."""
    worker = StandaloneConfig({**_WORKER, **{key.replace("_", "."): value for key, value in settings.items()}})
    async with world(folder) as here, aiohttp.ClientSession(skip_auto_headers=("Content-Type",)) as session:
        service = RestService(RestSettings.of(worker))
        try:
            await service.serve(herder or here.herder, here.surroundings)
            here.herder.is_ready = True
            yield Rest(here, service, service.advertised_url.rstrip("/"), session)
        finally:
            await service.stop()
