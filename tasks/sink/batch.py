"""The records of one `put_batch`: columns straight from the consumer, converted when asked for, or transformed records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any, NoReturn, TypeVar

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, Message

from connectd.converters import Converter
from connectd.headers import ConnectHeaders
from connectd.records import SinkBatch, SinkRecord, TimestampType, TopicPartition
from connectd.schema import Schema
from tasks.pipeline import Pipeline, expand_schemas, reads_headers, record_failure

TIMESTAMP_TYPES = {
    TIMESTAMP_CREATE_TIME: TimestampType.CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME: TimestampType.LOG_APPEND_TIME,
}

T = TypeVar("T")
# What `Converter.to_connect_batch` returns.
Converted = tuple[Schema | list[Schema | None] | None, list[Any]]


class MessageBatch(SinkBatch):
    """Messages as they came from the consumer. `topic` is given when all are known to be of that one topic.

    Reading a field of a message costs as much as writing a short line, so each column is read once, and only when a task
    asks for it. What a task does not ask for is not converted, and so cannot fail either. Otherwise the error, a
    DataException or RetriableException as the converter's own, names the record.
    """

    def __init__(self, messages: Sequence[Message], pipeline: Pipeline, topic: str | None) -> None:
        self.messages = messages
        self._pipeline = pipeline
        self._topic = topic

    def __len__(self) -> int:
        return len(self.messages)

    def without(self, partitions: Collection[TopicPartition]) -> MessageBatch:
        """The batch without the records of these partitions."""
        left = [message for message in self.messages if partition_of(message) not in partitions]
        return MessageBatch(left, self._pipeline, self._topic)

    def _column(self, field: Callable[[Message], T]) -> list[T]:
        return list(map(field, self.messages))

    @cached_property
    def _converted_values(self) -> Converted:
        return self._convert("value", self._pipeline.value_converter, self._column(Message.value))

    @cached_property
    def _converted_keys(self) -> Converted:
        return self._convert("key", self._pipeline.key_converter, self._column(Message.key))

    def _convert(self, what: str, converter: Converter, data: list[Any]) -> Converted:
        if not data:
            return None, []
        if reads_headers(converter):
            return self._convert_each(what, converter, data)
        if self._topic is not None:
            return self._convert_run(what, converter, self._topic, 0, data)
        schemas: list[Schema | None] = []
        values: list[Any] = []
        for topic, start, end in runs(self._topics):
            run_schemas, run_values = self._convert_run(what, converter, topic, start, data[start:end])
            schemas += expand_schemas(run_schemas, end - start)
            values += run_values
        return schemas, values

    def _convert_each(self, what: str, converter: Converter, data: list[Any]) -> Converted:
        schemas: list[Schema | None] = []
        values: list[Any] = []
        for message, topic, headers, value in zip(self.messages, self._topics, self._headers, data, strict=True):
            try:
                converted = converter.to_connect_data_with_headers(topic, headers or ConnectHeaders(), value)
            except Exception as error:
                self._fail(what, message, error)
            schemas.append(converted.schema)
            values.append(converted.value)
        return schemas, values

    @cached_property
    def _headers(self) -> list[ConnectHeaders | None]:
        """The headers of each message, None where it has none."""
        return [
            self._convert_headers(message, topic, headers) if headers else None
            for message, topic, headers in zip(self.messages, self._topics, self._column(Message.headers), strict=True)
        ]

    def _convert_headers(self, message: Message, topic: str, headers: Any) -> ConnectHeaders:
        try:
            return self._pipeline.headers_to_connect(topic, headers)
        except Exception as error:
            self._fail("headers", message, error)

    def _convert_run(self, what: str, converter: Converter, topic: str, start: int, data: list[Any]) -> Converted:
        try:
            return converter.to_connect_batch(topic, data)
        except Exception:
            # Which of them it was: one by one.
            for message, value in zip(self.messages[start:], data, strict=False):
                try:
                    converter.to_connect_data(topic, value)
                except Exception as error:
                    self._fail(what, message, error)
            raise

    @staticmethod
    def _fail(what: str, message: Message, error: Exception) -> NoReturn:
        place = f"{partition_of(message)} at offset {message.offset()}"
        raise record_failure(f"Cannot convert the {what} of the record in {place}", error) from error

    @cached_property
    def _topics(self) -> list[str]:
        if self._topic is not None:
            return [self._topic] * len(self.messages)
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
        records: list[SinkRecord] = []
        for topic, partition, offset, timestamp, headers, key_schema, key, value_schema, value in zip(
            self._topics,
            self._column(Message.partition),
            self.offsets,
            self._column(Message.timestamp),
            self._headers,
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
            if headers is not None:
                # Each record its own: the task may change them, and get the records again.
                record.headers = headers.duplicate()
            records.append(record)
        return records


class TransformedBatch(SinkBatch):
    """What the transformations made of a batch. They run once, when the task first asks for anything."""

    def __init__(self, source: MessageBatch, pipeline: Pipeline, transformed: list[SinkRecord] | None = None) -> None:
        self._source = source
        self._pipeline = pipeline
        self._transformed = transformed

    @property
    def messages(self) -> Sequence[Message]:
        """What the records were made of, including those that the transformations dropped."""
        return self._source.messages

    @property
    def _records(self) -> list[SinkRecord]:
        if self._transformed is None:
            self._transformed = self._pipeline.transform_all(self._source.records())
        return self._transformed

    def without(self, partitions: Collection[TopicPartition]) -> TransformedBatch:
        """The batch without the records of these partitions, none of which is transformed again."""
        transformed = self._transformed and [each for each in self._transformed if _origin(each) not in partitions]
        return TransformedBatch(self._source.without(partitions), self._pipeline, transformed)

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
        return list(self._records)


def partition_of(message: Message) -> TopicPartition:
    """Where a message was read."""
    return TopicPartition(message.topic() or "", message.partition() or 0)


def _origin(record: SinkRecord) -> TopicPartition:
    return TopicPartition(record.original_topic or "", record.original_kafka_partition or 0)


def runs(topics: Sequence[str]) -> list[tuple[str, int, int]]:
    """Runs of equal neighbours as (topic, start, end)."""
    found: list[tuple[str, int, int]] = []
    start = 0
    for index in range(1, len(topics) + 1):
        if index == len(topics) or topics[index] != topics[start]:
            found.append((topics[start], start, index))
            start = index
    return found
