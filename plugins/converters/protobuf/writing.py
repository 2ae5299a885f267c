"""From values to messages: a function made once for each schema (`ProtobufData.fromConnectData`)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Final

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type, validate_value
from plugins.converters.protobuf.constants import WRAPPERS
from plugins.converters.protobuf.kinds import enum_marker, is_union, parameter
from plugins.converters.protobuf.settings import ProtobufSettings
from plugins.converters.registry.names import scrub

Convert = Callable[[Any], Any]
"""Of a value that is not None."""

_F = FieldDescriptor
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_UNSIGNED: Final = {_F.TYPE_UINT64: 64, _F.TYPE_FIXED64: 64, _F.TYPE_UINT32: 32, _F.TYPE_FIXED32: 32}


def new_writer(schema: Schema, message: Descriptor, settings: ProtobufSettings) -> Callable[[Any], bytes]:
    """Writes values of the schema as that message. Raises what it likes for a value that does not fit."""
    converters = _Converters(settings)
    if schema.type is not Type.STRUCT:
        new_message = message_factory.GetMessageClass(message)
        convert = converters.scalar(schema, message.fields[0])

        def write_wrapped(value: Any) -> bytes:
            validate_value(schema, value)
            return bytes(new_message(value=value if convert is None else convert(value)).SerializeToString())

        return write_wrapped
    convert_struct = converters.struct(schema, message)

    def write(value: Any) -> bytes:
        data: bytes = convert_struct(value).SerializeToString()
        return data

    return write


class _Converters:
    def __init__(self, settings: ProtobufSettings) -> None:
        self._settings = settings
        self._structs: dict[tuple[int, str], Convert] = {}

    def struct(self, schema: Schema, message: Descriptor) -> Convert:
        key = id(schema), message.full_name
        if key in self._structs:
            return lambda value: self._structs[key](value)
        self._structs[key] = _same  # until it is made
        convert = self._structs[key] = self._new_struct(schema, message)
        return convert

    def _new_struct(self, schema: Schema, message: Descriptor) -> Convert:
        new_message = message_factory.GetMessageClass(message)
        names: list[str] = []
        converters: list[tuple[int, Convert]] = []
        unions: list[tuple[int, Convert]] = []
        for field in schema.fields:
            name = scrub(field.name, False) if self._settings.scrub_names else field.name
            names.append(name)
            if field.schema.type is Type.STRUCT and is_union(field.schema):
                unions.append((field.index, self._union(field.schema, message)))
            elif (convert := self._field(field.schema, _field_of(message, name))) is not None:
                converters.append((field.index, convert))
        nulls = [None if self._settings.ignore_default else field.schema.default_value for field in schema.fields]
        has_defaults = any(each is not None for each in nulls)

        def convert_struct(value: Any) -> Any:
            if value.schema is not schema and value.schema != schema:
                raise DataException(f"Expected a struct of {schema}, found one of {value.schema}")
            values = value.field_values
            if has_defaults and None in values:
                values = [null if each is None else each for each, null in zip(values, nulls, strict=True)]
            if not converters and not unions:
                return new_message(**dict(zip(names, values, strict=True)))
            values = values.copy()
            for index, convert in converters:
                if (each := values[index]) is not None:
                    values[index] = convert(each)
            # None is what is not set.
            row = dict(zip(names, values, strict=True))
            for index, convert in unions:
                del row[names[index]]
                if (each := values[index]) is not None:
                    name, given = convert(each)
                    row[name] = given
            return new_message(**row)

        return convert_struct

    def _union(self, schema: Schema, message: Descriptor) -> Convert:
        branches: list[tuple[str, Any, Convert | None]] = []
        for field in schema.fields:
            name = scrub(field.name, False) if self._settings.scrub_names else field.name
            default = None if self._settings.ignore_default else field.schema.default_value
            branches.append((name, default, self._field(field.schema, _field_of(message, name))))

        def convert_union(value: Any) -> tuple[str, Any]:
            for each, (name, default, convert) in zip(value.field_values, branches, strict=True):
                given = default if each is None else each
                if given is not None:
                    return name, given if convert is None else convert(given)
            raise DataException("No field of a oneof is set, expected one")

        return convert_union

    def _field(self, schema: Schema, field: FieldDescriptor) -> Convert | None:
        if schema.type is Type.ARRAY:
            assert schema.value_schema is not None
            convert = self._single(schema.value_schema, field)
            if convert is None:
                return None  # a None in it is then refused by the message itself
            return lambda value: [convert(_not_null(each)) for each in value]
        if schema.type is Type.MAP:
            return self._map(schema, field)
        return self._single(schema, field)

    def _map(self, schema: Schema, field: FieldDescriptor) -> Convert:
        assert schema.key_schema is not None and schema.value_schema is not None
        entry = field.message_type
        key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
        convert_key = self._field(schema.key_schema, key_field) or _same
        convert = self._field(schema.value_schema, value_field) or _same
        if entry.GetOptions().map_entry:
            return lambda value: {convert_key(key): convert(each) for key, each in value.items()}
        new_entry = message_factory.GetMessageClass(entry)
        return lambda value: [
            new_entry(
                key=None if key is None else convert_key(key),
                value=None if each is None else convert(each),
            )
            for key, each in value.items()
        ]

    def _single(self, schema: Schema, field: FieldDescriptor) -> Convert | None:
        if field.type in (_F.TYPE_MESSAGE, _F.TYPE_GROUP):
            message = field.message_type
            if schema.name in _LOGICAL:
                new_message, fields_of = message_factory.GetMessageClass(message), _LOGICAL[schema.name]
                return lambda value: new_message(**fields_of(schema, value))
            if message.full_name in WRAPPERS and schema.type is not Type.STRUCT:
                new_wrapper, convert = message_factory.GetMessageClass(message), self.scalar(schema, message.fields[0])
                return lambda value: new_wrapper(value=value if convert is None else convert(value))
            return self.struct(schema, message)
        return self.scalar(schema, field)

    def scalar(self, schema: Schema, field: FieldDescriptor) -> Convert | None:
        """None where values stay as they are."""
        if field.type == _F.TYPE_ENUM:
            return self._enum(schema, field)
        if field.type in _UNSIGNED:
            mask = (1 << _UNSIGNED[field.type]) - 1
            return lambda value: value & mask
        return bytes if schema.type is Type.BYTES else None

    def _enum(self, schema: Schema, field: FieldDescriptor) -> Convert | None:
        marker = enum_marker(schema, self._settings)
        if schema.type is not Type.STRING or marker is None:
            return None
        numbers = {value.name: value.number for value in field.enum_type.values}
        tags = {symbol: parameter(schema, f"{marker}.{symbol}") for symbol in numbers}

        def convert_enum(value: str) -> int:
            tag = tags.get(value)
            if tag is None:
                raise DataException(f"The enum {schema} does not know the symbol {value!r}")
            return int(tag)

        return convert_enum


def _same(value: Any) -> Any:
    return value


def _not_null(element: Any) -> Any:
    if element is None:
        raise DataException("Found null in a list, which Protobuf cannot write")
    return element


def _field_of(message: Descriptor, name: str) -> FieldDescriptor:
    field = message.fields_by_name.get(name)
    if field is None:
        raise DataException(f"The Protobuf message {message.full_name} has no field {name}")
    return field


def _decimal(schema: Schema, value: Any) -> dict[str, Any]:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise DataException("Expected a finite decimal")
    scale = -exponent
    return {"value": Decimal.to_unscaled_bytes(value, scale), "precision": len(digits), "scale": scale}


def _date(schema: Schema, value: Any) -> dict[str, Any]:
    Date.from_logical(schema, value)
    return {"year": value.year, "month": value.month, "day": value.day}


def _time(schema: Schema, value: Any) -> dict[str, Any]:
    nanos = value.microsecond // 1000 * 1_000_000
    return {"hours": value.hour, "minutes": value.minute, "seconds": value.second, "nanos": nanos}


def _timestamp(schema: Schema, value: Any) -> dict[str, Any]:
    seconds, ms = divmod(Timestamp.from_logical(schema, value), 1000)
    return {"seconds": seconds, "nanos": ms * 1_000_000}


_LOGICAL: Final = {
    Decimal.LOGICAL_NAME: _decimal,
    Date.LOGICAL_NAME: _date,
    Time.LOGICAL_NAME: _time,
    Timestamp.LOGICAL_NAME: _timestamp,
}
