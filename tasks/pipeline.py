"""The record pipeline of one task: converters, transformations and what happens to records that fail, put together once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connectd.converters import Converter, HeaderConverter
from connectd.headers import ConnectHeaders
from connectd.records import SourceRecord
from connectd.schema import Schema
from tasks.chain import Chain, Step
from tasks.errors import ProcessingContext, RetryWithToleranceOperator, Stage

Header = tuple[str, bytes | None]
Produced = tuple[bytes | None, bytes | None, list[Header] | None]
MakeContext = Callable[[int], ProcessingContext]


@dataclass(frozen=True)
class Pipeline:
    """What runs between connector and Kafka. Empty `steps` cost nothing, and so do `errors` until there is one."""

    key_converter: Converter
    value_converter: Converter
    header_converter: HeaderConverter
    steps: Sequence[Step] = ()
    errors: RetryWithToleranceOperator = field(default_factory=RetryWithToleranceOperator.plain)

    @cached_property
    def chain(self) -> Chain:
        """The steps as far as they work on columns."""
        return Chain(self.steps)

    def transform(self, context: ProcessingContext, record: Any, first: int = 0) -> Any | None:
        """One record after the steps from `first` on, by way of the operator; None if dropped, or failed and tolerated."""
        for step in self.steps[first:]:
            record = self.errors.execute(context, Stage.TRANSFORMATION, type(step.transformation), step.apply, record)
            if record is None:
                return None
        return record

    def transform_all(
        self, records: Sequence[Any], context: MakeContext, left: list[Any | None], first: int = 0
    ) -> dict[int, ProcessingContext]:
        """Append to `left` for each record what is left of it after the steps from `first` on, None for nothing.

        Returns the contexts of those that failed and are tolerated. `context` makes that of the record at an index, and is
        called only for what fails at first. Raises for one that is not tolerated; `left` then has those before it.
        """
        failed: dict[int, ProcessingContext] = {}
        applies = [step.apply for step in self.steps[first:]]
        while len(left) < len(records):
            number, current = 0, None
            try:
                for current in records[len(left) :] if left else records:
                    for number, apply in enumerate(applies):  # noqa: B007  # told where it stopped
                        current = apply(current)
                        if current is None:
                            break
                    left.append(current)
            except Exception:
                # From the step that failed on: those before it are done.
                trouble = context(len(left))
                current = self.transform(trouble, current, first + number)
                if trouble.failed:
                    failed[len(left)] = trouble
                left.append(current)
        return failed

    def to_kafka(self, context: ProcessingContext, record: SourceRecord) -> Produced | None:
        """Key, value and headers of a source record as bytes; None for the headers of one that has none.

        None, with `context.failed`, if it cannot be converted and that is tolerated.
        """
        topic, execute = record.topic, self.errors.execute
        key_converter, value_converter = self.key_converter, self.value_converter
        has_headers = bool(record.headers) or self.writes_headers
        key = execute(
            context,
            Stage.KEY_CONVERTER,
            type(key_converter),
            key_converter.from_connect_data_with_headers,
            topic,
            record.headers,
            record.key_schema,
            record.key,
        )
        value = execute(
            context,
            Stage.VALUE_CONVERTER,
            type(value_converter),
            value_converter.from_connect_data_with_headers,
            topic,
            record.headers,
            record.value_schema,
            record.value,
        )
        # Last, for the converters above may write headers.
        headers = (
            execute(context, Stage.HEADER_CONVERTER, type(self.header_converter), self._headers_to_kafka, record)
            if has_headers
            else None
        )
        return None if context.failed else (key, value, headers or None)

    def _headers_to_kafka(self, record: SourceRecord) -> list[Header]:
        convert = self.header_converter.from_connect_header
        return [(each.key, convert(record.topic, each.key, each.schema, each.value)) for each in record.headers]

    @cached_property
    def writes_headers(self) -> bool:
        """Whether a converter may add headers to the record that it converts."""
        plain = Converter.from_connect_data_with_headers
        return any(
            type(each).from_connect_data_with_headers is not plain
            for each in (self.key_converter, self.value_converter)
        )

    def headers_to_connect(self, topic: str, headers: Any) -> ConnectHeaders:
        """The headers of a message, pairs of name and bytes or None, as a sink sees them."""
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


def reads_headers(converter: Converter) -> bool:
    """Whether a converter may need a message's headers to convert it."""
    return type(converter).to_connect_data_with_headers is not Converter.to_connect_data_with_headers


def expand_schemas(schemas: Schema | list[Schema | None] | None, count: int) -> list[Schema | None]:
    """One schema a record, from what `Converter.to_connect_batch` returns."""
    return schemas if isinstance(schemas, list) else [schemas] * count


def runs(topics: Sequence[str]) -> list[tuple[str, int, int]]:
    """Runs of equal neighbours as (topic, start, end)."""
    found: list[tuple[str, int, int]] = []
    start = 0
    for index in range(1, len(topics) + 1):
        if index == len(topics) or topics[index] != topics[start]:
            found.append((topics[start], start, index))
            start = index
    return found
