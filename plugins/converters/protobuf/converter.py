"""ProtobufConverter itself: drafts, writers and readers of one schema each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from connectd.config import ConfigDef
from connectd.errors import DataException
from connectd.schema import Schema
from plugins.converters.protobuf.indexes import read_indexes, write_indexes
from plugins.converters.protobuf.settings import ProtobufSettings, protobuf_config_def
from plugins.converters.registry.client import SchemaText
from plugins.converters.registry.converter import Draft, PayloadReader, PayloadWriter, RegistryConverter
from plugins.converters.registry.wire import ID_SIZE

if TYPE_CHECKING:
    from plugins.converters.protobuf.pool import Pool


class ProtobufConverter(RegistryConverter):
    """Protobuf with its schemas in a Schema Registry (`io.confluent.connect.protobuf.ProtobufConverter`).

    Needs `connectd[registry]`. Schemas are registered as text and read back as the registry serializes them
    (`format=serialized`, as by Confluent's own client for Python), so that no compiler of .proto files is needed here.
    """

    JAVA_NAME = "io.confluent.connect.protobuf.ProtobufConverter"
    CONFIG: ClassVar[ConfigDef] = protobuf_config_def()
    SCHEMA_TYPE = "PROTOBUF"
    TEXT_FORMAT = "serialized"
    PREFIX_SIZE = ID_SIZE + 1  # nearly always the first message of its file

    def configure_format(self, values: Mapping[str, Any]) -> None:
        self._settings = ProtobufSettings.of(values)

    def draft(self, schema: Schema | None) -> Draft:
        from plugins.converters.protobuf.text import to_text

        pool, name = self._made(schema)
        return Draft(to_text(pool.file), name)

    def new_writer(self, schema: Schema | None, target: SchemaText | None) -> PayloadWriter:
        from plugins.converters.protobuf import pool, writing

        own, name = self._made(schema)
        assert schema is not None
        message = own.message(name) if target is None else _pool(target).message(name)
        write = writing.new_writer(schema, message, self._settings)
        return PayloadWriter(write, before=write_indexes(pool.indexes_of(message)))

    def new_reader(
        self, written: SchemaText, version: int | None, header: bytes, target: SchemaText | None
    ) -> PayloadReader:
        from plugins.converters.protobuf import reading
        from plugins.converters.protobuf.to_connect import connect_schema

        message = _pool(written).at(read_indexes(header)[0])
        if target is not None:
            message = _pool(target).message(message.full_name)
        schema = connect_schema(message, self._settings, version)
        return PayloadReader(schema, reading.new_reader(schema, message, self._settings))

    def record_name_of(self, written: SchemaText, header: bytes) -> str | None:
        return str(_pool(written).at(read_indexes(header)[0]).full_name)

    def header_size(self, data: bytes, start: int) -> int:
        return read_indexes(data, start)[1] - start

    def _made(self, schema: Schema | None) -> tuple[Pool, str]:
        """The file of a schema, and the full name of its message there."""
        from google.protobuf.descriptor_pb2 import FileDescriptorProto

        from plugins.converters.protobuf.from_connect import protobuf_file, root_wrapper
        from plugins.converters.protobuf.pool import Pool

        if schema is None:
            raise DataException("Protobuf is written with a schema, and the record has none")
        wrapper = root_wrapper(schema)
        if wrapper is not None:
            from google.protobuf import wrappers_pb2

            return Pool(FileDescriptorProto.FromString(wrappers_pb2.DESCRIPTOR.serialized_pb)), wrapper
        file = protobuf_file(schema, self._settings)
        name = file.message_type[0].name
        return Pool(file), f"{file.package}.{name}" if file.package else name


def _pool(text: SchemaText) -> Pool:
    from plugins.converters.protobuf.pool import Pool, read_file

    return Pool(read_file(text.text), [(name, read_file(each)) for name, each in text.references.items()])
