"""From values to JSON: a function made once for each schema (`JsonSchemaData.fromConnectData`), msgspec doing the text."""

from __future__ import annotations

import datetime
import decimal
import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type, validate_value
from connectd.struct import Struct
from plugins.converters.json.text import decimal_text, double_text, float_text, with_jackson_escapes
from plugins.converters.json_schema.kinds import has_string_keys, is_union
from plugins.converters.json_schema.settings import JsonSchemaSettings

Convert = Callable[[Any], Any]

# Between these Java writes no exponent, as msgspec does.
_PLAIN_FROM, _PLAIN_TO = 0.001, 1e7
_SIX_DIGITS: Final = 999_999
_SINGLE: Final = struct.Struct("f")
_BACKSLASH: Final = ord("\\")
# What stands for a field that is left out.
_ABSENT: Final = msgspec.UNSET
_LOGICAL: Final = frozenset((Decimal.LOGICAL_NAME, Date.LOGICAL_NAME, Time.LOGICAL_NAME, Timestamp.LOGICAL_NAME))


def new_writer(schema: Schema, settings: JsonSchemaSettings) -> Callable[[Any], bytes]:
    """Writes values of the schema that are not None. Raises what it likes for one that does not fit."""
    convert = new_converter(schema, settings)
    encode = msgspec.json.Encoder().encode
    is_struct = schema.type is Type.STRUCT

    def write(value: Any) -> bytes:
        if not is_struct:
            validate_value(schema, value)
        data = encode(convert(value))
        return data if data.isascii() and _BACKSLASH not in data else with_jackson_escapes(data)

    return write


def new_converter(schema: Schema, settings: JsonSchemaSettings) -> Convert:
    """The conversion of a value that is not None into what msgspec writes."""
    return _Converters(settings).of(schema)


class _Converters:
    def __init__(self, settings: JsonSchemaSettings) -> None:
        self._settings = settings
        self._structs: dict[int, Convert] = {}

    def of(self, schema: Schema) -> Convert:
        if schema.name in _LOGICAL:
            return self._logical(schema)
        match schema.type:
            case Type.STRUCT if is_union(schema):
                return self._union(schema)
            case Type.STRUCT:
                return self._struct(schema)
            case Type.MAP:
                return self._map(schema)
            case Type.ARRAY:
                convert = self.or_null(_known(schema.value_schema))
                return lambda value: [convert(each) for each in value]
            case Type.FLOAT64:
                return _double
            case Type.FLOAT32:
                return _float
            case Type.BYTES:
                return lambda value: value if type(value) is bytes else bytes(value)
        return _same

    def or_null(self, schema: Schema) -> Convert:
        """As `of`, also for None."""
        convert, null = self.of(schema), self.null(schema)
        return lambda value: null if value is None else convert(value)

    def null(self, schema: Schema) -> Any:
        """What a None is written as; a field that is none of these is left out."""
        if schema.default_value is not None and not self._settings.ignore_default:
            return self.of(schema)(schema.default_value)
        return None if schema.is_optional else _ABSENT

    def _logical(self, schema: Schema) -> Convert:
        match schema.name:
            case Decimal.LOGICAL_NAME if self._settings.numeric_decimals:
                return _decimal_number
            case Decimal.LOGICAL_NAME:
                return lambda value: Decimal.from_logical(schema, value)
            case Date.LOGICAL_NAME:
                return lambda value: Date.from_logical(schema, value)
            case Time.LOGICAL_NAME:
                return lambda value: Time.from_logical(schema, value)
        return lambda value: Timestamp.from_logical(schema, _moment(value))

    def _struct(self, schema: Schema) -> Convert:
        if id(schema) in self._structs:
            return lambda value: self._structs[id(schema)](value)
        self._structs[id(schema)] = _same  # until it is made
        convert = self._structs[id(schema)] = self._new_struct(schema)
        return convert

    def _new_struct(self, schema: Schema) -> Convert:
        names = [field.name for field in schema.fields]
        nulls = [self.null(field.schema) for field in schema.fields]
        has_unions = any(is_union(field.schema) and not field.schema.is_optional for field in schema.fields)
        leaves_out = _ABSENT in nulls or has_unions
        converters = [
            (field.index, convert) for field in schema.fields if (convert := self.of(field.schema)) is not _same
        ]

        def convert_struct(value: Any) -> dict[str, Any]:
            if value.schema is not schema and value.schema != schema:
                raise DataException(f"Expected a struct of {schema}, found one of {value.schema}")
            values = value.field_values.copy()
            # Nulls before what is written for them: nothing of that is to be converted.
            absent = [index for index, each in enumerate(values) if each is None] if None in values else ()
            for index, convert in converters:
                if (each := values[index]) is not None:
                    values[index] = convert(each)
            for index in absent:
                values[index] = nulls[index]
            row = dict(zip(names, values, strict=True))
            if leaves_out and (absent or has_unions):
                return {name: each for name, each in row.items() if each is not _ABSENT}
            return row

        return convert_struct

    def _union(self, schema: Schema) -> Convert:
        converters = [self.of(field.schema) for field in schema.fields]
        defaults = [None if self._settings.ignore_default else field.schema.default_value for field in schema.fields]
        null = None if schema.is_optional else _ABSENT

        def convert_union(value: Struct) -> Any:
            for each, default, convert in zip(value.field_values, defaults, converters, strict=True):
                given = default if each is None else each
                if given is not None:
                    return convert(given)
            return null

        return convert_union

    def _map(self, schema: Schema) -> Convert:
        convert = self.or_null(_known(schema.value_schema))
        if has_string_keys(schema):
            return lambda value: {key: convert(each) for key, each in value.items()}
        convert_key = self.or_null(_known(schema.key_schema))
        return lambda value: [{"key": convert_key(key), "value": convert(each)} for key, each in value.items()]


def _same(value: Any) -> Any:
    return value


def _double(value: float) -> Any:
    return value if _PLAIN_FROM <= abs(value) < _PLAIN_TO or value == 0 else msgspec.Raw(double_text(value))


def _float(value: float) -> Any:
    if _PLAIN_FROM <= abs(value) < _SIX_DIGITS:
        # A number of up to six digits is the only one of that length near a 32 bit float, and so the shortest.
        short = float(f"{value:.6g}")
        if _SINGLE.pack(short) == _SINGLE.pack(value):
            return short
    return msgspec.Raw(float_text(value))


def _decimal_number(value: Any) -> msgspec.Raw:
    if not isinstance(value, decimal.Decimal) or not value.is_finite():
        raise DataException(f"Expected a finite decimal, found {type(value).__qualname__}")
    return msgspec.Raw(decimal_text(value))


def _moment(value: Any) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        raise DataException(f"Expected a datetime, found {type(value).__qualname__}")
    return value


def _known(schema: Schema | None) -> Schema:
    if schema is None:
        raise DataException("Expected a schema of the elements")
    return schema
