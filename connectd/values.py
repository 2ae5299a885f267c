"""Values: conversion of a value to another type, to text, and from text, as `org.apache.kafka.connect.data.Values`."""

from __future__ import annotations

import base64
import datetime
import decimal
import reprlib
from collections.abc import Callable, Iterable
from typing import Any

from connectd import valueparser
from connectd.errors import DataException
from connectd.javanumbers import (
    double_to_string,
    float_to_string,
    parse_decimal,
    to_double,
    to_float32,
    to_long,
    wrap,
)
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaAndValue, SchemaBuilder, Type, schema_type_of
from connectd.struct import Struct

_SCHEMA_OF_TYPE = {type: Schema(type) for type in (Type.STRING, Type.BOOLEAN, Type.INT64, Type.FLOAT64, Type.BYTES)}


class Values:
    """Conversions that look at the value itself, for when a value may have come in another form than wanted.

    `schema` is the schema of the given value, or None; it matters for logical types and for 32 bit floats. All methods
    raise DataException when the value cannot be converted. Numbers are narrowed as Java casts them: an integer type
    keeps the lowest bits, a fraction is cut off.
    """

    @staticmethod
    def convert_to_boolean(schema: Schema | None, value: Any) -> bool | None:
        """A bool; numbers other than 0 are true, text is parsed. None stays None."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            parsed = Values.parse_string(value).value
            if isinstance(parsed, bool):
                return parsed
        return _as_long(schema, value) != 0

    @staticmethod
    def convert_to_byte(schema: Schema | None, value: Any) -> int | None:
        """An INT8. None stays None."""
        return None if value is None else wrap(_as_long(schema, value), 8)

    @staticmethod
    def convert_to_short(schema: Schema | None, value: Any) -> int | None:
        """An INT16. None stays None."""
        return None if value is None else wrap(_as_long(schema, value), 16)

    @staticmethod
    def convert_to_integer(schema: Schema | None, value: Any) -> int | None:
        """An INT32. None stays None."""
        return None if value is None else wrap(_as_long(schema, value), 32)

    @staticmethod
    def convert_to_long(schema: Schema | None, value: Any) -> int | None:
        """An INT64. None stays None."""
        return None if value is None else _as_long(schema, value)

    @staticmethod
    def convert_to_float(schema: Schema | None, value: Any) -> float | None:
        """A FLOAT32, rounded to 32 bits. None stays None."""
        return None if value is None else to_float32(_as_double(schema, value))

    @staticmethod
    def convert_to_double(schema: Schema | None, value: Any) -> float | None:
        """A FLOAT64. None stays None."""
        return None if value is None else _as_double(schema, value)

    @staticmethod
    def convert_to_string(schema: Schema | None, value: Any) -> str | None:
        """Text that `parse_string` understands: JSON-like lists, maps and structs, ISO 8601 in UTC, bytes as base64.

        Floats are written as Java's Double.toString does; those that the schema says are FLOAT32, also within lists,
        maps and structs, as Float.toString does. None stays None.
        """
        return None if value is None else _text(schema, value, embedded=False)

    @staticmethod
    def convert_to_list(schema: Schema | None, value: Any) -> list[Any]:
        """A list as it is, or parsed from text."""
        parsed = _parsed(_required(value))
        if not isinstance(parsed, list):
            raise _unable(value, "a list")
        return parsed

    @staticmethod
    def convert_to_map(schema: Schema | None, value: Any) -> dict[Any, Any]:
        """A dict as it is, or parsed from text."""
        parsed = _parsed(_required(value))
        if not isinstance(parsed, dict):
            raise _unable(value, "a map")
        return parsed

    @staticmethod
    def convert_to_struct(schema: Schema | None, value: Any) -> Struct:
        """A struct as it is; nothing else can become one."""
        if not isinstance(_required(value), Struct):
            raise _unable(value, "a struct")
        return value  # type: ignore[no-any-return]

    @staticmethod
    def convert_to_date(schema: Schema | None, value: Any) -> datetime.date:
        """A date: the day of a timestamp in UTC, a number of days since 1970-01-01, or parsed from text."""
        parsed = _parsed(_required(value))
        if isinstance(parsed, datetime.datetime):
            return _utc(parsed).date()
        if isinstance(parsed, datetime.date):
            return parsed
        return Date.to_logical(Date.SCHEMA, wrap(_as_long(None, parsed), 32))

    @staticmethod
    def convert_to_time(schema: Schema | None, value: Any) -> datetime.time:
        """A time: that of a timestamp in UTC, a number of milliseconds since midnight, or parsed from text."""
        parsed = _parsed(_required(value))
        if isinstance(parsed, datetime.datetime):
            return _utc(parsed).time()
        if isinstance(parsed, datetime.time):
            return parsed
        return Time.to_logical(Time.SCHEMA, wrap(_as_long(None, parsed), 32))

    @staticmethod
    def convert_to_timestamp(schema: Schema | None, value: Any) -> datetime.datetime:
        """A timestamp: midnight of a date, a time on 1970-01-01, ms since the epoch, or parsed from text."""
        parsed = _parsed(_required(value))
        if isinstance(parsed, datetime.datetime):
            return parsed
        if isinstance(parsed, datetime.date):
            return datetime.datetime.combine(parsed, datetime.time(), datetime.UTC)
        if isinstance(parsed, datetime.time):
            return datetime.datetime.combine(datetime.date(1970, 1, 1), parsed, datetime.UTC)
        return Timestamp.to_logical(Timestamp.SCHEMA, _as_long(None, parsed))

    @staticmethod
    def convert_to_decimal(schema: Schema | None, value: Any, scale: int) -> decimal.Decimal:
        """A decimal; only bytes are taken to have that scale. Numbers go through a 64 bit float, so 5 becomes 5.0."""
        return _to_decimal(Decimal.schema(scale), _required(value))

    @staticmethod
    def infer_schema(value: Any) -> Schema | None:
        """A schema for a value without one, or None; ints are INT64, floats FLOAT64.

        As in Java, None for values of logical types, and nothing is known of what is within nested lists and maps.
        """
        if isinstance(value, Struct):
            return value.schema
        if isinstance(value, list):
            elements = _common_bare_schema(value)
            return None if elements is None else SchemaBuilder.array(elements).build()
        if isinstance(value, dict):
            keys, values = _common_bare_schema(value.keys()), _common_bare_schema(value.values())
            return None if keys is None or values is None else SchemaBuilder.map(keys, values).build()
        type = schema_type_of(value)
        return None if type is None else _SCHEMA_OF_TYPE[type]

    @staticmethod
    def parse_string(value: str | None) -> SchemaAndValue:
        """The schema and value that a text most likely stands for; never raises, what is nothing else is a STRING.

        `null` has no schema. Numbers get the smallest type; `true`, `[1, 2]`, `{"a": 1}`, `2024-02-29`,
        `12:30:00.000Z` and `2024-02-29T12:30:00.000Z` are what they look like.
        """
        if value is None:
            return SchemaAndValue.NULL
        if not value:
            return SchemaAndValue(Schema.STRING_SCHEMA, value)
        return valueparser.parse(value, _convert_to)


def _convert_to(schema: Schema, value: Any) -> Any:
    """An element of a parsed list or map as a value of the schema that all elements share."""
    convert = _TO_LOGICAL.get(schema.name or "") or _TO_TYPE[schema.type]
    return convert(None, _required(value))


_TO_TYPE: dict[Type, Callable[[Schema | None, Any], Any]] = {
    Type.STRING: Values.convert_to_string,
    Type.BOOLEAN: Values.convert_to_boolean,
    Type.INT8: Values.convert_to_byte,
    Type.INT16: Values.convert_to_short,
    Type.INT32: Values.convert_to_integer,
    Type.INT64: Values.convert_to_long,
    Type.FLOAT32: Values.convert_to_float,
    Type.FLOAT64: Values.convert_to_double,
    Type.ARRAY: Values.convert_to_list,
    Type.MAP: Values.convert_to_map,
}

_TO_LOGICAL: dict[str, Callable[[Schema | None, Any], Any]] = {
    # Only decimals share a schema with decimals.
    Decimal.LOGICAL_NAME: lambda _, value: value,
    Date.LOGICAL_NAME: Values.convert_to_date,
    Time.LOGICAL_NAME: Values.convert_to_time,
    Timestamp.LOGICAL_NAME: Values.convert_to_timestamp,
}

_FROM_LOGICAL: dict[str, tuple[type, Callable[[Schema, Any], int]]] = {
    Date.LOGICAL_NAME: (datetime.date, Date.from_logical),
    Time.LOGICAL_NAME: (datetime.time, Time.from_logical),
    Timestamp.LOGICAL_NAME: (datetime.datetime, Timestamp.from_logical),
}


def _as_long(schema: Schema | None, value: Any) -> int:
    try:
        if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool):
            return to_long(value)
        if isinstance(value, str):
            return to_long(parse_decimal(value))
    except ValueError as error:
        raise _unable(value, "a number") from error
    expected, from_logical = _FROM_LOGICAL.get(schema.name or "", (None, None)) if schema else (None, None)
    if schema is None or expected is None or from_logical is None or not isinstance(value, expected):
        raise _unable(value, "a number")
    return from_logical(schema, value)


def _as_double(schema: Schema | None, value: Any) -> float:
    if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool):
        return to_double(value)
    if isinstance(value, str):
        try:
            return to_double(parse_decimal(value))
        except ValueError as error:
            raise _unable(value, "a number") from error
    return float(_as_long(schema, value))


def _to_decimal(schema: Schema, value: Any) -> decimal.Decimal:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Decimal.to_logical(schema, value)
    if isinstance(value, decimal.Decimal):
        return value
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return parse_decimal(double_to_string(to_double(value)))
        if isinstance(value, str):
            return parse_decimal(value)
    except ValueError as error:
        raise _unable(value, "a decimal") from error
    raise _unable(value, "a decimal")


def _required(value: Any) -> Any:
    if value is None:
        raise DataException("Unable to convert a null value to a schema that requires a value")
    return value


def _parsed(value: Any) -> Any:
    return Values.parse_string(value).value if isinstance(value, str) else value


def _utc(value: datetime.datetime) -> datetime.datetime:
    return value if value.tzinfo is None else value.astimezone(datetime.UTC)


def _unable(value: Any, wanted: str) -> DataException:
    return DataException(f"Unable to convert {reprlib.repr(value)} ({type(value).__qualname__}) to {wanted}")


def _common_bare_schema(values: Iterable[Any]) -> Schema | None:
    """A schema of the type that all values have, optional when some are None; None when they have no common type."""
    types = set()
    is_optional = False
    for value in values:
        if value is None:
            is_optional = True
        else:
            schema = Values.infer_schema(value)
            types.add(None if schema is None else schema.type)
    common = types.pop() if len(types) == 1 else None
    return None if common is None else Schema(common, is_optional)


def _text(schema: Schema | None, value: Any, embedded: bool) -> str:
    if value is None:
        return "null"
    writer = next((write for kind, write in _WRITERS if isinstance(value, kind)), None)
    if writer is not None:
        return writer(schema, value)
    if isinstance(value, str):
        return f'"{_escaped(value)}"' if embedded else value
    if isinstance(value, (bytes, bytearray, memoryview)):
        encoded = base64.b64encode(value).decode("ascii")
        return f'"{encoded}"' if embedded else encoded
    raise DataException(f"Failed to serialize unexpected value type {type(value).__qualname__}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _bool_text(_: Schema | None, value: bool) -> str:
    return "true" if value else "false"


def _float_text(schema: Schema | None, value: float) -> str:
    if schema is not None and schema.type is Type.FLOAT32:
        return float_to_string(to_float32(value))
    return double_to_string(value)


def _list_text(schema: Schema | None, value: list[Any]) -> str:
    elements = schema.value_schema if schema is not None and schema.type is Type.ARRAY else None
    return f"[{','.join(_text(elements, element, embedded=True) for element in value)}]"


def _map_text(schema: Schema | None, value: dict[Any, Any]) -> str:
    keys, values = (schema.key_schema, schema.value_schema) if schema and schema.type is Type.MAP else (None, None)
    entries = (f"{_text(keys, key, True)}:{_text(values, element, True)}" for key, element in value.items())
    return f"{{{','.join(entries)}}}"


def _struct_text(_: Schema | None, value: Struct) -> str:
    fields = (
        f"{_text(None, each.name, True)}:{_text(each.schema, value.get(each), True)}" for each in value.schema.fields
    )
    return f"{{{','.join(fields)}}}"


def _timestamp_text(_: Schema | None, value: datetime.datetime) -> str:
    # Java knows no other type than the instant, and writes one at midnight as a date.
    value = _utc(value)
    if value.time() == datetime.time():
        return value.date().isoformat()
    return f"{value.date().isoformat()}T{_time_text(None, value.time())}"


def _time_text(_: Schema | None, value: datetime.time) -> str:
    return f"{value.isoformat('milliseconds')}Z"


_WRITERS: tuple[tuple[type, Callable[[Schema | None, Any], str]], ...] = (
    (bool, _bool_text),
    (int, lambda _, value: str(int(value))),
    (float, _float_text),
    (decimal.Decimal, lambda _, value: str(value)),
    (list, _list_text),
    (dict, _map_text),
    (Struct, _struct_text),
    (datetime.datetime, _timestamp_text),
    (datetime.date, lambda _, value: value.isoformat()),
    (datetime.time, _time_text),
)
