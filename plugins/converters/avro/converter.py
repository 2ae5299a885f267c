"""AvroConverter itself: drafts, writers and readers of one schema each."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugins.converters.avro.codec import Parsed


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
        from plugins.converters.avro import codec, writing

        avro = avro_schema(schema, self._settings)
        if target is None or schema is None:
            # As Confluent's: bytes alone have no length before them.
            is_bare = schema is not None and avro.type == "bytes"
            return PayloadWriter(
                bytes_of(schema, avro) if schema and is_bare else new_encoder(schema, avro, self._settings)
            )
        convert = writing.new_converter(schema, avro, self._settings)
        written = _parsed(target)
        return PayloadWriter(convert if written.type == "bytes" else _writer(codec.for_writing(written), convert))

    def new_reader(
        self, written: SchemaText, version: int | None, header: bytes, target: SchemaText | None
    ) -> PayloadReader:
        from plugins.converters.avro import codec, decoding, reading

        writer, reader = _parsed(written), None if target is None else _parsed(target)
        avro = reader or writer
        schema = None if avro.name == ANYTHING else connect_schema(avro, self._settings, version)
        convert = reading.new_converter(schema, avro, self._settings, in_order=reader is None)
        if writer.type == "bytes":
            return PayloadReader(schema, convert or bytes)
        parsed_reader = None if reader is None else codec.for_writing(reader)
        read = fastavro_reader(codec.for_reading(writer), parsed_reader, convert, self._fails_on_rest)
        if reader is not None or schema is None:
            return PayloadReader(schema, read)
        read_all = decoding.new_read_all(schema, avro, self._settings, self._fails_on_rest)
        return PayloadReader(schema, read if read_all is None else _first_trying(read_all, read), read_all)

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


def _writer(parsed: Parsed, convert: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    from fastavro import schemaless_writer

    def write(value: Any) -> bytes:
        data = BytesIO()
        schemaless_writer(data, parsed, convert(value))
        return data.getvalue()

    return write


def _first_trying(
    read_all: Callable[[Sequence[bytes], int], list[Any]], read: Callable[[bytes], Any]
) -> Callable[[bytes], Any]:
    def read_quickly(data: bytes) -> Any:
        try:
            return read_all((data,), 0)[0]
        except Exception:  # Whatever it was, fastavro decides whether it is an error.
            return read(data)

    return read_quickly


def fastavro_reader(
    parsed: Parsed, target: Parsed | None, convert: Callable[[Any], Any] | None, fails_on_rest: bool
) -> Callable[[bytes], Any]:
    """What reads data of any schema, as data of `target` if there is one."""
    from fastavro import schemaless_reader

    def read(data: bytes) -> Any:
        stream = BytesIO(data)
        value = schemaless_reader(stream, parsed, target, return_named_type=True)
        if fails_on_rest and stream.tell() != len(data):
            raise DataException(f"There are {len(data) - stream.tell()} bytes behind the data of the message")
        return value if convert is None or value is None else convert(value)

    return read
