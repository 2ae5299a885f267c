"""The records of one `put_batch`: straight from the consumer, columns converted when asked for, or already as objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, Message

from connectd.converters import Converter
from connectd.records import SinkBatch, SinkRecord, TimestampType, TopicPartition
from connectd.schema import Schema
from tasks.pipeline import Pipeline, expand_schemas

TIMESTAMP_TYPES = {
    TIMESTAMP_CREATE_TIME: TimestampType.CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME: TimestampType.LOG_APPEND_TIME,
}

T = TypeVar("T")


class MessageBatch(SinkBatch):
    """Messages as they came from the consumer. `topic` is given when all are known to be of that one topic.

    Reading a field of a message costs as much as writing a short line, so each column is read once, and only when a task
    asks for it. What a task does not ask for is not converted, and so cannot fail either.
    """

    def __init__(self, messages: Sequence[Message], pipeline: Pipeline, topic: str | None) -> None:
        self._messages = messages
        self._pipeline = pipeline
        self._topic = topic

    def __len__(self) -> int:
        return len(self._messages)

    def _column(self, field: Callable[[Message], T]) -> list[T]:
        return list(map(field, self._messages))

    @cached_property
    def _converted_values(self) -> tuple[Schema | list[Schema | None] | None, list[Any]]:
        return self._convert(self._pipeline.value_converter, self._column(Message.value))

    @cached_property
    def _converted_keys(self) -> tuple[Schema | list[Schema | None] | None, list[Any]]:
        return self._convert(self._pipeline.key_converter, self._column(Message.key))

    def _convert(self, converter: Converter, data: list[Any]) -> tuple[Schema | list[Schema | None] | None, list[Any]]:
        if self._topic is not None or not data:
            return converter.to_connect_batch(self._topic or "", data)
        schemas: list[Schema | None] = []
        values: list[Any] = []
        for topic, start, end in runs(self._topics):
            run_schemas, run_values = converter.to_connect_batch(topic, data[start:end])
            schemas += expand_schemas(run_schemas, end - start)
            values += run_values
        return schemas, values

    @cached_property
    def _topics(self) -> list[str]:
        if self._topic is not None:
            return [self._topic] * len(self._messages)
        return [topic or "" for topic in self._column(Message.topic)]

    @property
    def values(self) -> Sequence[Any]:
        return self._converted_values[1]

    @property
    def keys(self) -> Sequence[Any]:
        return self._converted_keys[1]

    @cached_property
    def value_schemas(self) -> Sequence[Schema | None]:
        return expand_schemas(self._converted_values[0], len(self))

    @cached_property
    def topic_partitions(self) -> Sequence[TopicPartition]:
        return [
            TopicPartition(topic, partition or 0)
            for topic, partition in zip(self._topics, self._column(Message.partition), strict=True)
        ]

    @cached_property
    def offsets(self) -> Sequence[int]:
        return self._column(Message.offset)  # type: ignore[arg-type]  # None only in messages that are errors

    def records(self) -> list[SinkRecord]:
        key_schemas, keys = self._converted_keys
        pipeline = self._pipeline
        records: list[SinkRecord] = []
        for message, topic, partition, offset, timestamp, headers, key_schema, key, value_schema, value in zip(
            self._messages,
            self._topics,
            self._column(Message.partition),
            self.offsets,
            self._column(Message.timestamp),
            self._column(Message.headers),
            expand_schemas(key_schemas, len(self)),
            keys,
            self.value_schemas,
            self.values,
            strict=True,
        ):
            kind = TIMESTAMP_TYPES.get(timestamp[0], TimestampType.NO_TIMESTAMP_TYPE)
            record = SinkRecord(
                topic,
                partition or 0,
                key_schema,
                key,
                value_schema,
                value,
                offset,
                None if kind is TimestampType.NO_TIMESTAMP_TYPE else timestamp[1],
                kind,
            )
            if headers:
                self._convert_with_headers(record, message, pipeline, headers)
            records.append(record)
        return records

    @staticmethod
    def _convert_with_headers(
        record: SinkRecord, message: Message, pipeline: Pipeline, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        record.headers = pipeline.headers_to_connect(record.topic, headers)
        for converter, data, is_key in (
            (pipeline.key_converter, message.key(), True),
            (pipeline.value_converter, message.value(), False),
        ):
            if type(converter).to_connect_data_with_headers is Converter.to_connect_data_with_headers:
                continue
            converted = converter.to_connect_data_with_headers(record.topic, record.headers, data)
            if is_key:
                record.key_schema, record.key = converted.schema, converted.value
            else:
                record.value_schema, record.value = converted.schema, converted.value


class RecordBatch(SinkBatch):
    """Records that exist already, for example because transformations made them."""

    def __init__(self, records: list[SinkRecord]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    @property
    def values(self) -> Sequence[Any]:
        return [record.value for record in self._records]

    @property
    def keys(self) -> Sequence[Any]:
        return [record.key for record in self._records]

    @property
    def value_schemas(self) -> Sequence[Schema | None]:
        return [record.value_schema for record in self._records]

    @property
    def topic_partitions(self) -> Sequence[TopicPartition]:
        return [TopicPartition(record.topic, record.partition) for record in self._records]

    @property
    def offsets(self) -> Sequence[int]:
        return [record.kafka_offset for record in self._records]

    def records(self) -> list[SinkRecord]:
        return self._records


def runs(topics: Sequence[str]) -> list[tuple[str, int, int]]:
    """Runs of equal neighbours as (topic, start, end)."""
    found: list[tuple[str, int, int]] = []
    start = 0
    for index in range(1, len(topics) + 1):
        if index == len(topics) or topics[index] != topics[start]:
            found.append((topics[start], start, index))
            start = index
    return found
