"""The records of the status topic: their keys and values, byte for byte those of Java's `KafkaStatusBackingStore`."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
import orjson

from supervisor.storage.json_values import Malformed
from supervisor.units.lifecycle import UnitId
from tasks.states import State

T = TypeVar("T")

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
    return _decoded(_STATUS_DECODER, value)


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
    use = _decoded(_TOPIC_DECODER, value).topic
    return TopicStatus(use.name, use.connector, use.task, use.discover_timestamp)


class _Use(msgspec.Struct, rename={"discover_timestamp": "discoverTimestamp"}):
    name: str
    connector: str
    task: int
    discover_timestamp: int


class _TopicValue(msgspec.Struct):
    topic: _Use


_STATUS_DECODER: Final = msgspec.json.Decoder(WorkStatus)
_TOPIC_DECODER: Final = msgspec.json.Decoder(_TopicValue)


def _decoded(decoder: msgspec.json.Decoder[T], value: bytes) -> T:
    try:
        return decoder.decode(value)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from None
