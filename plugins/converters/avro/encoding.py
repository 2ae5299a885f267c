"""From values straight to Avro's bytes: a function made once for each schema ("Binary Encoding" in Avro's specification).

fastavro writes any schema, but wants a dict a record and looks at the schema for each value again; that takes thrice the time.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type, schema_type_of, validate_value
from plugins.converters.avro.binary import (
    Encode,
    encode_boolean,
    encode_bytes,
    encode_double,
    encode_float,
    encode_long,
    encode_text,
)
from plugins.converters.avro.kinds import has_string_keys, is_union
from plugins.converters.avro.model import AvroSchema
from plugins.converters.avro.record_code import EncodeAll, FieldWriting, RecordEncoder, new_record_encoder
from plugins.converters.avro.settings import AvroSettings

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ONE_MS: Final = datetime.timedelta(milliseconds=1)
_END: Final = b"\0"

_PLAIN: Final[dict[Type, Encode]] = {
    Type.INT8: encode_long,
    Type.INT16: encode_long,
    Type.INT32: encode_long,
    Type.INT64: encode_long,
    Type.FLOAT32: encode_float,
    Type.FLOAT64: encode_double,
    Type.BOOLEAN: encode_boolean,
    Type.STRING: encode_text,
}
_ANYTHING: Final = {Type.BOOLEAN: "boolean", Type.FLOAT64: "double", Type.INT64: "long", Type.STRING: "string"}


def new_encoder(schema: Schema | None, avro: AvroSchema, settings: AvroSettings) -> tuple[Encode, EncodeAll | None]:
    """What writes values of `schema`, whose Avro schema is `avro`: one, and many at once if there is such a way."""
    if schema is None:
        return _AnythingEncoder(avro).encode, None
    encoders = _Encoders(settings)
    if schema.type is Type.STRUCT and not is_union(schema):
        return encoders.whole_record(schema, avro)
    encode = encoders.of(schema, avro)
    if schema.type is Type.STRUCT:
        return encode, None

    def encode_checked(value: Any) -> bytes:
        validate_value(schema, value)
        return encode(value)

    return encode_checked, None


class _Encoders:
    def __init__(self, settings: AvroSettings) -> None:
        self._settings = settings
        self._records: dict[tuple[int, int], RecordEncoder | None] = {}

    def of(self, schema: Schema, avro: AvroSchema) -> Encode:
        if avro.type == "union" and not is_union(schema):
            index, begin = self._only_branch(avro)
            encode = self.of(schema, avro.types[index])
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

    def whole_record(self, schema: Schema, avro: AvroSchema) -> RecordEncoder:
        """As `record`, also of an optional one."""
        if avro.type != "union":
            return self.record(schema, avro)
        index, begin = self._only_branch(avro)
        encode, encode_all = self.record(schema, avro.types[index])
        return RecordEncoder(
            lambda value: begin + encode(value), lambda values, before: encode_all(values, before + begin)
        )

    def or_null(self, schema: Schema, avro: AvroSchema) -> Encode:
        """As `of`, also for None where the schema has a null."""
        encode, null, before = self._writing(schema, avro)
        if null is None:
            return encode
        return lambda value: null if value is None else before + encode(value)

    def _writing(self, schema: Schema, avro: AvroSchema) -> tuple[Encode, bytes | None, bytes]:
        """What writes a value, what stands for a null if there may be one, and what before a value."""
        if not avro.is_nullable:
            return self.of(schema, avro), None, b""
        if is_union(schema):
            return self.of(schema, avro), _null_of(avro), b""
        index, before = self._only_branch(avro)
        return self.of(schema, avro.types[index]), _null_of(avro), before

    @staticmethod
    def _only_branch(avro: AvroSchema) -> tuple[int, bytes]:
        """Where in an optional type the branch of its values is, and what stands before them."""
        index = next(index for index, each in enumerate(avro.types) if each.type != "null")
        return index, encode_long(index)

    def record(self, schema: Schema, avro: AvroSchema) -> RecordEncoder:
        """What writes structs of the schema. Inside of itself a record is found by then."""
        key = id(schema), id(avro)
        self._records[key] = None
        defaults = [None if self._settings.ignore_default else field.schema.default_value for field in schema.fields]
        found = self._records[key] = new_record_encoder(
            schema,
            [
                FieldWriting(field, default, *self._writing(field.schema, each.schema))
                for field, each, default in zip(schema.fields, avro.fields, defaults, strict=True)
            ],
        )
        return found

    def _record(self, schema: Schema, avro: AvroSchema) -> Encode:
        key = id(schema), id(avro)
        if key not in self._records:
            return self.record(schema, avro).encode
        known = self._records[key]
        return known.encode if known is not None else lambda value: self._records[key].encode(value)  # type: ignore[union-attr]

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
            key_encode: Encode = encode_text
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
    return data_of if avro.type == "fixed" else lambda value: encode_bytes(data_of(value))


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
