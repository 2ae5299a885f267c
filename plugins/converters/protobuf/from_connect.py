"""From Connect's schemas to Protobuf's (Confluent's `ProtobufData.fromConnectSchema`), syntax proto3."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto as Message
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File

from connectd.errors import DataException
from connectd.logical import Decimal
from connectd.schema import Schema, Type
from plugins.converters.protobuf.constants import (
    CONNECT_PRECISION,
    CONNECT_TYPE,
    GENERAL_UNION,
    KEY,
    LOGICAL,
    META_FILE,
    PRECISION,
    SCALE,
    TAG,
    TYPE,
    UNION_PREFIX,
    VALUE,
    WRAPPER_OF,
    WRAPPERS_FILE,
)
from plugins.converters.protobuf.kinds import default_name, entry_name, enum_marker, is_union, is_wrapped, parameter
from plugins.converters.protobuf.meta import add_parameter
from plugins.converters.protobuf.settings import ProtobufSettings
from plugins.converters.registry.names import scrub, split_name

_SCALARS: Final = {
    Type.INT8: "int32",
    Type.INT16: "int32",
    Type.INT32: "int32",
    Type.INT64: "int64",
    Type.FLOAT32: "float",
    Type.FLOAT64: "double",
    Type.BOOLEAN: "bool",
    Type.STRING: "string",
    Type.BYTES: "bytes",
}
_WIDE_WRAPPERS: Final = {"fixed32": "uint32", "fixed64": "uint64"}


def root_wrapper(schema: Schema) -> str | None:
    """The wrapper message of a schema that is no struct, None for one that is. Raises DataException for lists and maps."""
    if schema.type is Type.STRUCT:
        return None
    if schema.type not in _SCALARS or schema.name in LOGICAL:
        raise DataException(f"Protobuf has no message for {schema} alone, only for a field of that type")
    return WRAPPER_OF[_SCALARS[schema.type]]


def protobuf_file(schema: Schema, settings: ProtobufSettings) -> File:
    """The file whose first message is what structs of the schema are written as. Raises DataException where there is none."""
    return _Mapping(settings).convert(schema)


class _Mapping:
    def __init__(self, settings: ProtobufSettings) -> None:
        self._settings = settings
        self._unnamed = 0
        self._file = File(syntax="proto3", name="default")

    def convert(self, schema: Schema) -> File:
        namespace, name = split_name(schema.name or self._new_name(), self._settings.scrub_names, False)
        if namespace:
            self._file.package = namespace
        self._fill(self._file.message_type.add(name=name), schema, name if not namespace else f"{namespace}.{name}", {})
        return self._file

    def _fill(self, message: Message, schema: Schema, path: str, open: dict[str, str]) -> None:
        """`open` are the messages around this one, for those that hold themselves."""
        open = {**open, message.name: path}
        number = 1
        for field in schema.fields:
            tag = parameter(field.schema, TAG)
            if tag is None:
                tag, number = str(number), number + 1
            if field.schema.type is Type.STRUCT and is_union(field.schema):
                self._oneof(message, field.schema, path, open)
                continue
            proto = self._field(message, field.schema, self._scrubbed(field.name), int(tag), path, open)
            if self._settings.optional_for_nullables and field.schema.is_optional and _is_single(field.schema):
                proto.proto3_optional = True
        self._number_optionals(message)

    @staticmethod
    def _number_optionals(message: Message) -> None:
        """An optional scalar is in a oneof of its own, behind the real ones."""
        for proto in message.field:
            if proto.proto3_optional:
                proto.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{proto.name}")

    def _oneof(self, message: Message, schema: Schema, path: str, open: dict[str, str]) -> None:
        name = parameter(schema, GENERAL_UNION) if self._settings.generalized_sum_types else None
        if name is None:
            name = self._unqualified((schema.name or "").removeprefix(UNION_PREFIX) or None)
        index = len(message.oneof_decl)
        message.oneof_decl.add(name=name)
        for field in schema.fields:
            tag = int(parameter(field.schema, TAG) or 0)
            self._field(message, field.schema, self._scrubbed(field.name), tag, path, open, index)

    def _field(
        self,
        message: Message,
        schema: Schema,
        name: str,
        number: int,
        path: str,
        open: dict[str, str],
        oneof: int | None = None,
    ) -> Field:
        is_repeated = schema.type in (Type.ARRAY, Type.MAP)
        if schema.type is Type.ARRAY:
            assert schema.value_schema is not None
            schema = schema.value_schema
        label = Field.LABEL_REPEATED if is_repeated else Field.LABEL_OPTIONAL
        # Where it stands is decided before the messages within it are looked at.
        proto = message.field.add(name=name, number=number, label=label)
        if oneof is not None:
            proto.oneof_index = oneof
        self._set_type(proto, message, schema, path, open, oneof is not None)
        return proto

    def _set_type(
        self, proto: Field, message: Message, schema: Schema, path: str, open: dict[str, str], is_of_union: bool
    ) -> None:
        if schema.name in LOGICAL:
            self._refer(proto, *LOGICAL[schema.name])
            if schema.name == Decimal.LOGICAL_NAME:
                self._add_meta(
                    proto, {PRECISION: parameter(schema, CONNECT_PRECISION), SCALE: parameter(schema, SCALE)}
                )
            return
        marker = enum_marker(schema, self._settings)
        match schema.type:
            case Type.STRUCT:
                self._message(proto, message, schema, path, open)
            case Type.MAP:
                self._map(proto, message, schema, path, open)
            case Type.ARRAY:
                raise DataException("Protobuf has no list of lists")
            case _ if marker is not None:
                self._enum(proto, message, schema, path, marker)
            case _:
                self._scalar(proto, schema, is_of_union)

    def _scalar(self, proto: Field, schema: Schema, is_of_union: bool) -> None:
        scalar = _SCALARS[schema.type]
        if schema.type in (Type.INT32, Type.INT64):
            scalar = parameter(schema, TYPE) or scalar
        if is_wrapped(schema, is_of_union, self._settings):
            wrapped = _WIDE_WRAPPERS.get(scalar, scalar if scalar in WRAPPER_OF else _SCALARS[schema.type])
            self._refer(proto, WRAPPER_OF[wrapped], WRAPPERS_FILE)
        else:
            proto.type = getattr(Field, f"TYPE_{scalar.upper()}")
        if schema.type in (Type.INT8, Type.INT16):
            self._add_meta(proto, {CONNECT_TYPE: schema.type.value})

    def _refer(self, proto: Field, name: str, file: str) -> None:
        proto.type, proto.type_name = Field.TYPE_MESSAGE, f".{name}"
        if file not in self._file.dependency:
            self._file.dependency.append(file)

    def _add_meta(self, proto: Field, parameters: dict[str, str | None]) -> None:
        for key, value in parameters.items():
            if value is not None:
                add_parameter(proto.options, key, value)
                if META_FILE not in self._file.dependency:
                    self._file.dependency.append(META_FILE)

    def _message(self, proto: Field, message: Message, schema: Schema, path: str, open: dict[str, str]) -> None:
        name = self._unqualified(schema.name)
        if name == proto.name:
            name += "Message"
        proto.type = Field.TYPE_MESSAGE
        if name in open:
            proto.type_name = f".{open[name]}"
            return
        proto.type_name = f".{path}.{name}"
        if all(each.name != name for each in message.nested_type):
            nested = message.nested_type.add(name=name)
            self._fill(nested, schema, f"{path}.{name}", open)

    def _map(self, proto: Field, message: Message, schema: Schema, path: str, open: dict[str, str]) -> None:
        assert schema.key_schema is not None and schema.value_schema is not None
        name = entry_name(self._unqualified(schema.name))
        proto.type, proto.type_name = Field.TYPE_MESSAGE, f".{path}.{name}"
        entry = message.nested_type.add(name=name)
        self._field(entry, schema.key_schema, KEY, 1, f"{path}.{name}", open)
        self._field(entry, schema.value_schema, VALUE, 2, f"{path}.{name}", open)

    def _enum(self, proto: Field, message: Message, schema: Schema, path: str, marker: str) -> None:
        name = self._unqualified(schema.name)
        proto.type, proto.type_name = Field.TYPE_ENUM, f".{path}.{name}"
        if any(each.name == name for each in message.enum_type):
            return
        enum = message.enum_type.add(name=name)
        values: Any = (
            (key[len(marker) + 1 :], int(tag))
            for key, tag in (schema.parameters or {}).items()
            if key.startswith(f"{marker}.")
        )
        for symbol, tag in values:
            enum.value.add(name=symbol, number=tag)

    def _unqualified(self, name: str | None) -> str:
        return self._scrubbed((name or self._new_name()).rpartition(".")[2])

    def _new_name(self) -> str:
        self._unnamed += 1
        return default_name(self._unnamed)

    def _scrubbed(self, name: str) -> str:
        return scrub(name, False) if self._settings.scrub_names else name


def _is_single(schema: Schema) -> bool:
    return schema.type not in (Type.ARRAY, Type.MAP)
