"""ByteArrayConverter: bytes as they are (`org.apache.kafka.connect.converters.ByteArrayConverter`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectd.errors import DataException
from connectd.schema import Schema, SchemaAndValue, Type
from plugins.converters.base import BuiltinConverter

_BYTES_OR_NONE = {bytes, type(None)}


class ByteArrayConverter(BuiltinConverter):
    """Passes bytes through; other kinds of buffers are copied into bytes.

    Raises DataException for any other value and for a schema of another type than BYTES.
    """

    JAVA_NAME = "org.apache.kafka.connect.converters.ByteArrayConverter"

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        _check(schema)
        if value is None or isinstance(value, bytes):
            return value
        if isinstance(value, (bytearray, memoryview)):
            return bytes(value)
        raise DataException(
            f"ByteArrayConverter is not compatible with values of type {type(value).__qualname__}, expected bytes"
        )

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        return SchemaAndValue(Schema.OPTIONAL_BYTES_SCHEMA, value)

    def from_connect_batch(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        _check(schema)
        if set(map(type, values)) <= _BYTES_OR_NONE:
            return values if isinstance(values, list) else list(values)
        return super().from_connect_batch(topic, schema, values)

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[Schema, list[Any]]:
        return Schema.OPTIONAL_BYTES_SCHEMA, values if isinstance(values, list) else list(values)


def _check(schema: Schema | None) -> None:
    if schema is not None and schema.type is not Type.BYTES:
        raise DataException(f"Invalid schema type for ByteArrayConverter: {schema.type}, expected BYTES")
