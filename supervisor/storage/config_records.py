"""The records of the config topic: their keys and values, byte for byte those of Java's `KafkaConfigBackingStore`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

import msgspec
import orjson

from supervisor.units.lifecycle import UnitId
from tasks.states import State, TargetState

TARGET_STATE: Final = "target-state-"
CONNECTOR: Final = "connector-"
TASK: Final = "task-"
COMMIT: Final = "commit-"
TASK_COUNT: Final = "tasks-fencing-"
SESSION_KEY: Final = "session-key"
RESTART: Final = "restart-connector-"
LOGGER: Final = "logger-cluster-"

Entry = tuple[str, bytes | None]
"""Key and value of a record to write; a value of None is a tombstone."""


class SessionKey(msgspec.Struct, frozen=True):
    """The secret by which workers sign their requests to each other (KIP-507). `algorithm` is the name in Java."""

    key: bytes
    algorithm: str
    creation_timestamp_ms: int

    def __repr__(self) -> str:
        return f"SessionKey(algorithm={self.algorithm!r}, creation_timestamp_ms={self.creation_timestamp_ms})"


class RestartRequest(msgspec.Struct, frozen=True):
    """A wish to restart a connector, and its tasks with it or only what has failed (KIP-745)."""

    connector: str
    only_failed: bool = False
    include_tasks: bool = False

    @property
    def impact(self) -> int:
        """Of several requests for one connector, only that with the highest counts."""
        return 2 * (not self.only_failed) + self.include_tasks

    @property
    def forces_connector_only(self) -> bool:
        """Whether it is the plain restart of before KIP-745."""
        return not self.only_failed and not self.include_tasks

    def concerns_connector(self, state: State) -> bool:
        """Whether a connector in this state is to be restarted."""
        return not self.only_failed or state is State.FAILED

    def concerns_task(self, state: State) -> bool:
        """Whether a task in this state is to be restarted."""
        return self.include_tasks and (not self.only_failed or state is State.FAILED)


def connector_record(connector: str, config: Mapping[str, str] | None) -> Entry:
    """A connector's configuration, None removes it."""
    return f"{CONNECTOR}{connector}", None if config is None else orjson.dumps({"properties": config})


def task_record(task: UnitId, config: Mapping[str, str]) -> Entry:
    """A task's configuration, to be applied with the commit that follows."""
    return f"{TASK}{task.connector}-{task.task}", orjson.dumps({"properties": config})


def commit_record(connector: str, tasks: int) -> Entry:
    """Applies the task configurations that were written before."""
    return f"{COMMIT}{connector}", orjson.dumps({"tasks": tasks})


def target_state_record(connector: str, state: TargetState | None) -> Entry:
    """What a connector is to be, None removes it. Workers older than Kafka 3.5 know of no STOPPED and take it for PAUSED."""
    old = TargetState.PAUSED if state is TargetState.STOPPED else state
    return f"{TARGET_STATE}{connector}", None if state is None else orjson.dumps({"state": old, "state.v2": state})


def task_count_record(connector: str, tasks: int) -> Entry:
    """How many transactional producers must be fenced before the next tasks start (KIP-618)."""
    return f"{TASK_COUNT}{connector}", orjson.dumps({"task-count": tasks})


def session_key_record(key: SessionKey) -> Entry:
    """The key for requests between workers."""
    return SESSION_KEY, orjson.dumps(
        {
            "key": base64.b64encode(key.key).decode("ascii"),
            "algorithm": key.algorithm,
            "creation-timestamp": key.creation_timestamp_ms,
        }
    )


def restart_record(request: RestartRequest) -> Entry:
    """A wish to restart."""
    return f"{RESTART}{request.connector}", orjson.dumps(
        {"include-tasks": request.include_tasks, "only-failed": request.only_failed}
    )


def logger_record(logger: str, level: str) -> Entry:
    """The level of a logger on all workers that run now (KIP-976)."""
    return f"{LOGGER}{logger}", orjson.dumps({"level": level})
