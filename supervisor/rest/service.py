"""The REST API of a worker, from binding its addresses to its end. The server itself is imported when it starts."""

from __future__ import annotations

import asyncio
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

from supervisor.herder.herder import Herder
from supervisor.inquiries.cluster import KafkaCluster
from supervisor.inquiries.plugin_catalogue import PluginCatalogue
from supervisor.metrics.own import OwnMetrics
from supervisor.metrics.worker import MoreMetrics, WorkerMetrics
from supervisor.rest.listeners import Listener
from supervisor.rest.settings import RestSettings
from supervisor.rest.sockets import BoundListener, bind_all, close
from supervisor.units.unit import Surroundings
from tasks.settings.rest import ADMIN_LISTENERS, LISTENERS, METRICS_LISTENERS

if TYPE_CHECKING:
    from supervisor.rest.client import WorkerClient
    from supervisor.rest.server import RestServer


class RestService:
    """Holds its addresses from the beginning; clients that connect before `serve` wait."""

    def __init__(self, settings: RestSettings) -> None:
        """Raises ConnectException if an address is taken or cannot be had."""
        self._settings = settings
        self._listeners = bind_all(LISTENERS, settings.listeners)
        self._admin_listeners: list[BoundListener] = []
        self._metrics_listeners: list[BoundListener] = []
        # Parts of the worker with metrics of their own; to be filled before `serve`.
        self.more_metrics: list[MoreMetrics] = []
        self._watching: asyncio.Task[None] | None = None
        self._server: RestServer | None = None
        self._client: WorkerClient | None = None
        try:
            self._admin_listeners = bind_all(ADMIN_LISTENERS, settings.admin_listeners or ())
            self._metrics_listeners = bind_all(METRICS_LISTENERS, settings.metrics_listeners)
        except BaseException:
            self._close_sockets()
            raise

    @property
    def worker_id(self) -> str:
        """How the worker is called in states: host and port under which other programs reach its REST API."""
        if not self._listeners:
            return "localhost"
        return self.advertised_url.partition("//")[2].rstrip("/")

    @property
    def advertised_url(self) -> str:
        """Where other workers send requests: the listener with the wanted protocol, http before https, as Java chooses."""
        settings = self._settings
        wanted = [settings.advertised_listener.lower()] if settings.advertised_listener else ["http", "https"]
        protocols = ["https" if each.listener.tls else "http" for each in self._listeners]
        protocol = next((each for each in wanted if each in protocols), wanted[0])
        found = self._listeners[protocols.index(protocol) if protocol in protocols else 0]
        host, port = settings.advertised_host or found.host, settings.advertised_port or found.port
        return f"{Listener(protocol == 'https', host, port).url}/"

    @property
    def client(self) -> WorkerClient:
        """For requests to other workers. Only from `serve` to `stop`."""
        assert self._client is not None, "the REST API is not served"
        return self._client

    async def serve(self, herder: Herder, surroundings: Surroundings) -> None:
        """Answer requests from now on."""
        if not self._listeners and not self._metrics_listeners:
            return
        own = OwnMetrics()
        metrics = WorkerMetrics(surroundings, own.registry, self.more_metrics)
        self._watching = asyncio.get_running_loop().create_task(own.watch_loop())
        # In a thread: it takes a fifth of a second, in which the worker has better things to do.
        await asyncio.to_thread(import_module, "supervisor.rest.server")
        from supervisor.rest.api import Api
        from supervisor.rest.client import WorkerClient
        from supervisor.rest.openapi import openapi_document
        from supervisor.rest.own_routes import DESCRIBED_ROUTES
        from supervisor.rest.peers import Peers
        from supervisor.rest.server import RestServer

        self._client = WorkerClient(self._settings.client_tls)
        api = Api(
            herder=herder,
            plugins=PluginCatalogue(surroundings),
            cluster=KafkaCluster(surroundings),
            openapi=cache(partial(openapi_document, DESCRIBED_ROUTES)),
            metrics=partial(metrics.render, herder),
            statuses=lambda: surroundings.statuses.all,
            activities=partial(metrics.activities, herder, self.worker_id),
            peers=Peers(self.worker_id, self.advertised_url, herder, self._client),
            tails=surroundings.tails,
            observe=own.observe_request,
            topic_tracking=self._settings.topic_tracking,
            topic_tracking_reset=self._settings.topic_tracking_reset,
        )
        self._server = RestServer(api, self._settings, self._client)
        await self._server.start(self._listeners, self._admin_listeners, self._metrics_listeners)

    async def stop(self) -> None:
        """Take no more requests; those that are under way have a moment to end."""
        server, self._server = self._server, None
        client, self._client = self._client, None
        if server is not None:
            await server.stop()
        if client is not None:
            await client.close()
        if self._watching is not None:
            self._watching.cancel()
        self._close_sockets()

    def _close_sockets(self) -> None:
        for listener in (*self._listeners, *self._admin_listeners, *self._metrics_listeners):
            close(listener.sockets)
