"""Log levels: `/admin/loggers`, for this worker's processes (`LoggingResource`, KIP-495 and KIP-976)."""

from __future__ import annotations

from http import HTTPStatus

import structlog

from supervisor.log_levels import is_level, name_in_cluster
from supervisor.rest.answer import NO_CONTENT, Answer
from supervisor.rest.api import Call
from supervisor.rest.errors import RestException

log = structlog.get_logger(__name__)

WORKER, CLUSTER = "worker", "cluster"


async def list_loggers(call: Call) -> Answer:
    levels, connector = call.api.herder.log_levels, _connector(call)
    return Answer(levels.all() if connector is None else levels.all_of(connector))


async def get_logger(call: Call) -> Answer:
    name = call.params["logger"]
    level = call.api.herder.log_levels.get(name)
    if level is None:
        raise RestException(HTTPStatus.NOT_FOUND, f"Logger {name} not found.")
    return Answer(level)


async def set_level(call: Call) -> Answer:
    name, level = call.params["logger"], call.body.get("level")
    if level is None:
        raise RestException(HTTPStatus.BAD_REQUEST, "Desired 'level' parameter was not specified in request.")
    if not is_level(level):
        raise RestException(HTTPStatus.NOT_FOUND, f"invalid log level '{level}'.")
    scope, connector = call.query.get("scope", WORKER), _connector(call)
    if scope.lower() == CLUSTER:
        await call.api.herder.set_cluster_log_level(name_in_cluster(name, connector), level)
        return NO_CONTENT
    if scope.lower() != WORKER:
        log.warning(f"a log level is set for the scope {WORKER}, since there is no other one called {scope!r}")
    levels = call.api.herder.log_levels
    return Answer(levels.set(name, level) if connector is None else levels.set_for(connector, name, level))


def _connector(call: Call) -> str | None:
    """The connector that is asked about, if it is one. Raises NotFoundException for an unknown one."""
    connector = call.query.get("connector")
    return None if connector is None else call.api.herder.info(connector).name
