"""BooleanConverter: one byte, 1 or 0 (`org.apache.kafka.connect.converters.BooleanConverter`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectd.errors import DataException
from connectd.schema import Schema, SchemaAndValue, Type
from plugins.converters.base import BuiltinConverter

_BYTES_OF = {None: None, True: b"\x01", False: b"\x00"}
_VALUE_OF = {data: value for value, data in _BYTES_OF.items()}


class BooleanConverter(BuiltinConverter):
    """Bools as one byte. Raises DataException for other values and bytes, and for a schema of another type."""

    JAVA_NAME = "org.apache.kafka.connect.converters.BooleanConverter"

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if schema is not None and schema.type is not Type.BOOLEAN:
            raise DataException(f"Invalid schema type for BooleanConverter: {schema.type}, expected BOOLEAN")
        if value is not None and not isinstance(value, bool):
            raise DataException(
                f"BooleanConverter is not compatible with values of type {type(value).__qualname__}, expected bool"
            )
        return _BYTES_OF[value]

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        return SchemaAndValue(Schema.OPTIONAL_BOOLEAN_SCHEMA, _read(value))

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[Schema, list[Any]]:
        return Schema.OPTIONAL_BOOLEAN_SCHEMA, [_read(value) for value in values]


def _read(value: bytes | None) -> bool | None:
    try:
        return _VALUE_OF[value]
    except KeyError:
        raise DataException(
            f"Failed to deserialize boolean: got {len(value or b'')} bytes, expected one byte that is 1 or 0"
        ) from None
