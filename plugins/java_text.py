"""Values as text, as Java's `String.valueOf` writes them: what `println` puts into a file and StringConverter into a topic."""

from __future__ import annotations

import base64
import datetime
import decimal
from typing import Any, Final

from connectd.javanumbers import double_to_string, float_to_string, to_float32
from connectd.schema import Field, Schema, Type
from connectd.struct import Struct

_EPOCH_DAY: Final = datetime.date(1970, 1, 1)


def to_text(value: Any, schema: Schema | None = None) -> str:
    """The text of `value`; `schema`, where there is one, tells 32 bit floats from 64 bit ones.

    Dates, times and timestamps look like those of `java.util.Date` in a JVM that runs in UTC: they have no milliseconds.
    Bytes, for which Java prints an address in memory, are written as base64.
    """
    match value:
        case None:
            return "null"
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | decimal.Decimal():
            return str(value)
        case float():
            is_single = schema is not None and schema.type is Type.FLOAT32
            return float_to_string(to_float32(value)) if is_single else double_to_string(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode("ascii")
        case list() | tuple():
            element = schema.value_schema if schema is not None and schema.type is Type.ARRAY else None
            return f"[{', '.join(to_text(each, element) for each in value)}]"
        case dict():
            return _map_text(value, schema)
        case Struct():
            fields = ((field, value.get_without_default(field)) for field in value.schema.fields)
            return f"Struct{{{','.join(_field_text(field, each) for field, each in fields if each is not None)}}}"
        case datetime.date() | datetime.time():  # a datetime is a date
            return _date_text(value)
        case _:
            return str(value)


def _map_text(value: dict[Any, Any], schema: Schema | None) -> str:
    is_map = schema is not None and schema.type is Type.MAP
    key_schema, value_schema = (schema.key_schema, schema.value_schema) if schema and is_map else (None, None)
    entries = (f"{to_text(key, key_schema)}={to_text(each, value_schema)}" for key, each in value.items())
    return f"{{{', '.join(entries)}}}"


def _field_text(field: Field, value: Any) -> str:
    return f"{field.name}={to_text(value, field.schema)}"


def _date_text(value: datetime.date | datetime.time) -> str:
    match value:
        case datetime.datetime():
            moment = value.astimezone(datetime.UTC)
        case datetime.date():
            moment = datetime.datetime.combine(value, datetime.time())
        case _:
            moment = datetime.datetime.combine(_EPOCH_DAY, value)
    # ctime() names days and months in English whatever the locale, but pads the day with a space.
    names = moment.ctime()[:7]
    return f"{names} {moment.day:02} {moment:%H:%M:%S} UTC {moment.year}"
