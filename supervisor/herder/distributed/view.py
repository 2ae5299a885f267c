"""What the cluster looks like from this worker: its connectors in the config topic, and their states in the status topic."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET, UnsetType

from connectd.errors import NotFoundException
from supervisor.herder.connectors import UNDEFINED
from supervisor.herder.distributed.kinds import ConnectorKinds
from supervisor.herder.entities import (
    ConnectorInfo,
    ConnectorState,
    ConnectorStateInfo,
    ConnectorTaskId,
    ConnectorType,
    TaskInfo,
    TaskState,
)
from supervisor.storage.snapshot import ClusterConfig
from supervisor.storage.status_log import StatusLog
from supervisor.storage.status_records import WorkStatus
from supervisor.units.lifecycle import UnitId


class ClusterView:
    """All of it from memory. What does not exist is NotFoundException."""

    def __init__(self, config: Callable[[], ClusterConfig], statuses: StatusLog, kinds: ConnectorKinds) -> None:
        self._config = config
        self._statuses = statuses
        self._kinds = kinds
        # Clients ask more often than anything changes.
        self._shown: dict[str, ConnectorStateInfo] = {}

    def on_status(self, unit: UnitId, status: WorkStatus | None) -> None:
        """As `supervisor.storage.status_log.StatusListener`."""
        self._shown.pop(unit.connector, None)

    def connector_config(self, name: str) -> dict[str, str]:
        """The configuration as the operator wrote it."""
        config = self._config().connector_config(name)
        if config is None:
            raise NotFoundException(f"Connector {name} not found")
        return dict(config)

    def info(self, name: str) -> ConnectorInfo:
        """A connector's configuration and tasks."""
        config = self.connector_config(name)
        return ConnectorInfo(name, config, self.tasks(name), self._kinds.kind(config))

    def tasks(self, name: str) -> list[ConnectorTaskId]:
        """The tasks of a connector."""
        return [ConnectorTaskId(name, task.task) for task in self._config().tasks(name) if task.task is not None]

    def task_configs(self, name: str) -> list[TaskInfo]:
        """The tasks with their configurations."""
        self.connector_config(name)
        config = self._config()
        return [TaskInfo(each, dict(config.task_config(UnitId(name, each.task)) or {})) for each in self.tasks(name)]

    def status(self, name: str) -> ConnectorStateInfo:
        """The state of a connector and its tasks: the same object while nothing has changed."""
        config = self._config().connector_config(name)
        type = ConnectorType.UNKNOWN if config is None else self._kinds.kind(config)
        shown = self._shown.get(name)
        if shown is None or shown.type is not type:
            shown = self._shown[name] = self._state_info(name, type)
        return shown

    def task_status(self, name: str, task: int) -> TaskState:
        """The state of one task."""
        status = self._statuses.get(UnitId(name, task))
        if status is None:
            raise NotFoundException(f"No status found for task {name}-{task}")
        return _task_state(task, status)

    def version(self, name: str) -> str | None:
        """The version of a connector's plugin, None if it is not known."""
        config = self._config().connector_config(name)
        return None if config is None else self._kinds.version(config)

    def _state_info(self, name: str, type: ConnectorType) -> ConnectorStateInfo:
        status = self._statuses.get(UnitId(name))
        if status is None:
            raise NotFoundException(f"No status found for connector {name}")
        return ConnectorStateInfo(
            name=name,
            connector=ConnectorState(
                state=status.state,
                worker_id=status.worker_id,
                version=_version(status),
                trace=status.trace or "",
            ),
            tasks=[_task_state(number, each) for number, each in self._statuses.tasks_of(name).items()],
            type=type,
        )


def _task_state(number: int, status: WorkStatus) -> TaskState:
    return TaskState(
        id=number, state=status.state, worker_id=status.worker_id, version=_version(status), trace=status.trace or ""
    )


def _version(status: WorkStatus) -> str | UnsetType | None:
    return UNSET if status.version in (None, UNDEFINED) else status.version
