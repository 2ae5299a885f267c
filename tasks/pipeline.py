"""The record pipeline of one task: header, key and value converters and the chain of transformations, put together once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connectd.converters import Converter, HeaderConverter
from connectd.errors import ConnectException, DataException, RetriableException
from connectd.headers import ConnectHeaders
from connectd.records import SinkRecord, SourceRecord, TopicPartition
from connectd.schema import Schema
from connectd.transforms import Predicate, Transformation

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One transformation with the predicate that decides which records it applies to."""

    transformation: Transformation[Any]
    predicate: Predicate[Any] | None = None
    negate: bool = False

    def apply(self, record: Any) -> Any | None:
        """The record after this step; None drops it."""
        if self.predicate is not None and bool(self.predicate.test(record)) is self.negate:
            return record
        return self.transformation.apply(record)


@dataclass(frozen=True)
class Pipeline:
    """What runs between connector and Kafka. Empty `steps` cost nothing."""

    key_converter: Converter
    value_converter: Converter
    header_converter: HeaderConverter
    steps: Sequence[Step] = ()

    def transform(self, record: Any) -> Any | None:
        """The record after all steps; None if one of them dropped it."""
        for step in self.steps:
            record = step.apply(record)
            if record is None:
                return None
        return record

    def transform_all(self, records: Sequence[SinkRecord]) -> list[SinkRecord]:
        """The records that are left after all steps. The error of one that fails names it."""
        left: list[SinkRecord] = []
        try:
            for record in records:
                transformed = self.transform(record)
                if transformed is not None:
                    left.append(transformed)
        except Exception as error:
            partition = TopicPartition(record.original_topic or "", record.original_kafka_partition or 0)
            place = f"{partition} at offset {record.original_kafka_offset}"
            raise record_failure(f"Cannot transform the record in {place}", error) from error
        return left

    def to_kafka(self, record: SourceRecord) -> tuple[bytes | None, bytes | None, list[Header] | None]:
        """Key, value and headers of a source record as bytes; None for the headers of one that has none."""
        topic = record.topic
        if not record.headers and not self.writes_headers:
            return (
                self.key_converter.from_connect_data(topic, record.key_schema, record.key),
                self.value_converter.from_connect_data(topic, record.value_schema, record.value),
                None,
            )
        key = self.key_converter.from_connect_data_with_headers(topic, record.headers, record.key_schema, record.key)
        value = self.value_converter.from_connect_data_with_headers(
            topic, record.headers, record.value_schema, record.value
        )
        # Last, for the converters above may write headers.
        convert = self.header_converter.from_connect_header
        headers = [(each.key, convert(topic, each.key, each.schema, each.value)) for each in record.headers]
        return key, value, headers or None

    @cached_property
    def writes_headers(self) -> bool:
        """Whether a converter may add headers to the record that it converts."""
        plain = Converter.from_connect_data_with_headers
        return any(
            type(each).from_connect_data_with_headers is not plain
            for each in (self.key_converter, self.value_converter)
        )

    def headers_to_connect(self, topic: str, headers: Sequence[tuple[str, bytes | None]] | None) -> ConnectHeaders:
        """The headers of a message as a sink sees them."""
        connect_headers = ConnectHeaders()
        for key, data in headers or ():
            converted = self.header_converter.to_connect_header(topic, key, data)
            connect_headers.add(key, converted.value, converted.schema)
        return connect_headers

    def close(self) -> None:
        """Close all parts; called once, at the end of the task."""
        for step in self.steps:
            step.transformation.close()
            if step.predicate is not None:
                step.predicate.close()
        for converter in (self.key_converter, self.value_converter, self.header_converter):
            converter.close()


def record_failure(what: str, error: Exception) -> ConnectException:
    """An error that says which record failed; trying again can help if it can with the original error."""
    kind = RetriableException if isinstance(error, RetriableException) else DataException
    return kind(f"{what}: {type(error).__name__}: {error}")


class RecordFailed(DataException):
    """One of many records cannot be converted or sent; `index` is its place among them."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def convert_column(
    converter: Converter, topic: str, schema: Schema | None, values: Sequence[Any]
) -> list[bytes | None]:
    """What `from_connect_batch` returns. Raises RecordFailed for a value that cannot be converted."""
    try:
        return converter.from_connect_batch(topic, schema, values)
    except RetriableException:
        raise
    except Exception:
        # Which of them it was: one by one.
        for index, value in enumerate(values):
            try:
                converter.from_connect_data(topic, schema, value)
            except Exception as error:
                what = f"Cannot convert a record for topic {topic}"
                raise RecordFailed(index, f"{what}: {type(error).__name__}: {error}") from error
        raise


def reads_headers(converter: Converter) -> bool:
    """Whether a converter may need a message's headers to convert it."""
    return type(converter).to_connect_data_with_headers is not Converter.to_connect_data_with_headers


def expand_schemas(schemas: Schema | list[Schema | None] | None, count: int) -> list[Schema | None]:
    """One schema a record, from what `Converter.to_connect_batch` returns."""
    return schemas if isinstance(schemas, list) else [schemas] * count
