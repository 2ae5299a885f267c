"""The route table: every operation of Kafka Connect 4.3's REST API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from supervisor.herder.entities import ConnectorInfo, ConnectorStateInfo, TaskInfo, TaskState
from supervisor.log_levels import LoggerLevel
from supervisor.rest.entities import (
    ActiveTopics,
    AlterOffsetsRequest,
    ConnectorOffsets,
    CreateConnectorRequest,
    Expanded,
    Message,
    PluginInfo,
    ServerInfo,
    WorkerStatus,
)
from supervisor.rest.handlers import connectors, loggers, offsets, plugins, root, topics
from supervisor.rest.roles import Role
from supervisor.rest.routing import Query, Route, Scope
from tasks.infos import ConfigInfos, ConfigKeyInfo

# A configuration as clients send it: null where a key is to be removed.
Config = dict[str, str | None]

_CONNECTOR: Final = "/connectors/{connector}"
_TASK: Final = "/connectors/{connector}/tasks/{task}"

_EXPAND = Query(name="expand", doc="`status`, `info` or both: an object by name instead of a list", many=True)
_INCLUDE_TASKS = Query(name="includeTasks", doc="Whether to restart the tasks too", type=bool, default=False)
_ONLY_FAILED = Query(name="onlyFailed", doc="Whether to restart only what has failed", type=bool, default=False)
_CONNECTORS_ONLY = Query(name="connectorsOnly", doc="Whether to leave other plugins out", type=bool, default=True)
_VERSION = Query(name="version", doc="The version of the plugin", default="latest")
_OF_CONNECTOR = Query(name="connector", doc="Only in the processes of this connector (connectd only)")
_SCOPE = Query(name="scope", doc="`worker` or `cluster`", default="worker")

_NOT_FOUND, _CONFLICT = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_CREATED, _ACCEPTED, _NO_CONTENT = HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT
_FORBIDDEN, _UNAVAILABLE = HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE


def _route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(method=method, path=path, handler=handler, summary=summary, **more)


ROUTES: Final = (
    _route(
        "GET",
        "/",
        root.server_info,
        "The version of the worker, and the id of its Kafka cluster",
        response=ServerInfo,
        json_only=False,
    ),
    _route(
        "GET",
        "/health",
        root.health_check,
        "Whether the worker has started and answers",
        response=WorkerStatus,
        other_statuses=(_UNAVAILABLE,),
        json_only=False,
        status_tells_all=True,
    ),
    _route("GET", "/openapi.json", root.openapi, "This API as an OpenAPI document", response=dict[str, Any]),
    _route(
        "GET",
        "/connectors",
        connectors.list_connectors,
        "All connectors",
        response=list[str] | dict[str, Expanded],
        query=(_EXPAND,),
    ),
    _route(
        "POST",
        "/connectors",
        connectors.create_connector,
        "Create a connector",
        role=Role.ADMIN,
        forwarded=True,
        request=CreateConnectorRequest,
        response=ConnectorInfo,
        status=_CREATED,
        other_statuses=(_CONFLICT, _UNAVAILABLE),
    ),
    _route(
        "GET",
        _CONNECTOR,
        connectors.get_connector,
        "A connector's configuration and tasks",
        response=ConnectorInfo,
        other_statuses=(_NOT_FOUND,),
    ),
    _route(
        "DELETE",
        _CONNECTOR,
        connectors.destroy_connector,
        "Delete a connector; its offsets stay",
        role=Role.ADMIN,
        forwarded=True,
        status=_NO_CONTENT,
        other_statuses=(_NOT_FOUND, _CONFLICT),
    ),
    _route(
        "GET",
        f"{_CONNECTOR}/config",
        connectors.get_connector_config,
        "A connector's configuration",
        response=dict[str, str],
        other_statuses=(_NOT_FOUND,),
    ),
    _route(
        "PUT",
        f"{_CONNECTOR}/config",
        connectors.put_connector_config,
        "Create a connector, or give it a new configuration",
        role=Role.ADMIN,
        forwarded=True,
        request=Config,
        response=ConnectorInfo,
        other_statuses=(_CREATED, _CONFLICT, _UNAVAILABLE),
    ),
    _route(
        "PATCH",
        f"{_CONNECTOR}/config",
        connectors.patch_connector_config,
        "Change some keys of a configuration; null removes one",
        role=Role.ADMIN,
        forwarded=True,
        request=Config,
        response=ConnectorInfo,
        other_statuses=(_NOT_FOUND, _CONFLICT, _UNAVAILABLE),
    ),
    _route(
        "GET",
        f"{_CONNECTOR}/status",
        connectors.get_connector_status,
        "The state of a connector and its tasks",
        response=ConnectorStateInfo,
        other_statuses=(_NOT_FOUND,),
    ),
    _route(
        "POST",
        f"{_CONNECTOR}/restart",
        connectors.restart_connector,
        "Restart a connector, its tasks, or those that failed",
        role=Role.OPERATE,
        forwarded=True,
        response=ConnectorStateInfo,
        status=_ACCEPTED,
        other_statuses=(_NO_CONTENT, _NOT_FOUND, _CONFLICT),
        query=(_INCLUDE_TASKS, _ONLY_FAILED),
    ),
    _route(
        "PUT",
        f"{_CONNECTOR}/pause",
        connectors.pause_connector,
        "Pause a connector and its tasks",
        role=Role.OPERATE,
        status=_ACCEPTED,
        other_statuses=(_NOT_FOUND, _CONFLICT),
    ),
    _route(
        "PUT",
        f"{_CONNECTOR}/resume",
        connectors.resume_connector,
        "Resume a connector that is paused or stopped",
        role=Role.OPERATE,
        status=_ACCEPTED,
        other_statuses=(_NOT_FOUND, _CONFLICT),
    ),
    _route(
        "PUT",
        f"{_CONNECTOR}/stop",
        connectors.stop_connector,
        "Stop a connector: its tasks are ended",
        role=Role.OPERATE,
        forwarded=True,
        status=_NO_CONTENT,
        other_statuses=(_NOT_FOUND, _CONFLICT),
    ),
    _route(
        "GET",
        f"{_CONNECTOR}/topics",
        topics.get_connector_active_topics,
        "The topics that a connector uses",
        response=dict[str, ActiveTopics],
        other_statuses=(_FORBIDDEN,),
    ),
    _route(
        "PUT",
        f"{_CONNECTOR}/topics/reset",
        topics.reset_connector_active_topics,
        "Forget which topics a connector used so far",
        role=Role.OPERATE,
        status=_ACCEPTED,
        other_statuses=(_FORBIDDEN,),
    ),
    _route(
        "GET",
        f"{_CONNECTOR}/offsets",
        offsets.get_offsets,
        "How far a connector has read",
        response=ConnectorOffsets,
        other_statuses=(_NOT_FOUND, _UNAVAILABLE),
    ),
    _route(
        "PATCH",
        f"{_CONNECTOR}/offsets",
        offsets.alter_connector_offsets,
        "Change how far a stopped connector has read",
        role=Role.ADMIN,
        forwarded=True,
        request=AlterOffsetsRequest,
        response=Message,
        other_statuses=(_NOT_FOUND, _CONFLICT, _UNAVAILABLE),
    ),
    _route(
        "DELETE",
        f"{_CONNECTOR}/offsets",
        offsets.reset_connector_offsets,
        "Let a stopped connector begin anew",
        role=Role.ADMIN,
        forwarded=True,
        response=Message,
        other_statuses=(_NOT_FOUND, _CONFLICT, _UNAVAILABLE),
    ),
    _route(
        "GET",
        f"{_CONNECTOR}/tasks",
        connectors.get_task_configs,
        "The tasks of a connector with their configurations",
        response=list[TaskInfo],
        other_statuses=(_NOT_FOUND,),
    ),
    _route(
        "POST",
        f"{_CONNECTOR}/tasks",
        connectors.put_task_configs,
        "Hand the tasks of a connector to the leader",
        role=Role.ADMIN,
        forwarded=True,
        scope=Scope.INTERNAL,
        request=list[dict[str, str]],
        status=_NO_CONTENT,
        json_only=False,
    ),
    _route(
        "PUT",
        f"{_CONNECTOR}/fence",
        connectors.fence_zombies,
        "Fence the producers of earlier tasks",
        role=Role.ADMIN,
        forwarded=True,
        scope=Scope.INTERNAL,
        status=_NO_CONTENT,
        json_only=False,
    ),
    _route(
        "GET",
        f"{_TASK}/status",
        connectors.get_task_status,
        "The state of a task",
        response=TaskState,
        other_statuses=(_NOT_FOUND,),
    ),
    _route(
        "POST",
        f"{_TASK}/restart",
        connectors.restart_task,
        "Restart a task",
        role=Role.OPERATE,
        forwarded=True,
        status=_NO_CONTENT,
        other_statuses=(_NOT_FOUND, _CONFLICT),
    ),
    _route(
        "GET",
        "/connector-plugins",
        plugins.list_connector_plugins,
        "The plugins of this worker",
        response=list[PluginInfo],
        other_statuses=(_UNAVAILABLE,),
        query=(_CONNECTORS_ONLY,),
    ),
    _route(
        "GET",
        "/connector-plugins/{pluginName}/config",
        plugins.get_connector_config_def,
        "The keys that a plugin declares",
        response=list[ConfigKeyInfo],
        other_statuses=(_NOT_FOUND, _UNAVAILABLE),
        query=(_VERSION,),
    ),
    _route(
        "PUT",
        "/connector-plugins/{pluginName}/config/validate",
        plugins.validate_configs,
        "Validate a connector's configuration, and change nothing",
        role=Role.ADMIN,
        request=Config,
        response=ConfigInfos,
        other_statuses=(_UNAVAILABLE,),
        changes=False,
    ),
    _route(
        "GET",
        "/admin/loggers",
        loggers.list_loggers,
        "The levels of all loggers",
        scope=Scope.ADMIN,
        response=dict[str, LoggerLevel],
        other_statuses=(_NOT_FOUND,),
        query=(_OF_CONNECTOR,),
    ),
    _route(
        "GET",
        "/admin/loggers/{logger}",
        loggers.get_logger,
        "The level of a logger",
        scope=Scope.ADMIN,
        response=LoggerLevel,
        other_statuses=(_NOT_FOUND,),
    ),
    _route(
        "PUT",
        "/admin/loggers/{logger}",
        loggers.set_level,
        "Set the level of a logger and those below it",
        role=Role.ADMIN,
        scope=Scope.ADMIN,
        request=Config,
        response=list[str],
        other_statuses=(_NO_CONTENT, _NOT_FOUND),
        query=(_SCOPE, _OF_CONNECTOR),
    ),
)
