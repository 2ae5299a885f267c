"""From values to JSON at speed: a function made once for each schema, with msgspec doing the writing.

What is made here writes what is right and refuses the rest, by any exception. `writing` then decides; so nothing here
needs to know what an error is, and the results are the same.
"""

from __future__ import annotations

import base64
import decimal
import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec
import orjson

from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.converters.json.text import decimal_text, double_text, float_text
from plugins.converters.json.writing import LOGICAL_NAMES, ValueWriter

Convert = Callable[[Any], Any]

# Stands where a null is not allowed. msgspec cannot write it, which is the refusal.
_REQUIRED: Final = object()

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_SINGLE = struct.Struct("f")


class Refused(Exception):
    """Not for the fast way."""


def fast_writer(schema: Schema | None, writer: ValueWriter) -> Callable[[Any], bytes]:
    """A function from a value to its JSON; it raises whatever it likes for a value that `writer` should look at.

    The escapes may differ from Jackson's: see `text.with_jackson_escapes`.
    """
    if schema is None:
        return _write_plain
    try:
        convert, null = _element_converter(schema, writer), _null(schema, writer)
    except Exception:
        # A default value that does not fit its schema, a name that msgspec does not write.
        return _refuse
    encode = msgspec.json.Encoder().encode
    return lambda value: encode(null if value is None else convert(value))


def _write_plain(value: Any) -> bytes:
    # orjson refuses keys that are no strings, which saves looking at them.
    return orjson.dumps(_plain_tree(value))


def _plain_tree(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if _INT64_MIN <= value <= _INT64_MAX:
            return value
    elif kind is float:
        # Within this range both write the same: no exponent.
        return value if 0.001 <= value < 1e7 else orjson.Fragment(double_text(value))
    elif kind is dict:
        return {key: each if type(each) is str else _plain_tree(each) for key, each in value.items()}
    elif kind is list:
        return [each if type(each) is str else _plain_tree(each) for each in value]
    elif kind is bytes:
        return base64.b64encode(value).decode("ascii")
    raise Refused


def _null(schema: Schema, writer: ValueWriter) -> Any:
    """What a None is written as."""
    if schema.default_value is not None and writer.replace_null_with_default:
        return _element_converter(schema, writer)(schema.default_value)
    return None if schema.is_optional else _REQUIRED


def _field_converter(schema: Schema, writer: ValueWriter) -> Convert | None:
    """The conversion of a struct's field, None where there is none: what a struct holds has been checked."""
    if schema.name not in LOGICAL_NAMES and schema.type in _WRITTEN_AS_THEY_ARE:
        return None
    return _element_converter(schema, writer)


def _element_converter(schema: Schema, writer: ValueWriter) -> Convert:
    """The conversion of a value that has not been checked before and is not None."""
    if schema.name in LOGICAL_NAMES:
        return _logical_converter(schema, writer)
    match schema.type:
        case Type.STRUCT:
            return _struct_converter(schema, writer)
        case Type.MAP:
            return _map_converter(schema, writer)
        case Type.ARRAY:
            return _array_converter(schema, writer)
        case Type.FLOAT64:
            return _double
        case Type.FLOAT32:
            return _float
    return _check(schema)


def _check(schema: Schema) -> Convert:
    accepts = _CHECKS[schema.type]

    def convert(value: Any) -> Any:
        if accepts(value):
            return value
        raise Refused

    return convert


def _double(value: Any) -> Any:
    if type(value) is not float:
        raise Refused
    return value if 0.001 <= value < 1e7 else msgspec.Raw(double_text(value))


def _float(value: Any) -> Any:
    if type(value) is not float:
        raise Refused
    single = _SINGLE.unpack(_SINGLE.pack(value))[0]
    if 0.001 <= single < 999_999:
        # A number of up to six digits is the only one of that length near a 32 bit float, and so the shortest.
        short = float(f"{single:.6g}")
        if _SINGLE.unpack(_SINGLE.pack(short))[0] == single:
            return short
    return msgspec.Raw(float_text(value))


def _logical_converter(schema: Schema, writer: ValueWriter) -> Convert:
    match schema.name:
        case Decimal.LOGICAL_NAME if writer.numeric_decimals:
            return _decimal_number
        case Decimal.LOGICAL_NAME:
            return lambda value: Decimal.from_logical(schema, value)
        case Date.LOGICAL_NAME:
            return lambda value: Date.from_logical(schema, value)
        case Time.LOGICAL_NAME:
            return lambda value: Time.from_logical(schema, value)
    return lambda value: Timestamp.from_logical(schema, value)


def _decimal_number(value: Any) -> msgspec.Raw:
    if not isinstance(value, decimal.Decimal) or not value.is_finite():
        raise Refused
    return msgspec.Raw(decimal_text(value))


def _array_converter(schema: Schema, writer: ValueWriter) -> Convert:
    if schema.value_schema is None:
        return _refuse
    convert, null = _element_converter(schema.value_schema, writer), _null(schema.value_schema, writer)

    def convert_array(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Refused
        return [null if each is None else convert(each) for each in value]

    return convert_array


def _map_converter(schema: Schema, writer: ValueWriter) -> Convert:
    if schema.key_schema is None or schema.value_schema is None or schema.key_schema.name in LOGICAL_NAMES:
        return _refuse
    key_convert, key_null = _element_converter(schema.key_schema, writer), _null(schema.key_schema, writer)
    convert, null = _element_converter(schema.value_schema, writer), _null(schema.value_schema, writer)

    def convert_object(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Refused
        return {key_convert(key): null if each is None else convert(each) for key, each in value.items()}

    def convert_tuples(value: Any) -> list[tuple[Any, Any]]:
        if type(value) is not dict:
            raise Refused
        return [
            (key_null if key is None else key_convert(key), null if each is None else convert(each))
            for key, each in value.items()
        ]

    return convert_object if schema.key_schema.type is Type.STRING else convert_tuples


def _struct_converter(schema: Schema, writer: ValueWriter) -> Convert:
    fields = schema.fields
    row = msgspec.defstruct(
        "Row",
        [(f"f{field.index}", Any) for field in fields],
        rename={f"f{field.index}": field.name for field in fields},
        gc=False,
    )
    converters = [
        (field.index, convert) for field in fields if (convert := _field_converter(field.schema, writer)) is not None
    ]
    nulls = [_null(field.schema, writer) for field in fields]

    def convert_struct(value: Any) -> Any:
        if type(value) is not Struct or (value.schema is not schema and value.schema != schema):
            raise Refused
        values = value.field_values
        if converters:
            values = values.copy()
            for index, convert in converters:
                if (each := values[index]) is not None:
                    values[index] = convert(each)
        if None in values:
            values = [null if each is None else each for each, null in zip(values, nulls, strict=True)]
        return row(*values)

    return convert_struct


def _refuse(value: Any) -> Any:
    raise Refused


def _int_check(bits: int) -> Callable[[Any], bool]:
    lowest, highest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return lambda value: type(value) is int and lowest <= value <= highest


_CHECKS: Final[dict[Type, Callable[[Any], bool]]] = {
    Type.INT8: _int_check(8),
    Type.INT16: _int_check(16),
    Type.INT32: _int_check(32),
    Type.INT64: _int_check(64),
    Type.BOOLEAN: lambda value: type(value) is bool,
    Type.STRING: lambda value: type(value) is str,
    # msgspec writes bytes as base64.
    Type.BYTES: lambda value: type(value) is bytes,
}
_WRITTEN_AS_THEY_ARE: Final = frozenset(_CHECKS)
