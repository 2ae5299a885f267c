"""From Protobuf's messages to Connect's schemas (Confluent's `ProtobufData.toConnectSchema`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.descriptor_pb2 import FieldOptions, FileDescriptorProto

from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder, Type
from plugins.converters.protobuf.constants import (
    CONNECT_PRECISION,
    CONNECT_TYPE,
    DATE,
    DECIMAL,
    ENTRY,
    ENUM,
    GENERAL_ENUM,
    GENERAL_UNION,
    KEY,
    PRECISION,
    SCALE,
    TAG,
    TIME,
    TIMESTAMP,
    TYPE,
    UNION_PREFIX,
    VALUE,
    WRAPPER,
    WRAPPERS,
)
from plugins.converters.protobuf.kinds import map_name
from plugins.converters.protobuf.meta import parameters_of
from plugins.converters.protobuf.settings import ProtobufSettings
from plugins.converters.registry.cyclic import CyclicSchema

_F = FieldDescriptor
_NAMES: Final = {
    _F.TYPE_INT32: "int32",
    _F.TYPE_SINT32: "sint32",
    _F.TYPE_SFIXED32: "sfixed32",
    _F.TYPE_UINT32: "uint32",
    _F.TYPE_FIXED32: "fixed32",
    _F.TYPE_INT64: "int64",
    _F.TYPE_UINT64: "uint64",
    _F.TYPE_SINT64: "sint64",
    _F.TYPE_FIXED64: "fixed64",
    _F.TYPE_SFIXED64: "sfixed64",
}
_INT32: Final = (_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32)
_PLAIN: Final = {
    _F.TYPE_FLOAT: SchemaBuilder.float32,
    _F.TYPE_DOUBLE: SchemaBuilder.float64,
    _F.TYPE_BOOL: SchemaBuilder.bool,
    _F.TYPE_STRING: SchemaBuilder.string,
    _F.TYPE_BYTES: SchemaBuilder.bytes,
}
_UNWRAPPED: Final = {
    "double": SchemaBuilder.float64,
    "float": SchemaBuilder.float32,
    "int64": SchemaBuilder.int64,
    "uint64": SchemaBuilder.int64,
    "int32": SchemaBuilder.int32,
    "uint32": SchemaBuilder.int64,
    "bool": SchemaBuilder.bool,
    "string": SchemaBuilder.string,
    "bytes": SchemaBuilder.bytes,
}
_LOGICAL: Final = {DATE: Date.builder, TIME: Time.builder, TIMESTAMP: Timestamp.builder}


def connect_schema(message: Descriptor, settings: ProtobufSettings, version: int | None = None) -> Schema:
    """The Connect schema of a message."""
    mapping = _Mapping(settings)
    if settings.wrapper_for_raw_primitives and message.full_name in WRAPPERS:
        builder = _UNWRAPPED[WRAPPERS[message.full_name]]()
    else:
        builder = mapping.struct(message)
    if version is not None:
        builder.version(version)
    schema = builder.build()
    mapping.complete(message, schema)
    return schema


def real_oneofs(message: Descriptor) -> Iterator[OneofDescriptor]:
    """The oneofs of a message but for those that only make a field optional."""
    for oneof in message.oneofs:
        if not (len(oneof.fields) == 1 and is_proto3_optional(oneof.fields[0])):
            yield oneof


def real_oneof_of(field: FieldDescriptor) -> OneofDescriptor | None:
    """The oneof that a field belongs to, if that is a real one."""
    oneof = field.containing_oneof
    return None if oneof is None or is_proto3_optional(field) else oneof


def is_proto3_optional(field: FieldDescriptor) -> bool:
    """Whether a field of proto3 is labelled `optional`."""
    oneof = field.containing_oneof
    return oneof is not None and len(oneof.fields) == 1 and oneof.name == f"_{field.name}"


def has_optional_label(field: FieldDescriptor) -> bool:
    """Whether a field is labelled `optional`, in either syntax."""
    is_proto2 = not _is_proto3(field) and not field.is_repeated and not field.is_required
    return is_proto3_optional(field) or (is_proto2 and field.containing_oneof is None)


def _is_proto3(field: FieldDescriptor) -> bool:
    syntax: str = FileDescriptorProto.FromString(field.file.serialized_pb).syntax
    return syntax == "proto3"


def union_field_name(oneof: OneofDescriptor, settings: ProtobufSettings) -> str:
    """The field of the struct in which a oneof is."""
    return f"{oneof.name}_{oneof.index}" if settings.index_for_unions else str(oneof.name)


def is_map_entry(field: FieldDescriptor) -> bool:
    """Whether a repeated message is the entries of a map."""
    message = field.message_type
    if message is None or not field.is_repeated or not message.name.endswith(ENTRY):
        return False
    return [each.name for each in message.fields] == [KEY, VALUE] and not any(
        each.is_repeated for each in message.fields
    )


class _Mapping:
    def __init__(self, settings: ProtobufSettings) -> None:
        self._settings = settings
        self._open: list[str] = []
        self._cyclic: list[tuple[str, CyclicSchema]] = []
        self._built: dict[str, Schema] = {}

    def complete(self, message: Descriptor, schema: Schema) -> None:
        """Tell the schemas within themselves which ones they are."""
        self._built[message.full_name] = schema
        for name, cyclic in self._cyclic:
            cyclic.complete(self._built[name])

    def struct(self, message: Descriptor) -> SchemaBuilder:
        settings = self._settings
        builder = SchemaBuilder.struct().name(self._name(message))
        self._open.append(message.full_name)
        for oneof in real_oneofs(message):
            if settings.flatten_unions:
                for field in oneof.fields:
                    builder.field(field.name, self._field(field, is_of_union=True))
            else:
                builder.field(union_field_name(oneof, settings), self._union(oneof))
        for field in message.fields:
            if real_oneof_of(field) is None:
                builder.field(field.name, self._field(field))
        self._open.pop()
        return builder

    def _union(self, oneof: OneofDescriptor) -> Schema:
        builder = SchemaBuilder.struct()
        if self._settings.generalized_sum_types:
            builder.name(oneof.name).parameter(GENERAL_UNION, oneof.name)
        else:
            builder.name(UNION_PREFIX + (oneof.full_name if self._settings.enhanced else oneof.name))
        for field in oneof.fields:
            builder.field(field.name, self._field(field, is_of_union=True))
        return builder.optional().build()

    def _field(self, field: FieldDescriptor, is_of_union: bool = False) -> Schema:
        if field.type in (_F.TYPE_MESSAGE, _F.TYPE_GROUP):
            name = field.message_type.full_name
            if name in self._open:
                return self._within_itself(field, name)
        builder = self._builder(field)
        if field.is_repeated and builder.build().type is not Type.MAP:
            first = self._built.get(field.message_type.full_name) if field.message_type is not None else None
            if first is not None and first.parameters:
                # As in Java, where a message that was met before brings what was said of it there.
                builder.parameters(first.parameters)
            builder = SchemaBuilder.array(builder.optional().build()).optional()
        if is_of_union:
            builder.optional()
            is_message = field.type == _F.TYPE_MESSAGE
            if self._settings.wrapper_for_nullables and is_message and field.message_type.full_name in WRAPPERS:
                builder.parameter(WRAPPER, "true")
        elif self._settings.optional_for_nullables:
            if has_optional_label(field):
                builder.optional()
        elif not self._settings.wrapper_for_nullables:
            builder.optional()
        schema = builder.parameter(TAG, str(field.number)).build()
        if field.message_type is not None and schema.type is Type.STRUCT:
            self._built.setdefault(field.message_type.full_name, schema)
        return schema

    def _within_itself(self, field: FieldDescriptor, name: str) -> Schema:
        cyclic = CyclicSchema(self._name(field.message_type), is_optional=True)
        self._cyclic.append((name, cyclic))
        if not field.is_repeated:
            return cyclic
        return SchemaBuilder.array(cyclic).optional().parameter(TAG, str(field.number)).build()

    def _name(self, message: Any) -> str:
        return str(message.full_name if self._settings.enhanced else message.name)

    def _builder(self, field: FieldDescriptor) -> SchemaBuilder:
        if field.type in _PLAIN:
            return _PLAIN[field.type]()
        if field.type == _F.TYPE_ENUM:
            return self._enum(field)
        if field.type in (_F.TYPE_MESSAGE, _F.TYPE_GROUP):
            return self._message(field).optional()
        name = _NAMES[field.type]
        if field.type not in _INT32:
            builder = SchemaBuilder.int64()
            return builder if name == "int64" else builder.parameter(TYPE, name)
        match _meta(field).get(CONNECT_TYPE):
            case "int8":
                return SchemaBuilder.int8()
            case "int16":
                return SchemaBuilder.int16()
        builder = SchemaBuilder.int32()
        return builder if name == "int32" else builder.parameter(TYPE, name)

    def _enum(self, field: FieldDescriptor) -> SchemaBuilder:
        enum = field.enum_type
        builder = SchemaBuilder.int32() if self._settings.int_for_enums else SchemaBuilder.string()
        marker = GENERAL_ENUM if self._settings.generalized_sum_types else ENUM
        builder.name(self._name(enum)).parameter(marker, enum.name)
        for value in enum.values:
            builder.parameter(f"{marker}.{value.name}", str(value.number))
        return builder.optional()

    def _message(self, field: FieldDescriptor) -> SchemaBuilder:
        message = field.message_type
        if message.full_name == DECIMAL:
            return _decimal(field)
        if message.full_name in _LOGICAL:
            return _LOGICAL[message.full_name]()
        unwraps = self._settings.wrapper_for_nullables or self._settings.wrapper_for_raw_primitives
        if unwraps and message.full_name in WRAPPERS:
            return _UNWRAPPED[WRAPPERS[message.full_name]]()
        if not is_map_entry(field):
            return self.struct(message)
        key, value = message.fields
        return SchemaBuilder.map(self._field(key), self._field(value)).name(map_name(self._name(message)))


def _decimal(field: FieldDescriptor) -> SchemaBuilder:
    meta = _meta(field)
    builder = Decimal.builder(_int(meta.get(SCALE)) or 0)
    precision = _int(meta.get(PRECISION))
    return builder if precision is None else builder.parameter(CONNECT_PRECISION, str(precision))


def _int(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _meta(field: FieldDescriptor) -> dict[str, str]:
    # Options of a pool of our own know no extensions: read once more, they do.
    return parameters_of(FieldOptions.FromString(field.GetOptions().SerializeToString()))
