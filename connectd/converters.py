"""Converters: between the bytes in Kafka and the values that connectors see (`org.apache.kafka.connect.storage.Converter`)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from connectd.components import Configurable
from connectd.headers import Headers
from connectd.schema import Schema, SchemaAndValue


class Converter(Configurable):
    """Converts keys or values. One instance serves one task, for keys or for values.

    Errors are raised as DataException. The `_batch` forms exist for speed: their results must equal the single form's.
    """

    def configure(self, configs: Mapping[str, Any], is_key: bool = False) -> None:
        """Called once; `configs` are the keys under `key.converter.` or `value.converter.`, with the prefix taken off."""

    @abstractmethod
    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        """The bytes to write to `topic`; None writes a null."""

    @abstractmethod
    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        """The schema and value of bytes read from `topic`."""

    def from_connect_data_with_headers(
        self, topic: str, headers: Headers, schema: Schema | None, value: Any
    ) -> bytes | None:
        """As `from_connect_data`, for converters that read or write headers."""
        return self.from_connect_data(topic, schema, value)

    def to_connect_data_with_headers(self, topic: str, headers: Headers, value: bytes | None) -> SchemaAndValue:
        """As `to_connect_data`, for converters that read headers."""
        return self.to_connect_data(topic, value)

    def from_connect_batch(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        """The bytes of many values of one schema."""
        convert = self.from_connect_data
        return [convert(topic, schema, value) for value in values]

    def to_connect_batch(
        self, topic: str, values: Sequence[bytes | None]
    ) -> tuple[Schema | list[Schema | None] | None, list[Any]]:
        """The values of many messages of one topic, with one schema if all share it, else a list with one for each."""
        convert = self.to_connect_data
        converted = [convert(topic, value) for value in values]
        return [each.schema for each in converted], [each.value for each in converted]


class HeaderConverter(Configurable):
    """Converts header values (`org.apache.kafka.connect.storage.HeaderConverter`)."""

    @abstractmethod
    def to_connect_header(self, topic: str, header_key: str, value: bytes | None) -> SchemaAndValue:
        """The schema and value of a header's bytes."""

    @abstractmethod
    def from_connect_header(self, topic: str, header_key: str, schema: Schema | None, value: Any) -> bytes | None:
        """The bytes of a header's value."""
