"""The routes that Kafka Connect does not have: all but `/metrics` and the web page below `/connectd/v1`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from supervisor.logs.entities import Lines
from supervisor.metrics.activity import Activity
from supervisor.metrics.overview import Overview, UnitActivities
from supervisor.rest.entities import Health, Me, WrittenConnector
from supervisor.rest.handlers import logs, overview, own, ui
from supervisor.rest.roles import Role
from supervisor.rest.routes import ROUTES
from supervisor.rest.routing import Query, Route, Scope

_HEALTH: Final = "/connectd/v1/health"
_MAX_FAILED: Final = Query(
    name="maxFailed", doc="How many connectors and tasks may have failed before this is a 503", type=int, default=0
)

_SCOPE: Final = Query(name="scope", doc="`worker` for what this worker alone knows, or `cluster`", default="cluster")

_LOG_QUERY: Final = (
    Query(name="lines", doc="How many lines at the most, the last ones", type=int, default=logs.DEFAULT_LINES),
    Query(name="level", doc="The lowest level: TRACE, DEBUG, INFO, WARN, ERROR or FATAL", default="ALL"),
    Query(name="follow", doc="`true`: rows of NDJSON, one line each, for ever", type=bool, default=False),
    _SCOPE,
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
        method="GET",
        path="/connectd/v1/overview",
        handler=overview.overview,
        summary="All workers and connectors with what they are doing",
        response=Overview,
        query=(_SCOPE,),
    ),
    Route(
        method="GET",
        path="/connectd/v1/connectors/{connector}/activity",
        handler=overview.connector_units,
        summary="What a connector and its tasks are doing, on all workers",
        response=UnitActivities,
        other_statuses=(HTTPStatus.NOT_FOUND,),
        query=(_SCOPE,),
    ),
    Route(
        method="GET",
        path="/connectd/v1/connectors/{connector}/logs",
        handler=logs.connector_logs,
        summary="The last lines that a connector and its tasks have logged, on all workers",
        response=Lines,
        other_statuses=(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        query=_LOG_QUERY,
    ),
    Route(
        method="GET",
        path="/connectd/v1/connectors/{connector}/tasks/{task}/logs",
        handler=logs.task_logs,
        summary="The last lines that a task has logged",
        response=Lines,
        other_statuses=(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        query=_LOG_QUERY,
    ),
    Route(
        method="GET",
        path="/connectd/v1/me",
        handler=ui.me,
        summary="Who asks, and what they may do",
        response=Me,
    ),
    Route(
        method="PUT",
        path="/connectd/v1/connectors/{connector}",
        handler=own.write_connector,
        summary="Hand a connector that comes from a file of another worker to the leader",
        role=Role.ADMIN,
        forwarded=True,
        scope=Scope.INTERNAL,
        role_unless_signed=True,
        request=WrittenConnector,
        status=HTTPStatus.NO_CONTENT,
        other_statuses=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)

UI_ROUTES: Final = (
    Route(method="GET", path="/ui", handler=ui.open_page, summary="To the web page", json_only=False),
    Route(method="GET", path="/ui/{file}", handler=ui.page_file, summary="A file of the web page", json_only=False),
)

# What is for clients, and not for probes.
DESCRIBED_ROUTES: Final = (*ROUTES, *(route for route in OWN_ROUTES if route not in METRICS_ROUTES))
