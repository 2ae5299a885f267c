"""The records of the status topic: their keys and values, byte for byte those of Java's `KafkaStatusBackingStore`."""

from __future__ import annotations

import msgspec

from tasks.states import State


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
