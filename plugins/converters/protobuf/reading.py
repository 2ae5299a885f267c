"""From messages to values: a function made once for each schema (`ProtobufData.toConnectData`)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Final

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from connectd.errors import DataException
from connectd.javanumbers import wrap
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Field, Schema, Type
from connectd.struct import Struct
from plugins.converters.protobuf.constants import WRAPPERS
from plugins.converters.protobuf.settings import ProtobufSettings
from plugins.converters.protobuf.to_connect import (
    has_optional_label,
    is_map_entry,
    is_proto3_optional,
    real_oneof_of,
    real_oneofs,
    union_field_name,
)

Convert = Callable[[Any], Any]
Get = Callable[[Any], Any]
"""A field's value from a message, None where it has none."""

_F = FieldDescriptor
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_UNSIGNED: Final = (_F.TYPE_UINT64, _F.TYPE_FIXED64)
_NARROW: Final = {Type.INT8: 8, Type.INT16: 16}


def new_reader(schema: Schema, message: Descriptor, settings: ProtobufSettings) -> Callable[[bytes], Any]:
    """Reads data of the message as values of the schema."""
    parse = message_factory.GetMessageClass(message).FromString
    readers = _Readers(settings)
    if schema.type is not Type.STRUCT:
        convert = readers.scalar(schema, message.fields[0])
        return lambda data: convert(parse(data).value) if convert is not None else parse(data).value
    read = readers.struct(schema, message)
    return lambda data: read(parse(data))


class _Readers:
    def __init__(self, settings: ProtobufSettings) -> None:
        self._settings = settings
        self._structs: dict[tuple[int, str], Convert] = {}

    def struct(self, schema: Schema, message: Descriptor) -> Convert:
        key = id(schema), message.full_name
        if key in self._structs:
            return lambda value: self._structs[key](value)
        self._structs[key] = _same  # until it is made
        read = self._structs[key] = self._new_struct(schema, message)
        return read

    def _new_struct(self, schema: Schema, message: Descriptor) -> Convert:
        getters: dict[str, Get] = {}
        for oneof in real_oneofs(message):
            if not self._settings.flatten_unions:
                name = union_field_name(oneof, self._settings)
                getters[name] = self._union(_field(schema, name).schema, oneof.name, oneof.fields)
        for field in message.fields:
            is_of_union = real_oneof_of(field) is not None
            if not is_of_union or self._settings.flatten_unions:
                getters[field.name] = self._getter(_field(schema, field.name).schema, field, is_of_union)
        ordered = [getters[field.name] for field in schema.fields]
        new_struct = Struct.of_checked
        return lambda value: new_struct(schema, [get(value) for get in ordered])

    def _union(self, schema: Schema, name: str, fields: Any) -> Get:
        indexes = {field.name: _field(schema, field.name).index for field in fields}
        converters = {field.name: self._value(schema.fields[indexes[field.name]].schema, field) for field in fields}
        empty: list[Any] = [None] * len(schema.fields)

        def get_union(message: Any) -> Struct | None:
            branch = message.WhichOneof(name)
            if branch is None:
                return None
            values, convert = empty.copy(), converters[branch]
            value = getattr(message, branch)
            values[indexes[branch]] = value if convert is None else convert(value)
            return Struct.of_checked(schema, values)

        return get_union

    def _getter(self, schema: Schema, field: FieldDescriptor, is_of_union: bool) -> Get:
        name, convert = field.name, self._value(schema, field)
        if not is_of_union and not self._may_be_absent(field):
            if convert is None:
                return lambda message: getattr(message, name)
            return lambda message: convert(getattr(message, name))
        given = convert or _same
        if self._settings.struct_for_nulls and not is_of_union:
            return lambda message: given(getattr(message, name))
        return lambda message: given(getattr(message, name)) if message.HasField(name) else None

    def _may_be_absent(self, field: FieldDescriptor) -> bool:
        if field.is_repeated:
            return False
        if field.type in (_F.TYPE_MESSAGE, _F.TYPE_GROUP) or is_proto3_optional(field):
            return True
        return self._settings.optional_for_proto2 and has_optional_label(field)

    def _value(self, schema: Schema, field: FieldDescriptor) -> Convert | None:
        if not field.is_repeated:
            return self._single(schema, field)
        if is_map_entry(field):
            return self._map(schema, field)
        assert schema.value_schema is not None
        convert = self._single(schema.value_schema, field)
        return list if convert is None else lambda value: [convert(each) for each in value]

    def _map(self, schema: Schema, field: FieldDescriptor) -> Convert:
        assert schema.key_schema is not None and schema.value_schema is not None
        entry = field.message_type
        key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
        convert_key = self._value(schema.key_schema, key_field) or _same
        convert = self._value(schema.value_schema, value_field) or _same
        if entry.GetOptions().map_entry:
            return lambda value: {convert_key(key): convert(each) for key, each in value.items()}
        return lambda value: {convert_key(each.key): convert(each.value) for each in value}

    def _single(self, schema: Schema, field: FieldDescriptor) -> Convert | None:
        if field.type not in (_F.TYPE_MESSAGE, _F.TYPE_GROUP):
            return self.scalar(schema, field)
        if schema.name in _LOGICAL:
            return _LOGICAL[schema.name]
        message = field.message_type
        if message.full_name in WRAPPERS and schema.type is not Type.STRUCT:
            convert = self.scalar(schema, message.fields[0]) or _same
            return lambda value: convert(value.value)
        return self.struct(schema, message)

    def scalar(self, schema: Schema, field: FieldDescriptor) -> Convert | None:
        """None where values stay as they are."""
        if field.type == _F.TYPE_ENUM:
            if schema.type is not Type.STRING:
                return None
            names = {value.number: value.name for value in field.enum_type.values}
            return lambda value: names.get(value, f"UNKNOWN_ENUM_VALUE_{field.enum_type.name}_{value}")
        if field.type in _UNSIGNED:
            return lambda value: wrap(value, 64)
        if schema.type in _NARROW:
            bits = _NARROW[schema.type]
            return lambda value: wrap(value, bits)
        return None


def _same(value: Any) -> Any:
    return value


def _field(schema: Schema, name: str) -> Field:
    field = schema.field(name)
    if field is None:
        raise DataException(f"{schema} has no field {name}")
    return field


def _date(value: Any) -> datetime.date:
    return datetime.date(value.year, value.month, value.day)


def _time(value: Any) -> datetime.time:
    return datetime.time(value.hours, value.minutes, value.seconds, value.nanos // 1_000_000 * 1000)


def _timestamp(value: Any) -> datetime.datetime:
    ms = value.seconds * 1000 + value.nanos // 1_000_000
    return _EPOCH + datetime.timedelta(milliseconds=ms)


_LOGICAL: Final[dict[str | None, Convert]] = {
    Decimal.LOGICAL_NAME: lambda value: Decimal.of_unscaled_bytes(value.value, value.scale),
    Date.LOGICAL_NAME: _date,
    Time.LOGICAL_NAME: _time,
    Timestamp.LOGICAL_NAME: _timestamp,
}
