"""The records of the status topic: their keys and values, byte for byte those of Java's `KafkaStatusBackingStore`."""

from __future__ import annotations

from typing import Final

import msgspec
import orjson

from supervisor.lifecycle import UnitId
from supervisor.storage.json_values import Malformed, int_field, json_object, optional_str_field, str_field
from tasks.states import State

TASK: Final = "status-task-"
CONNECTOR: Final = "status-connector-"
TOPIC: Final = "status-topic-"
_TOPIC_SEPARATOR: Final = ":connector-"


class WorkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a connector or task, and which worker says so in which generation of the group (`AbstractStatus`)."""

    state: State
    worker_id: str
    generation: int
    trace: str | None = None
    version: str | None = None


class TopicStatus(msgspec.Struct, frozen=True):
    """A topic that a connector uses, and the task that was the first to use it, when (KIP-558)."""

    topic: str
    connector: str
    task: int
    discover_timestamp_ms: int


def status_key(unit: UnitId) -> str:
    """The key of a connector's or task's status."""
    return f"{CONNECTOR}{unit.connector}" if unit.task is None else f"{TASK}{unit.connector}-{unit.task}"


def status_value(status: WorkStatus) -> bytes | None:
    """The value of a status, None for what was deleted."""
    if status.state is State.DESTROYED:
        return None
    return orjson.dumps(
        {
            "state": status.state,
            "trace": status.trace,
            "worker_id": status.worker_id,
            "generation": status.generation,
            "version": status.version,
        }
    )


def read_status(value: bytes) -> WorkStatus:
    """The status in a value. Raises Malformed."""
    content = json_object(_decoded(value))
    try:
        state = State(str_field(content, "state"))
    except ValueError:
        raise Malformed(f"expected one of {', '.join(State)} in field 'state'") from None
    return WorkStatus(
        state=state,
        worker_id=str_field(content, "worker_id"),
        generation=int_field(content, "generation"),
        trace=optional_str_field(content, "trace"),
        version=optional_str_field(content, "version"),
    )


def topic_key(connector: str, topic: str) -> str:
    """The key that says that a connector uses a topic."""
    return f"{TOPIC}{topic}{_TOPIC_SEPARATOR}{connector}"


def topic_of_key(rest: str) -> tuple[str, str] | None:
    """Connector and topic in what follows the prefix of a key; None if there are none."""
    topic, found, connector = rest.partition(":")
    connector = connector[len(_TOPIC_SEPARATOR) - 1 :]
    return (connector, topic) if found and topic and connector else None


def topic_value(status: TopicStatus) -> bytes:
    """The value that says who found a topic when."""
    return orjson.dumps(
        {
            "topic": {
                "name": status.topic,
                "connector": status.connector,
                "task": status.task,
                "discoverTimestamp": status.discover_timestamp_ms,
            }
        }
    )


def read_topic(value: bytes) -> TopicStatus:
    """The use of a topic in a value. Raises Malformed."""
    content = json_object(json_object(_decoded(value)).get("topic"))
    return TopicStatus(
        topic=str_field(content, "name"),
        connector=str_field(content, "connector"),
        task=int_field(content, "task"),
        discover_timestamp_ms=int_field(content, "discoverTimestamp"),
    )


def _decoded(value: bytes) -> object:
    try:
        return msgspec.json.decode(value)
    except (ValueError, RecursionError):
        raise Malformed("expected JSON") from None
