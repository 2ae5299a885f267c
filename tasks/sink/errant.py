"""What a sink task reports its records with (`WorkerErrantRecordReporter` in Kafka, KIP-610)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
    Message,
)

from connectd.errors import ConnectException
from connectd.records import SinkRecord, TimestampType
from connectd.tasks import ErrantRecordReporter, SinkTask
from tasks.errors import ProcessingContext, Stage
from tasks.pipeline import Pipeline
from tasks.sink.batch import InternalSinkRecord

_TIMESTAMPS = {
    TimestampType.NO_TIMESTAMP_TYPE: TIMESTAMP_NOT_AVAILABLE,
    TimestampType.CREATE_TIME: TIMESTAMP_CREATE_TIME,
    TimestampType.LOG_APPEND_TIME: TIMESTAMP_LOG_APPEND_TIME,
}


class WorkerErrantRecordReporter(ErrantRecordReporter):
    """May be called from any thread of the task."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._exceeded: ConnectException | None = None

    def report(self, record: SinkRecord, error: Exception) -> Future[None]:
        context = ProcessingContext(_message_of(record, self._pipeline))
        try:
            return self._pipeline.errors.execute_failed(context, Stage.TASK_PUT, SinkTask, error)
        except ConnectException as exceeded:
            self._exceeded = exceeded
            raise

    def raise_exceeded(self) -> None:
        """Raises again what `report` has raised: the task fails even if it did not let that out."""
        if self._exceeded is not None:
            raise self._exceeded


def _message_of(record: SinkRecord, pipeline: Pipeline) -> Any:
    """The message that a record was read from, byte for byte; one that the task has made itself is converted."""
    if isinstance(record, InternalSinkRecord) and record.message is not None:
        return record.message
    topic = record.topic
    convert: Callable[..., Any] = pipeline.header_converter.from_connect_header
    return Message(
        topic=topic,
        partition=record.partition,
        offset=record.kafka_offset,
        key=pipeline.key_converter.from_connect_data(topic, record.key_schema, record.key),
        value=pipeline.value_converter.from_connect_data(topic, record.value_schema, record.value),
        headers=[(each.key, convert(topic, each.key, each.schema, each.value)) for each in record.headers],
        timestamp=(_TIMESTAMPS[record.timestamp_type], record.timestamp or 0),
    )
