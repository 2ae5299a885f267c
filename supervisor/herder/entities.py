"""What herders answer about connectors: the JSON of Kafka Connect's REST API (`...runtime.rest.entities`)."""

from __future__ import annotations

import enum
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from tasks.states import State


class ConnectorType(enum.StrEnum):
    """UNKNOWN where its class could not be loaded."""

    SOURCE = "source"
    SINK = "sink"
    UNKNOWN = "unknown"


class ConnectorTaskId(msgspec.Struct, frozen=True):
    """One task of a connector."""

    connector: str
    task: int


class ConnectorInfo(msgspec.Struct, frozen=True):
    """A connector: its configuration as the operator wrote it, and its tasks."""

    name: str
    config: dict[str, str]
    tasks: list[ConnectorTaskId]
    type: ConnectorType


class TaskInfo(msgspec.Struct, frozen=True):
    """A task with the configuration that its connector made for it."""

    id: ConnectorTaskId
    config: dict[str, str]


class ConnectorState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a connector; `worker_id` says where it runs, `trace` why it failed. Left out: no version, no trace."""

    state: State
    worker_id: str
    version: str | UnsetType | None = UNSET
    trace: str = ""


class TaskState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a task."""

    id: int
    state: State
    worker_id: str
    version: str | UnsetType | None = UNSET
    trace: str = ""


class ConnectorStateInfo(msgspec.Struct, frozen=True):
    """The state of a connector and of its tasks by number."""

    name: str
    connector: ConnectorState
    tasks: list[TaskState]
    type: ConnectorType

    @property
    def units(self) -> list[ConnectorState | TaskState]:
        """The connector and its tasks."""
        return [self.connector, *self.tasks]


class ConnectorOffset(msgspec.Struct, frozen=True):
    """How far one partition of the source, or one partition of a topic, was read."""

    partition: dict[str, Any] | None = None
    offset: dict[str, Any] | None = None


class Created(msgspec.Struct, frozen=True):
    """A connector after its configuration was written; `created` if it is new."""

    info: ConnectorInfo
    created: bool
