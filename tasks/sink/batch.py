"""The records of one `put_batch`: columns straight from the consumer, converted when asked for, or transformed records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_NOT_AVAILABLE, Message

from connectd.columns import RecordColumns
from connectd.converters import Converter
from connectd.headers import ConnectHeaders
from connectd.records import SinkBatch, SinkRecord, TimestampType, TopicPartition
from connectd.schema import Schema, SchemaAndValue
from tasks.chain import Run, one_by_one, runs_of
from tasks.errors import ProcessingContext, Stage
from tasks.errors.context import origin_of
from tasks.pipeline import Pipeline, expand_schemas, reads_headers, runs

TIMESTAMP_TYPES = {
    TIMESTAMP_CREATE_TIME: TimestampType.CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME: TimestampType.LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE: TimestampType.NO_TIMESTAMP_TYPE,
}

# In the order in which Java converts the parts of a message.
CONVERTER_STAGES: Final = (Stage.KEY_CONVERTER, Stage.VALUE_CONVERTER, Stage.HEADER_CONVERTER)

T = TypeVar("T")
# What `Converter.to_connect_batch` returns.
Converted = tuple[Schema | list[Schema | None] | None, list[Any]]


class InternalSinkRecord(SinkRecord, gc=False):
    """A record that knows the message it was made of, for tasks that report records (`InternalSinkRecord` in Kafka)."""

    message: Any = None


class MessageBatch(SinkBatch):
    """Messages as they came from the consumer. `topic` is given when all are known to be of that one topic.

    Reading a field of a message costs as much as writing a short line, so each column is read once, and only when a task
    asks for it. What a task does not ask for is not converted, and so cannot fail either, unless errors are tolerated, tried
    again or reported: then `prepare` converts all. Otherwise the error, a ConnectException, names the record.
    """

    def __init__(self, messages: Sequence[Message], pipeline: Pipeline, topic: str | None) -> None:
        self.messages = messages
        self._pipeline = pipeline
        self._topic = topic
        self._is_converted = False

    def __len__(self) -> int:
        return len(self.messages)

    def prepare(self) -> MessageBatch | TransformedBatch:
        """This batch with everything converted, or if that fails one of the records that can be."""
        if self.convert_columns():
            return self
        return TransformedBatch(self, self._pipeline, [record for record in self.convert_each() if record is not None])

    def without(self, partitions: Collection[TopicPartition]) -> MessageBatch:
        """The batch without the records of these partitions."""
        left = [message for message in self.messages if partition_of(message) not in partitions]
        return MessageBatch(left, self._pipeline, self._topic)

    def part(self, start: int, end: int) -> TransformedBatch:
        """The batch with the records from `start` to before `end` only."""
        return TransformedBatch(self, self._pipeline, self.records()[start:end])

    def convert_columns(self) -> bool:
        """Convert all columns at once; False if that fails for any record, of which nobody is told."""
        if self._is_converted:
            return True
        try:
            self._headers = self._convert_headers()
            self._converted_keys = self._convert(self._pipeline.key_converter, self._column(Message.key))
            self._converted_values = self._convert(self._pipeline.value_converter, self._column(Message.value))
        except Exception:
            return False
        self._is_converted = True
        return True

    def convert_each(self) -> Iterator[SinkRecord | None]:
        """Convert and transform record by record, by way of the operator; None for what failed or was dropped."""
        pipeline = self._pipeline
        for message in self.messages:
            context = ProcessingContext(message)
            key, value, headers = (self._convert_part(context, stage) for stage in CONVERTER_STAGES)
            if context.failed:
                yield None
            else:
                timestamp, kind = _timestamp(message)
                record = self._record(
                    message.topic() or "",
                    message.partition() or 0,
                    key.schema,
                    key.value,
                    value.schema,
                    value.value,
                    message.offset() or 0,
                    timestamp,
                    kind,
                    headers,
                )
                yield pipeline.transform(context, self._internal(record, message))

    def _convert_part(self, context: ProcessingContext, stage: Stage) -> Any:
        """A part of a message, by way of the operator."""
        pipeline, message = self._pipeline, context.original
        topic = message.topic() or ""
        if stage is Stage.HEADER_CONVERTER:
            kind, data = type(pipeline.header_converter), message.headers()
            return pipeline.errors.execute(context, stage, kind, pipeline.headers_to_connect, topic, data)
        is_key = stage is Stage.KEY_CONVERTER
        converter = pipeline.key_converter if is_key else pipeline.value_converter
        data = message.key() if is_key else message.value()
        return pipeline.errors.execute(context, stage, type(converter), self._to_connect, converter, message, data)

    def _to_connect(self, converter: Converter, message: Message, data: Any) -> SchemaAndValue:
        topic = message.topic() or ""
        if reads_headers(converter):
            headers = self._pipeline.headers_to_connect(topic, message.headers())
            return converter.to_connect_data_with_headers(topic, headers, data)
        return converter.to_connect_data(topic, data)

    def _column(self, field: Callable[[Message], T]) -> list[T]:
        return list(map(field, self.messages))

    @cached_property
    def _converted_values(self) -> Converted:
        return self._column_or_error(Stage.VALUE_CONVERTER, Message.value)

    @cached_property
    def _converted_keys(self) -> Converted:
        return self._column_or_error(Stage.KEY_CONVERTER, Message.key)

    @cached_property
    def _headers(self) -> list[ConnectHeaders | None]:
        """The headers of each message, None where it has none."""
        try:
            return self._convert_headers()
        except Exception:
            return self._one_by_one(Stage.HEADER_CONVERTER)

    def _column_or_error(self, stage: Stage, field: Callable[[Message], Any]) -> Converted:
        is_key = stage is Stage.KEY_CONVERTER
        try:
            return self._convert(
                self._pipeline.key_converter if is_key else self._pipeline.value_converter, self._column(field)
            )
        except Exception:
            converted = self._one_by_one(stage)
            return [each.schema for each in converted], [each.value for each in converted]

    def _one_by_one(self, stage: Stage) -> list[Any]:
        """A part of all messages where all at once fails: the operator raises for the one that cannot be converted."""
        return [self._convert_part(ProcessingContext(message), stage) for message in self.messages]

    def _convert(self, converter: Converter, data: list[Any]) -> Converted:
        if not data:
            return None, []
        if reads_headers(converter):
            converted = [
                converter.to_connect_data_with_headers(topic, headers or ConnectHeaders(), value)
                for topic, headers, value in zip(self._topics, self._headers, data, strict=True)
            ]
            return [each.schema for each in converted], [each.value for each in converted]
        if self._topic is not None:
            return converter.to_connect_batch(self._topic, data)
        schemas: list[Schema | None] = []
        values: list[Any] = []
        for topic, start, end in runs(self._topics):
            run_schemas, run_values = converter.to_connect_batch(topic, data[start:end])
            schemas += expand_schemas(run_schemas, end - start)
            values += run_values
        return schemas, values

    def _convert_headers(self) -> list[ConnectHeaders | None]:
        found, convert = self._column(Message.headers), self._pipeline.headers_to_connect
        if not any(found):
            return [None] * len(found)
        return [
            convert(topic, headers) if headers else None for topic, headers in zip(self._topics, found, strict=True)
        ]

    def _internal(self, record: SinkRecord, message: Message) -> SinkRecord:
        if isinstance(record, InternalSinkRecord):
            record.message = message
        return record

    @cached_property
    def _record(self) -> type[SinkRecord]:
        return InternalSinkRecord if self._pipeline.errors.reports else SinkRecord

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
            TopicPartition(topic, partition) for topic, partition in zip(self._topics, self._partitions, strict=True)
        ]

    @cached_property
    def _partitions(self) -> list[int]:
        return self._column(Message.partition)  # type: ignore[arg-type]  # None only in messages that are errors

    @cached_property
    def _timestamps(self) -> list[tuple[int, int]]:
        return self._column(Message.timestamp)

    @cached_property
    def offsets(self) -> Sequence[int]:
        return self._column(Message.offset)  # type: ignore[arg-type]  # None only in messages that are errors

    def records(self) -> list[SinkRecord]:
        key_schemas, keys = self._converted_keys
        value_schemas, values = self._converted_values
        if not isinstance(key_schemas, list) and not isinstance(value_schemas, list):
            run = Run(0, len(self), key_schemas, value_schemas)
            return self._records_of(run, keys, values, self._topics, self._headers)
        return [
            record
            for run in one_by_one(expand_schemas(key_schemas, len(self)), expand_schemas(value_schemas, len(self)))
            for record in self._records_of(
                run,
                keys[run.start : run.end],
                values[run.start : run.end],
                self._topics[run.start : run.end],
                self._headers[run.start : run.end],
            )
        ]

    def column_runs(self) -> list[tuple[Run, RecordColumns]] | None:
        """The records as columns, those with the same schemas together; None if that is not worth while.

        To be called after `convert_columns`.
        """
        key_schemas, value_schemas = self._converted_keys[0], self._converted_values[0]
        runs: list[Run] | None
        if not isinstance(key_schemas, list) and not isinstance(value_schemas, list):
            runs = [Run(0, len(self), key_schemas, value_schemas)]
        else:
            runs = runs_of(expand_schemas(key_schemas, len(self)), expand_schemas(value_schemas, len(self)))
        if runs is None:
            return None
        return [
            (
                run,
                RecordColumns(
                    run.end - run.start, run.key_schema, run.value_schema, functools.partial(self._read, run)
                ),
            )
            for run in runs
        ]

    def _read(self, run: Run, name: str) -> list[Any]:
        """A column of some of the records, by the name of the records' field."""
        start, end = run.start, run.end
        match name:
            case "key":
                return self._converted_keys[1][start:end]
            case "value":
                return self._converted_values[1][start:end]
            case "topic":
                return self._topics[start:end]
            case "partition":
                return self._partitions[start:end]
            case "kafka_offset":
                return list(self.offsets[start:end])
            case "timestamp":
                return [_time(each) for each in self._timestamps[start:end]]
            case "headers":
                return [each or ConnectHeaders() for each in self._headers[start:end]]
        raise AttributeError(name)

    def records_from(self, run: Run, columns: RecordColumns) -> list[SinkRecord]:
        """The records that transformations have made of a run."""
        if columns.left is not None:
            return self._records_left(run, columns)
        return self._records_of(
            Run(run.start, run.end, columns.schema("key"), columns.schema("value")),
            columns.values("key"),
            columns.values("value"),
            columns.column("topic"),
            columns.column("headers") if "headers" in columns.changed else self._headers[run.start : run.end],
        )

    def _records_left(self, run: Run, columns: RecordColumns) -> list[SinkRecord]:
        """As `records_from`, of a run of which records were dropped."""
        assert columns.left is not None
        messages = [self.messages[run.start + index] for index in columns.left]
        return MessageBatch(messages, self._pipeline, self._topic)._records_of(
            Run(0, len(messages), columns.schema("key"), columns.schema("value")),
            columns.values("key"),
            columns.values("value"),
            columns.column("topic"),
            columns.column("headers"),
        )

    def _records_of(
        self,
        run: Run,
        keys: Sequence[Any],
        values: Sequence[Any],
        topics: Sequence[str],
        headers: Sequence[ConnectHeaders | None],
    ) -> list[SinkRecord]:
        start, end, key_schema, value_schema = run
        make = self._record
        records = [
            make(
                topic,
                partition,
                key_schema,
                key,
                value_schema,
                value,
                offset,
                at if kind else None,  # 0: not available
                TIMESTAMP_TYPES[kind],
                # Each record its own: the task may change them, and get the records again.
                ConnectHeaders() if header is None else header.duplicate(),
                original,
                partition,
                offset,
            )
            for topic, original, partition, offset, (kind, at), header, key, value in zip(
                topics,
                self._topics[start:end],
                self._partitions[start:end],
                self.offsets[start:end],
                self._timestamps[start:end],
                headers,
                keys,
                values,
                strict=True,
            )
        ]
        if make is InternalSinkRecord:
            _mark(records, self.messages[start:end])
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
            self._transformed = self._transform()
        return self._transformed

    def _transform(self) -> list[SinkRecord]:
        source, pipeline = self._source, self._pipeline
        if not source.convert_columns():
            return [record for record in source.convert_each() if record is not None]
        if (runs := self._columns) is not None:
            records = [record for run in runs for record in source.records_from(*run)]
        else:
            records = source.records()
        if runs is not None and pipeline.chain.is_all_columns:
            return records
        first = 0 if runs is None else pipeline.chain.in_columns
        messages = _messages_left(source.messages, runs)
        left: list[Any] = []
        pipeline.transform_all(records, lambda index: ProcessingContext(messages[index]), left, first)
        if pipeline.errors.reports:
            _mark(left, messages)
        return [record for record in left if record is not None]

    @cached_property
    def _columns(self) -> list[tuple[Run, RecordColumns]] | None:
        """The records after the steps that take columns; None if they are to be transformed one by one."""
        chain = self._pipeline.chain
        if self._transformed is not None or not self._source.messages or not chain.wants_columns:
            return None
        if not self._source.convert_columns():
            return None
        runs = self._source.column_runs()
        return runs if runs and all(chain.apply(columns) for _, columns in runs) else None

    @property
    def _whole(self) -> list[tuple[Run, RecordColumns]] | None:
        """All that the transformations have made of the batch, if that is in columns."""
        return self._columns if self._pipeline.chain.is_all_columns else None

    def without(self, partitions: Collection[TopicPartition]) -> TransformedBatch:
        """The batch without the records of these partitions, none of which is transformed again."""
        transformed = (
            None
            if self._transformed is None
            else [each for each in self._transformed if origin_of(each) not in partitions]
        )
        return TransformedBatch(self._source.without(partitions), self._pipeline, transformed)

    def prepare(self) -> TransformedBatch:
        """This batch, with everything converted and transformed."""
        if self._whole is None:
            self._transformed = self._records
        return self

    def part(self, start: int, end: int) -> TransformedBatch:
        """The batch with the records from `start` to before `end` only."""
        return TransformedBatch(self._source, self._pipeline, self._records[start:end])

    def __len__(self) -> int:
        return len(self._records) if self._whole is None else sum(len(columns) for _, columns in self._whole)

    @property
    def values(self) -> Sequence[Any]:
        if self._whole is not None:
            return [value for _, columns in self._whole for value in columns.values("value")]
        return [record.value for record in self._records]

    @property
    def keys(self) -> Sequence[Any]:
        if self._whole is not None:
            return [key for _, columns in self._whole for key in columns.values("key")]
        return [record.key for record in self._records]

    @property
    def value_schemas(self) -> Sequence[Schema | None]:
        if self._whole is not None:
            return [schema for _, columns in self._whole for schema in [columns.schema("value")] * len(columns)]
        return [record.value_schema for record in self._records]

    @property
    def topic_partitions(self) -> Sequence[TopicPartition]:
        return [TopicPartition(record.topic, record.partition) for record in self._records]

    @property
    def offsets(self) -> Sequence[int]:
        return [record.kafka_offset for record in self._records]

    def records(self) -> list[SinkRecord]:
        return list(self._records)


def _messages_left(messages: Sequence[Message], runs: list[tuple[Run, RecordColumns]] | None) -> Sequence[Message]:
    """Those of the records that are left after the steps on columns."""
    if runs is None or all(columns.left is None for _, columns in runs):
        return messages
    return [
        messages[run.start + index]
        for run, columns in runs
        for index in (range(run.end - run.start) if columns.left is None else columns.left)
    ]


def partition_of(message: Message) -> TopicPartition:
    """Where a message was read."""
    return TopicPartition(message.topic() or "", message.partition() or 0)


def _mark(records: list[Any], messages: Sequence[Message]) -> None:
    """Let records know their messages, also those that a transformation has made anew."""
    for index, (record, message) in enumerate(zip(records, messages, strict=True)):
        if type(record) is InternalSinkRecord:
            record.message = message
        elif record is not None:
            fields = {name: getattr(record, name) for name in SinkRecord.__struct_fields__}
            records[index] = InternalSinkRecord(**fields, message=message)


def _timestamp(message: Message) -> tuple[int | None, TimestampType]:
    return _time(message.timestamp()), TIMESTAMP_TYPES[message.timestamp()[0]]


def _time(timestamp: tuple[int, int]) -> int | None:
    return None if timestamp[0] == TIMESTAMP_NOT_AVAILABLE else timestamp[1]
