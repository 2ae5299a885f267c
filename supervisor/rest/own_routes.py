"""The routes that Kafka Connect does not have: all but `/metrics` below `/connectd/v1`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from supervisor.metrics.activity import Activity
from supervisor.rest.entities import Health, WrittenConnector
from supervisor.rest.handlers import own
from supervisor.rest.roles import Role
from supervisor.rest.routing import Query, Route, Scope

_HEALTH: Final = "/connectd/v1/health"
_MAX_FAILED: Final = Query(
    name="maxFailed", doc="How many connectors and tasks may have failed before this is a 503", type=int, default=0
)

METRICS_ROUTES: Final = (
    Route(
        method="GET",
        path="/metrics",
        handler=own.metrics,
        summary="The metrics of this worker for Prometheus",
        response=str,
        json_only=False,
    ),
    Route(
        method="GET", path=f"{_HEALTH}/live", handler=own.live, summary="Whether the worker answers", response=Health
    ),
    Route(
        method="GET",
        path=f"{_HEALTH}/ready",
        handler=own.ready,
        summary="Whether the worker has started",
        response=Health,
        other_statuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
        status_tells_all=True,
    ),
    Route(
        method="GET",
        path=f"{_HEALTH}/connectors",
        handler=own.connectors_health,
        summary="Whether connectors or tasks of this worker have failed",
        response=Health,
        other_statuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
        query=(_MAX_FAILED,),
        status_tells_all=True,
    ),
)

OWN_ROUTES: Final = (
    *METRICS_ROUTES,
    Route(
        method="GET",
        path="/connectd/v1/tasks",
        handler=own.list_units,
        summary="What the connectors and tasks of this worker are doing",
        response=list[Activity],
    ),
    Route(
        method="PUT",
        path="/connectd/v1/connectors/{connector}",
        handler=own.write_connector,
        summary="Hand a connector that comes from a file of another worker to the leader",
        role=Role.ADMIN,
        forwarded=True,
        scope=Scope.INTERNAL,
        request=WrittenConnector,
        status=HTTPStatus.NO_CONTENT,
        other_statuses=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
