"""From values to JSON text: the rules of `JsonConverter.convertToJson`, one value at a time.

This is the writer that decides what is right and what is an error; `fast_writing` is for speed and falls back on it.
"""

from __future__ import annotations

import base64
import datetime
import decimal
from typing import Any, Final

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type, schema_type_of, value_fits
from connectd.struct import Struct
from plugins.converters.json.text import decimal_text, double_text, float_text, quote


class ValueWriter:
    """Writes values by their schema, or without one by their type.

    `replace_null_with_default`: a None whose schema has a default value is written as that value.
    `numeric_decimals`: decimals are numbers, otherwise base64 of their unscaled value.
    """

    def __init__(self, replace_null_with_default: bool = True, numeric_decimals: bool = False) -> None:
        self.replace_null_with_default = replace_null_with_default
        self.numeric_decimals = numeric_decimals

    def write(self, schema: Schema | None, value: Any) -> str:
        """The JSON text of `value`. Raises DataException when it does not fit `schema`, or has no type."""
        if value is None:
            return self._write_null(schema)
        if schema is None:
            return self._write_by_type(value)
        if schema.name in LOGICAL_NAMES:
            return self._write_logical(schema, value)
        if not value_fits(schema, value):
            raise _invalid_type(schema.type, value)
        return self._write_type(schema.type, schema, value)

    def _write_null(self, schema: Schema | None) -> str:
        if schema is None:
            return "null"
        if schema.default_value is not None and self.replace_null_with_default:
            return self.write(schema, schema.default_value)
        if schema.is_optional:
            return "null"
        raise DataException("Conversion error: null value for field that is required and has no default value")

    def _write_by_type(self, value: Any) -> str:
        type = schema_type_of(value)
        if type is None:
            raise DataException(f"Values of type {value.__class__.__qualname__} need a schema, or are out of range")
        if type is Type.STRUCT:
            raise DataException("Mismatching schema: a struct needs its own.")
        return self._write_type(type, None, value)

    def _write_logical(self, schema: Schema, value: Any) -> str:
        match schema.name:
            case Decimal.LOGICAL_NAME if isinstance(value, decimal.Decimal):
                return self._write_decimal(schema, value)
            case Date.LOGICAL_NAME if isinstance(value, datetime.date):
                return str(Date.from_logical(schema, value))
            case Time.LOGICAL_NAME if isinstance(value, datetime.time):
                return str(Time.from_logical(schema, value))
            case Timestamp.LOGICAL_NAME if isinstance(value, datetime.datetime):
                return str(Timestamp.from_logical(schema, value))
        raise _invalid_type((schema.name or "").rpartition(".")[2], value)

    def _write_decimal(self, schema: Schema, value: decimal.Decimal) -> str:
        if not self.numeric_decimals:
            return _bytes_text(Decimal.from_logical(schema, value))
        if not value.is_finite():
            raise DataException(f"Decimal value {value} cannot be represented, expected a finite number")
        return decimal_text(value)

    def _write_type(self, type: Type, schema: Schema | None, value: Any) -> str:
        match type:
            case Type.STRUCT:
                return self._write_struct(schema, value)
            case Type.MAP:
                return self._write_map(schema, value)
            case Type.ARRAY:
                element_schema = None if schema is None else schema.value_schema
                return f"[{','.join(self.write(element_schema, element) for element in value)}]"
            case Type.STRING:
                return quote(value)
            case Type.BYTES:
                return _bytes_text(value)
            case Type.BOOLEAN:
                return "true" if value else "false"
            case Type.FLOAT32:
                return float_text(value)
            case Type.FLOAT64:
                return double_text(value)
            case _:
                return str(int(value))

    def _write_map(self, schema: Schema | None, value: dict[Any, Any]) -> str:
        key_schema, value_schema = (None, None) if schema is None else (schema.key_schema, schema.value_schema)
        if schema is None:
            is_object = all(isinstance(key, str) for key in value)
        else:
            is_object = key_schema is not None and key_schema.type is Type.STRING
        entries = [(self.write(key_schema, key), self.write(value_schema, each)) for key, each in value.items()]
        if not is_object:
            return f"[{','.join(f'[{key},{each}]' for key, each in entries)}]"
        # A None as key is written as "null", and a string of that text is then the same key.
        members = {key if key.startswith('"') else f'"{key}"': each for key, each in entries}
        return _object_text(members)

    def _write_struct(self, schema: Schema | None, value: Struct) -> str:
        if value.schema != schema:
            raise DataException("Mismatching schema: a struct must have the schema that it is written with.")
        members = {}
        for field, each in zip(value.schema.fields, value.field_values, strict=True):
            try:
                members[quote(field.name)] = self.write(field.schema, each)
            except DataException as error:
                raise DataException(f"{field.name}: {error}") from error.__cause__
        return _object_text(members)


LOGICAL_NAMES: Final = frozenset(
    (Decimal.LOGICAL_NAME, Date.LOGICAL_NAME, Time.LOGICAL_NAME, Timestamp.LOGICAL_NAME),
)


def _object_text(members: dict[str, str]) -> str:
    return f"{{{','.join(f'{name}:{text}' for name, text in members.items())}}}"


def _bytes_text(value: bytes | bytearray | memoryview) -> str:
    return f'"{base64.b64encode(value).decode("ascii")}"'


def _invalid_type(expected: Any, value: Any) -> DataException:
    return DataException(f"Invalid type for {expected}: {type(value).__qualname__}, or out of its range")
