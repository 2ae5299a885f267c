"""The worker itself: `/` and `/health`."""

from __future__ import annotations

from http import HTTPStatus

from supervisor.rest.answer import Answer
from supervisor.rest.api import Call
from supervisor.rest.entities import ServerInfo, WorkerStatus
from supervisor.versions import COMMIT, KAFKA_CONNECT_VERSION

_HEALTHY = WorkerStatus("healthy", "Worker has completed startup and is ready to handle requests.")
_STARTING = WorkerStatus("starting", "Worker is still starting up.")


async def server_info(call: Call) -> Answer:
    return Answer(ServerInfo(KAFKA_CONNECT_VERSION, COMMIT, await call.api.cluster.id()))


async def openapi(call: Call) -> Answer:
    return Answer(call.api.openapi())


async def health_check(call: Call) -> Answer:
    if call.api.herder.is_ready:
        return Answer(_HEALTHY)
    return Answer(_STARTING, HTTPStatus.SERVICE_UNAVAILABLE)
