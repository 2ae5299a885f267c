"""One record on its way through the stages of a task, and what went wrong with it (`ProcessingContext` in Kafka)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_NOT_AVAILABLE, Message

from connectd.records import SinkRecord, SourceRecord, TopicPartition
from tasks.errors.stages import Stage

_DONE: Future[None] = Future()
_DONE.set_result(None)
_TIMESTAMP_TYPES = {TIMESTAMP_CREATE_TIME: "CreateTime"}


class ProcessingContext:
    """`original` is the record as it was read from Kafka, or from the source; `error` is None unless it has failed."""

    __slots__ = ("attempt", "error", "executing_class", "original", "reported", "stage")

    def __init__(self, original: Any) -> None:
        self.original = original
        self.stage = Stage.TRANSFORMATION
        self.executing_class: type = object
        self.attempt = 0
        self.error: BaseException | None = None
        # Of what has failed: done when all who are told of it have it.
        self.reported: Future[None] = _DONE

    @property
    def failed(self) -> bool:
        """Whether it has failed for good."""
        return self.error is not None

    @property
    def place(self) -> str:
        """Which record it is, for messages; nothing of what it holds."""
        original = self.original
        if isinstance(original, SourceRecord):
            return f"a record for topic {original.topic}{source_place(original)}"
        if isinstance(original, SinkRecord):
            return f"the record in {origin_of(original)} at offset {original.original_kafka_offset}"
        return f"the record in {original.topic()}-{original.partition()} at offset {original.offset()}"

    @property
    def details(self) -> str:
        """The record for the log, as `errors.log.include.messages` asks for it."""
        original = self.original
        if isinstance(original, SourceRecord):
            return f"where source record is = {original}"
        return f"where consumed record is {_coordinates(original)}"


def origin_of(record: SinkRecord) -> TopicPartition:
    """Where a record was read, whatever transformations have made of it."""
    return TopicPartition(record.original_topic or "", record.original_kafka_partition or 0)


def source_place(record: SourceRecord) -> str:
    """Where in the source a record came from, in brackets; empty if it does not say."""
    return located(record.source_partition, record.source_offset)


def located(partition: Mapping[str, Any] | None, offset: Mapping[str, Any] | None) -> str:
    """A place in a source, in brackets with a blank before them; empty if there is none."""
    if partition is None:
        return ""
    return f" (source partition {dict(partition)}, source offset {offset and dict(offset)})"


def _coordinates(message: Message) -> str:
    text = f"topic='{message.topic()}', partition={message.partition()}, offset={message.offset()}"
    kind, timestamp = message.timestamp()
    if kind != TIMESTAMP_NOT_AVAILABLE:
        text += f", timestamp={timestamp}, timestampType={_TIMESTAMP_TYPES.get(kind, 'LogAppendTime')}"
    return f"{{{text}}}"
