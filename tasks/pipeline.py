"""The record pipeline of one task: header, key and value converters and the chain of transformations, put together once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectd.converters import Converter, HeaderConverter
from connectd.headers import ConnectHeaders
from connectd.records import SinkRecord, SourceRecord
from connectd.schema import Schema
from connectd.transforms import Predicate, Transformation


@dataclass(frozen=True, slots=True)
class Step:
    """One transformation with the predicate that decides which records it applies to."""

    transformation: Transformation[Any]
    predicate: Predicate[Any] | None = None
    negate: bool = False

    def apply(self, record: Any) -> Any | None:
        """The record after this step; None drops it."""
        if self.predicate is not None and self.predicate.test(record) is self.negate:
            return record
        return self.transformation.apply(record)


@dataclass(frozen=True, slots=True)
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
        """The records that are left after all steps."""
        if not self.steps:
            return list(records)
        transformed = (self.transform(record) for record in records)
        return [record for record in transformed if record is not None]

    def headers_to_kafka(self, record: SourceRecord) -> list[tuple[str, bytes | None]] | None:
        """A source record's headers as bytes; None if it has none."""
        if not record.headers:
            return None
        convert = self.header_converter.from_connect_header
        return [
            (header.key, convert(record.topic, header.key, header.schema, header.value)) for header in record.headers
        ]

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


def expand_schemas(schemas: Schema | list[Schema | None] | None, count: int) -> list[Schema | None]:
    """One schema a record, from what `Converter.to_connect_batch` returns."""
    return schemas if isinstance(schemas, list) else [schemas] * count
