"""The common part of the converters of numbers, which write them in big-endian form (`NumberConverter`)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, ClassVar

from connectd.errors import DataException
from connectd.schema import Schema, SchemaAndValue, value_fits
from plugins.converters.base import BuiltinConverter


class NumberConverter(BuiltinConverter):
    """Numbers of one type, which the class attributes tell. As in Java, the schema of a value to write does not matter.

    Raises DataException for a value of another type or out of range, and for bytes of another length.
    """

    TYPE_NAME: ClassVar[str]
    SCHEMA: ClassVar[Schema]
    FORM: ClassVar[struct.Struct]

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if value is None:
            return None
        if not value_fits(self.SCHEMA, value):
            raise DataException(
                f"Failed to serialize to {self.TYPE_NAME}: {_shown(value)} is no {self.SCHEMA.type} number"
            )
        return self.FORM.pack(value)

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        return SchemaAndValue(self.SCHEMA, None if value is None else self._read(value))

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[Schema, list[Any]]:
        read = self._read
        return self.SCHEMA, [None if value is None else read(value) for value in values]

    def _read(self, value: bytes) -> Any:
        try:
            return self.FORM.unpack(value)[0]
        except struct.error:
            raise DataException(
                f"Failed to deserialize {self.TYPE_NAME}: got {len(value)} bytes, expected {self.FORM.size}"
            ) from None


def _shown(value: Any) -> str:
    # Only numbers are shown: what is wrong with one is its size. Other data stays out of the logs.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{type(value).__qualname__} {value}" if is_number else type(value).__qualname__
