"""From values straight to Avro's bytes: a function made once for each schema ("Binary Encoding" in Avro's specification).

fastavro writes any schema, but wants a dict a record and looks at the schema for each value again; that takes thrice the time.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Callable
from typing import Any, Final

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type, schema_type_of, validate_value
from plugins.converters.avro.kinds import has_string_keys, is_union
from plugins.converters.avro.model import AvroSchema
from plugins.converters.avro.settings import AvroSettings

Encode = Callable[[Any], bytes]
"""The bytes of a value that is not None. Raises what it likes for one that does not fit."""

_BOOLEANS: Final = {True: b"\1", False: b"\0"}
_FLOAT: Final = struct.Struct("<f").pack
_DOUBLE: Final = struct.Struct("<d").pack
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ONE_MS: Final = datetime.timedelta(milliseconds=1)
# Two bytes for each number of 14 bits: with more to come, and as the last ones.
_MORE: Final = b"".join(bytes((n & 0x7F | 0x80, n >> 7 | 0x80)) for n in range(1 << 14))
_LAST: Final = b"".join(bytes((n & 0x7F | 0x80, n >> 7)) for n in range(1 << 14))
_SHORT: Final = [bytes((n,)) for n in range(0x80)]
_END: Final = b"\0"


def encode_long(number: int) -> bytes:
    """An int or long: zigzag, in groups of seven bits."""
    number = number << 1 ^ number >> 63
    if number < 0x80:
        return _SHORT[number]
    begin = b""
    while number >= 1 << 14:
        group = (number & 0x3FFF) << 1
        begin += _MORE[group : group + 2]
        number >>= 14
    return begin + (_SHORT[number] if number < 0x80 else _LAST[number << 1 : (number << 1) + 2])


def _encode_bytes(value: bytes) -> bytes:
    return encode_long(len(value)) + value


def _encode_text(value: str) -> bytes:
    data = value.encode()
    size = len(data)
    return (_SHORT[size << 1] if size < 0x40 else encode_long(size)) + data


_PLAIN: Final[dict[Type, Encode]] = {
    Type.INT8: encode_long,
    Type.INT16: encode_long,
    Type.INT32: encode_long,
    Type.INT64: encode_long,
    Type.FLOAT32: _FLOAT,
    Type.FLOAT64: _DOUBLE,
    Type.BOOLEAN: _BOOLEANS.__getitem__,
    Type.STRING: _encode_text,
}
_ANYTHING: Final = {Type.BOOLEAN: "boolean", Type.FLOAT64: "double", Type.INT64: "long", Type.STRING: "string"}


def new_encoder(schema: Schema | None, avro: AvroSchema, settings: AvroSettings) -> Encode:
    """The bytes of values of `schema`, whose Avro schema is `avro`."""
    if schema is None:
        return _AnythingEncoder(avro).encode
    encode = _Encoders(settings).of(schema, avro)
    if schema.type is Type.STRUCT:
        return encode

    def encode_checked(value: Any) -> bytes:
        validate_value(schema, value)
        return encode(value)

    return encode_checked


class _Encoders:
    def __init__(self, settings: AvroSettings) -> None:
        self._settings = settings
        self._records: dict[tuple[int, int], Encode] = {}

    def of(self, schema: Schema, avro: AvroSchema) -> Encode:
        if avro.type == "union" and not is_union(schema):
            begin, encode = self._only_branch(schema, avro)
            return lambda value: begin + encode(value)
        match schema.type:
            case Type.STRUCT if is_union(schema):
                return self._union(schema, avro)
            case Type.STRUCT:
                return self._record(schema, avro)
            case Type.ARRAY:
                return self._array(schema, avro)
            case Type.MAP:
                return self._map(schema, avro)
            case Type.BYTES:
                return _bytes(schema, avro)
            case Type.STRING if avro.type == "enum":
                return {symbol: encode_long(index) for index, symbol in enumerate(avro.symbols)}.__getitem__
        return _LOGICAL.get(schema.name, _PLAIN[schema.type])

    def or_null(self, schema: Schema, avro: AvroSchema) -> Encode:
        """As `of`, also for None where the schema has a null."""
        if not avro.is_nullable:
            return self.of(schema, avro)
        null = _null_of(avro)
        if is_union(schema):
            encode = self.of(schema, avro)
            return lambda value: null if value is None else encode(value)
        begin, encode = self._only_branch(schema, avro)
        return lambda value: null if value is None else begin + encode(value)

    def _only_branch(self, schema: Schema, avro: AvroSchema) -> tuple[bytes, Encode]:
        """What stands before a value of an optional type, and what writes it."""
        index = next(index for index, each in enumerate(avro.types) if each.type != "null")
        return encode_long(index), self.of(schema, avro.types[index])

    def _record(self, schema: Schema, avro: AvroSchema) -> Encode:
        key = id(schema), id(avro)
        if key in self._records:
            return lambda value: self._records[key](value)
        self._records[key] = _encode_bytes  # until it is made
        encode = self._records[key] = self._new_record(schema, avro)
        return encode

    def _new_record(self, schema: Schema, avro: AvroSchema) -> Encode:
        nulls = [None if self._settings.ignore_default else field.schema.default_value for field in schema.fields]
        has_defaults = any(each is not None for each in nulls)
        encoders = [
            self.or_null(field.schema, each.schema) for field, each in zip(schema.fields, avro.fields, strict=True)
        ]
        required = [
            field for field, each in zip(schema.fields, avro.fields, strict=True) if not each.schema.is_nullable
        ]

        def encode_record(value: Any) -> bytes:
            if value.schema is not schema and value.schema != schema:
                raise DataException(f"Expected a struct of {schema}, found one of {value.schema}")
            values = value.field_values
            if None in values:
                if has_defaults:
                    values = [null if each is None else each for each, null in zip(values, nulls, strict=True)]
                for field in required:
                    if values[field.index] is None:
                        raise DataException(f"Found null for the field {field.name}, which is not optional")
            return b"".join([encode(each) for encode, each in zip(encoders, values)])  # noqa: B905 (as many by then)

        return encode_record

    def _union(self, schema: Schema, avro: AvroSchema) -> Encode:
        ignores_default = self._settings.ignore_default
        indexes = [index for index, each in enumerate(avro.types) if each.type != "null"]
        branches = [
            (
                None if ignores_default else field.schema.default_value,
                encode_long(index),
                self.of(field.schema, avro.types[index]),
            )
            for field, index in zip(schema.fields, indexes, strict=True)
        ]
        null = _null_of(avro) if avro.is_nullable else None

        def encode_union(value: Any) -> bytes:
            for each, (default, begin, encode) in zip(value.field_values, branches, strict=True):
                given = default if each is None else each
                if given is not None:
                    return begin + encode(given)
            if null is None:
                raise DataException("No field of a union is set, expected one")
            return null

        return encode_union

    def _array(self, schema: Schema, avro: AvroSchema) -> Encode:
        assert avro.items is not None
        if schema.value_schema is None:
            encode: Encode = _AnythingEncoder(avro.items).encode
        else:
            encode = self.or_null(schema.value_schema, avro.items)
        return lambda value: _block(len(value), [encode(each) for each in value])

    def _map(self, schema: Schema, avro: AvroSchema) -> Encode:
        assert avro.items is not None and schema.key_schema is not None and schema.value_schema is not None
        if has_string_keys(schema, self._settings):
            key_encode: Encode = _encode_text
            encode = self.or_null(schema.value_schema, avro.items)
        else:
            key_encode, encode = (
                self.or_null(each, field.schema)
                for each, field in zip((schema.key_schema, schema.value_schema), avro.items.fields, strict=True)
            )
        return lambda value: _block(len(value), [key_encode(key) + encode(each) for key, each in value.items()])


class _AnythingEncoder:
    """Data without a schema: a record with a field for each type, one of which is set."""

    def __init__(self, avro: AvroSchema) -> None:
        self._names = [each.name for each in avro.fields]

    def encode(self, value: Any) -> bytes:
        """Also of None."""
        if value is None:
            return self._only("", b"")
        type = schema_type_of(value)
        if type is Type.ARRAY:
            return self._only("array", _block(len(value), [self.encode(each) for each in value]))
        if type is Type.MAP:
            entries = [self.encode(key) + self.encode(each) for key, each in value.items()]
            return self._only("map", _block(len(value), entries))
        if type not in _ANYTHING:
            raise DataException(f"There is no type for a {value.__class__.__qualname__} without a schema")
        return self._only(_ANYTHING[type], _PLAIN[type](value))

    def _only(self, name: str, data: bytes) -> bytes:
        return b"".join(b"\2" + data if each == name else b"\0" for each in self._names)


def _block(count: int, elements: list[bytes]) -> bytes:
    return encode_long(count) + b"".join(elements) + _END if count else _END


def _null_of(avro: AvroSchema) -> bytes:
    return encode_long(next(index for index, each in enumerate(avro.types) if each.type == "null"))


def _bytes(schema: Schema, avro: AvroSchema) -> Encode:
    data_of = bytes_of(schema, avro)
    return data_of if avro.type == "fixed" else lambda value: _encode_bytes(data_of(value))


def bytes_of(schema: Schema, avro: AvroSchema) -> Encode:
    """What a value of BYTES is written as, without its length: a decimal's unscaled value, as long as a fixed is."""
    is_decimal = schema.name == Decimal.LOGICAL_NAME
    size = avro.size if avro.type == "fixed" else None

    def data_of(value: Any) -> bytes:
        data = Decimal.from_logical(schema, value) if is_decimal else bytes(value)
        if size is None or len(data) == size:
            return data
        if not is_decimal or len(data) > size:
            raise DataException(f"Expected {size} bytes, found {len(data)}")
        return (b"\xff" if data[0] & 0x80 else b"\0") * (size - len(data)) + data

    return data_of


_LOGICAL: Final[dict[str | None, Encode]] = {
    Date.LOGICAL_NAME: lambda value: encode_long(Date.from_logical(Date.SCHEMA, value)),
    Time.LOGICAL_NAME: lambda value: encode_long(Time.from_logical(Time.SCHEMA, value)),
    # Python refuses to subtract from a moment without a time zone, or from a day.
    Timestamp.LOGICAL_NAME: lambda value: encode_long((value - _EPOCH) // _ONE_MS),
}
