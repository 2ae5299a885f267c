"""From values to JSON at speed: a function made once for each schema, with msgspec doing the writing.

What is made here writes what is right and refuses the rest, by any exception. `writing` then decides; so nothing here
needs to know what an error is, and the results are the same.
"""

from __future__ import annotations

import datetime
import decimal
import struct
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import msgspec

from connectd.logical import Date, Decimal, Time
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.converters.json.text import decimal_text, double_text, float_text
from plugins.converters.json.writing import LOGICAL_NAMES, ValueWriter

Convert = Callable[[Any], Any]

# Stands where a null is not allowed. msgspec cannot write it, which is the refusal.
_REQUIRED: Final = object()

_WRITTEN_ALIKE: Final = frozenset((str, bool, bytes, type(None)))
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
# Between these Java writes no exponent, as others do.
_PLAIN_FROM, _PLAIN_TO = 0.001, 1e7
_SINGLE = struct.Struct("f")
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ONE_MS: Final = datetime.timedelta(milliseconds=1)


class Refused(Exception):
    """Not for the fast way."""


class FastWriter(NamedTuple):
    """`encode(convert(value))` is the JSON of a value; either raises what it likes for one that `writing` should look at.

    The escapes may differ from Jackson's: see `text.with_jackson_escapes`.
    """

    convert: Convert
    encode: Callable[[Any], bytes]


def fast_writer(schema: Schema | None, writer: ValueWriter) -> FastWriter:
    """The fast way to write values of `schema` as `writer` does."""
    # Not orjson: it shrinks a buffer of a kilobyte for each result, which takes longer than to write a short one.
    encode = msgspec.json.Encoder().encode
    if schema is None:
        # A None alone is no JSON at all.
        return FastWriter(lambda value: _REQUIRED if value is None else _plain_tree(value), encode)
    try:
        convert = _converter(schema, writer)
    except Exception:
        # A default value that does not fit its schema, a name that msgspec does not write.
        convert = _refuse
    return FastWriter(convert, encode)


def _plain_tree(value: Any) -> Any:
    """The value itself where msgspec writes it as Java does, otherwise what is to be written instead."""
    kind = type(value)
    if kind is dict:
        "".join(value)  # A quick look whether all keys are strings; msgspec would take others.
        return value if _is_plain(value.values()) else {key: _plain_tree(each) for key, each in value.items()}
    if kind is list:
        return value if _is_plain(value) else [_plain_tree(each) for each in value]
    if kind in _WRITTEN_ALIKE or (kind is int and _INT64_MIN <= value <= _INT64_MAX):
        return value
    if kind is float:
        return _double(value)
    raise Refused


def _is_plain(values: Iterable[Any]) -> bool:
    """Whether all are written alike, and hold nothing else: that takes half the time of making a copy."""
    for each in values:
        kind = type(each)
        if not (
            kind is str
            or (kind is int and _INT64_MIN <= each <= _INT64_MAX)
            or (kind is float and _PLAIN_FROM <= each < _PLAIN_TO)
            or kind in _WRITTEN_ALIKE
        ):
            return False
    return True


def _null(schema: Schema, writer: ValueWriter) -> Any:
    """What a None is written as."""
    if schema.default_value is not None and writer.replace_null_with_default:
        return _converter(schema, writer)(schema.default_value)
    return None if schema.is_optional else _REQUIRED


def _converter(schema: Schema, writer: ValueWriter) -> Convert:
    """The conversion of a value that is not None into something that msgspec writes."""
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
    if not isinstance(value, float):
        raise Refused
    return float(value) if _PLAIN_FROM <= abs(value) < _PLAIN_TO or not value else msgspec.Raw(double_text(value))


def _float(value: Any) -> Any:
    if not isinstance(value, float):
        raise Refused
    if _PLAIN_FROM <= abs(value) < 999_999:
        # A number of up to six digits is the only one of that length near a 32 bit float, and so the shortest.
        short = float(f"{value:.6g}")
        if _SINGLE.pack(short) == _SINGLE.pack(value):
            return short
    return msgspec.Raw(float_text(value))


def _logical_converter(schema: Schema, writer: ValueWriter) -> Convert:
    match schema.name:
        case Decimal.LOGICAL_NAME:
            return _decimal_number if writer.numeric_decimals else _decimal_converter(schema)
        case Date.LOGICAL_NAME:
            return lambda value: Date.from_logical(schema, value)
        case Time.LOGICAL_NAME:
            return lambda value: Time.from_logical(schema, value)
    # Python refuses to subtract from a moment without a time zone, or from a day.
    return lambda value: (value - _EPOCH) // _ONE_MS


def _decimal_converter(schema: Schema) -> Convert:
    scale = int((schema.parameters or {})[Decimal.SCALE_FIELD])
    of_that_scale = decimal.Decimal((0, (1,), -scale))

    def convert_decimal(value: Any) -> bytes:
        if not value.same_quantum(of_that_scale):
            raise Refused
        return Decimal.to_unscaled_bytes(value, scale)

    return convert_decimal


def _decimal_number(value: Any) -> msgspec.Raw:
    if not isinstance(value, decimal.Decimal) or not value.is_finite():
        raise Refused
    return msgspec.Raw(decimal_text(value))


def _array_converter(schema: Schema, writer: ValueWriter) -> Convert:
    if schema.value_schema is None:
        return _refuse
    convert, null = _converter(schema.value_schema, writer), _null(schema.value_schema, writer)

    def convert_array(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Refused
        return [null if each is None else convert(each) for each in value]

    return convert_array


def _map_converter(schema: Schema, writer: ValueWriter) -> Convert:
    if schema.key_schema is None or schema.value_schema is None or schema.key_schema.name in LOGICAL_NAMES:
        return _refuse
    key_convert, key_null = _converter(schema.key_schema, writer), _null(schema.key_schema, writer)
    convert, null = _converter(schema.value_schema, writer), _null(schema.value_schema, writer)

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
    nulls = [_null(field.schema, writer) for field in fields]
    # What a struct holds has been checked, so that most of it goes as it is, and doubles mostly.
    converters = [
        (field.index, _converter(field.schema, writer))
        for field in fields
        if field.schema.name in LOGICAL_NAMES or field.schema.type not in _CHECKS
    ]
    doubles = [index for index, convert in converters if convert is _double]
    converters = [(index, convert) for index, convert in converters if convert is not _double]

    def convert_struct(value: Any) -> Any:
        if type(value) is not Struct or (value.schema is not schema and value.schema != schema):
            raise Refused
        values = value.field_values
        if converters:
            values = values.copy()
            for index, convert in converters:
                if (each := values[index]) is not None:
                    values[index] = convert(each)
        for index in doubles:
            each = values[index]
            if not (type(each) is float and _PLAIN_FROM <= each < _PLAIN_TO) and each is not None:
                values = values.copy()
                values[index] = _double(each)
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
