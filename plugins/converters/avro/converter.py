"""AvroConverter itself: drafts, writers and readers of one schema each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectd.config import ConfigDef
from connectd.errors import DataException
from connectd.schema import Schema
from plugins.converters.avro.constants import ANYTHING
from plugins.converters.avro.encoding import bytes_of, new_encoder
from plugins.converters.avro.from_connect import avro_schema
from plugins.converters.avro.model import AvroSchema, parse, to_text
from plugins.converters.avro.resolution import reasons_not_to_read
from plugins.converters.avro.settings import AvroSettings, avro_config_def
from plugins.converters.avro.to_connect import connect_schema
from plugins.converters.registry.client import SchemaText
from plugins.converters.registry.converter import Draft, PayloadReader, PayloadWriter, RegistryConverter


class AvroConverter(RegistryConverter):
    """Avro with the schemas in a Schema Registry (`io.confluent.connect.avro.AvroConverter`); needs `connectd[registry]`."""

    JAVA_NAME = "io.confluent.connect.avro.AvroConverter"
    CONFIG: ClassVar[ConfigDef] = avro_config_def()
    SCHEMA_TYPE = "AVRO"

    def configure_format(self, values: Mapping[str, Any]) -> None:
        self._settings = AvroSettings.of(values)
        self._fails_on_rest: bool = values["avro.fail.on.trailing.data"]

    def draft(self, schema: Schema | None) -> Draft:
        avro = avro_schema(schema, self._settings)
        return Draft(to_text(avro), avro.name if avro.type == "record" else None)

    def new_writer(self, schema: Schema | None, target: SchemaText | None) -> PayloadWriter:
        from plugins.converters.avro import payloads, writing

        avro = avro_schema(schema, self._settings)
        if target is None or schema is None:
            # As Confluent's: bytes alone have no length before them.
            if schema is not None and avro.type == "bytes":
                return PayloadWriter(bytes_of(schema, avro))
            return PayloadWriter(*new_encoder(schema, avro, self._settings))
        convert = writing.new_converter(schema, avro, self._settings)
        written = _parsed(target)
        return PayloadWriter(convert if written.type == "bytes" else payloads.new_write(written, convert))

    def new_reader(
        self, written: SchemaText, version: int | None, header: bytes, target: SchemaText | None
    ) -> PayloadReader:
        from plugins.converters.avro import payloads, reading

        writer, reader = _parsed(written), None if target is None else _parsed(target)
        avro = reader or writer
        schema = None if avro.name == ANYTHING else connect_schema(avro, self._settings, version)
        if writer.type == "bytes":
            convert = reading.new_converter(schema, avro, self._settings, in_order=reader is None)
            return PayloadReader(schema, convert or bytes)
        return PayloadReader(schema, *payloads.new_read(schema, writer, reader, self._settings, self._fails_on_rest))

    def check_readable(self, schema: Schema | None, target: SchemaText) -> None:
        reasons = reasons_not_to_read(_parsed(target), avro_schema(schema, self._settings))
        if reasons:
            raise DataException(
                "The schema in the registry cannot read what the record's own schema writes"
                f" ({'; '.join(reasons)}); latest.compatibility.strict=false or id.compatibility.strict=false lets it pass"
            )

    def record_name_of(self, written: SchemaText, header: bytes) -> str | None:
        avro = _parsed(written)
        return avro.name if avro.type == "record" else None

    def write_null(self, topic: str, schema: Schema | None) -> bytes | None:
        if schema is not None and not schema.is_optional:
            raise DataException(f"Found null for {schema}, which is not optional")
        return None


def _parsed(text: SchemaText) -> AvroSchema:
    return parse(text.text, text.references.values())
