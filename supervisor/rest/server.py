"""The HTTP server: which routes and which access each listener has."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Final

import structlog
from aiohttp.web_server import Server  # `aiohttp.web` has more than twice as much, for applications

from supervisor.rest.access import Access
from supervisor.rest.api import Api
from supervisor.rest.client import WorkerClient
from supervisor.rest.exchange import Exchange
from supervisor.rest.own_routes import METRICS_ROUTES, OWN_ROUTES, UI_ROUTES
from supervisor.rest.routes import ROUTES
from supervisor.rest.routing import Scope
from supervisor.rest.settings import RestSettings
from supervisor.rest.sockets import BoundListener

log = structlog.get_logger(__name__)

# Requests that are under way when the worker stops have so long to end.
SHUTDOWN_TIMEOUT_S: Final = 2.0
# Connections that nobody has accepted yet: as many as aiohttp has by default.
_BACKLOG: Final = 128


class RestServer:
    """Serves sockets that listen already, from `start` to `stop`."""

    def __init__(self, api: Api, settings: RestSettings, client: WorkerClient) -> None:
        self._api = api
        self._settings = settings
        self._client = client
        self._served: list[tuple[Server, asyncio.Server]] = []

    async def start(
        self,
        listeners: Sequence[BoundListener],
        admin_listeners: Sequence[BoundListener],
        metrics_listeners: Sequence[BoundListener] = (),
    ) -> None:
        """Answer requests from now on."""
        settings = self._settings
        shared = settings.admin_listeners is None
        own = (*OWN_ROUTES, *UI_ROUTES) if settings.ui else OWN_ROUTES
        access = Access(settings.credentials, settings.roles)
        public = Exchange(
            self._api,
            [route for route in (*ROUTES, *own) if route.scope is not Scope.ADMIN or shared],
            access,
            self._client,
            settings.max_body_bytes,
            settings.cross_origin,
            settings.response_headers,
        )
        admin = Exchange(
            self._api,
            [route for route in ROUTES if route.scope is Scope.ADMIN],
            access,
            self._client,
            settings.max_body_bytes,
        )
        await self._serve(public, listeners, settings.tls)
        # Numbers and names only, and for programs that often cannot log in: who may connect is said by the address.
        metrics = Exchange(self._api, METRICS_ROUTES, Access(), self._client, settings.max_body_bytes)
        await self._serve(admin, admin_listeners, settings.admin_tls)
        await self._serve(metrics, metrics_listeners, settings.tls)

    async def stop(self) -> None:
        """Take no more requests, and give those that are under way a moment; those that would go on for ever end."""
        self._api.tails.followers.end_all()
        for _, listening in self._served:
            listening.close()
        await asyncio.sleep(0)  # requests that are here already begin, before connections without any are closed
        for server, _ in self._served:
            server.pre_shutdown()
            await server.shutdown(SHUTDOWN_TIMEOUT_S)

    async def _serve(self, exchange: Exchange, listeners: Sequence[BoundListener], tls: ssl.SSLContext | None) -> None:
        for listener in listeners:
            server = Server(exchange.handle, access_log=None)
            for sock in listener.sockets:
                self._served.append((server, await _listen(server, sock, tls if listener.listener.tls else None)))
            log.info(f"REST API at {listener.url}")


async def _listen(server: Server, sock: socket.socket, tls: ssl.SSLContext | None) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(server, sock=sock, ssl=tls, backlog=_BACKLOG)
