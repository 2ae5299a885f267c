"""Converters and transformations made for tests of the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from connectd.errors import RetriableException
from connectd.headers import Headers
from connectd.schema import Schema, SchemaAndValue
from connectd.transforms import Transformation
from plugins.converters.string import StringConverter


class MoodyConverter(StringConverter):
    """Texts, but for the first `refusals` calls, which may be tried again, and for `poison`, which never can be converted."""

    def __init__(self, refusals: int = 0, poison: str | None = None) -> None:
        super().__init__()
        self.refusals = refusals
        self.poison = poison

    def _check(self, value: Any) -> None:
        if self.refusals:
            self.refusals -= 1
            raise RetriableException("the schema registry is away")
        if value is not None and value in (self.poison, (self.poison or "").encode()):
            raise ValueError("this is poison")

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        self._check(value)
        return super().from_connect_data(topic, schema, value)

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        self._check(value)
        return super().to_connect_data(topic, value)

    def from_connect_batch(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return [self.from_connect_data(topic, schema, value) for value in values]

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[Any, list[Any]]:
        converted = [self.to_connect_data(topic, value) for value in values]
        return [each.schema for each in converted], [each.value for each in converted]


class HeaderConverting(StringConverter):
    """Writes what it converted into a header, and reads it from there."""

    def from_connect_data_with_headers(
        self, topic: str, headers: Headers, schema: Schema | None, value: Any
    ) -> bytes | None:
        headers.add("original", value, None)
        return b"see header"

    def to_connect_data_with_headers(self, topic: str, headers: Headers, value: bytes | None) -> SchemaAndValue:
        header = headers.last_with_name("original")
        return SchemaAndValue(None, None if header is None else header.value)


class NullWritingConverter(StringConverter):
    """Has bytes even for null."""

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        return b"null" if value is None else super().from_connect_data(topic, schema, value)

    def from_connect_batch(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return [self.from_connect_data(topic, schema, value) for value in values]


class Applying(Transformation[Any]):
    """Applies a function to each record."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.applied = 0

    def apply(self, record: Any) -> Any:
        self.applied += 1
        return self.function(record)
