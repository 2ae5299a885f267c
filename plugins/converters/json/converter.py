"""JsonConverter itself: its configuration, and which encoder and decoder it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from connectd.errors import DataException
from connectd.schema import Schema, SchemaAndValue
from plugins.converters.base import BuiltinConverter
from plugins.converters.json.decoder import EnvelopeDecoder, JsonDecoder, PayloadDecoder, Schemas
from plugins.converters.json.encoder import JsonEncoder
from plugins.converters.json.grammar import parse
from plugins.converters.json.reading import ValueReader
from plugins.converters.json.schemas import schema_from_json
from plugins.converters.json.settings import (
    DECIMAL_FORMAT_CONFIG,
    NUMERIC,
    REPLACE_NULL_WITH_DEFAULT_CONFIG,
    SCHEMA_CONTENT_CONFIG,
    SCHEMAS_CACHE_SIZE_CONFIG,
    SCHEMAS_ENABLE_CONFIG,
    json_config_def,
)
from plugins.converters.json.writing import ValueWriter


class JsonConverter(BuiltinConverter):
    """JSON, by default in an envelope with the schema (`org.apache.kafka.connect.json.JsonConverter`).

    Raises DataException for values that do not fit their schema or have none and need one, and for bytes that are no
    JSON or do not fit the schema. Java limits the depth of JSON to 1000; here Python's recursion limit does.
    """

    JAVA_NAME = "org.apache.kafka.connect.json.JsonConverter"
    CONFIG = json_config_def()

    def __init__(self) -> None:
        self.configure({})

    def apply_config(self, values: dict[str, Any]) -> None:
        with_schemas, cache_size = values[SCHEMAS_ENABLE_CONFIG], values[SCHEMAS_CACHE_SIZE_CONFIG]
        replace = values[REPLACE_NULL_WITH_DEFAULT_CONFIG]
        writer = ValueWriter(replace, values[DECIMAL_FORMAT_CONFIG].upper() == NUMERIC)
        self._encoder_of: Callable[[Schema | None], JsonEncoder] = lru_cache(cache_size)(
            lambda schema: JsonEncoder(schema, writer, with_schemas)
        )
        self._encoder: JsonEncoder = self._encoder_of(None)
        self._decoder = _decoder(with_schemas, values[SCHEMA_CONTENT_CONFIG], ValueReader(replace), cache_size)

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        return self._encoder_for(schema).encode(value)

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        return SchemaAndValue.NULL if value is None else SchemaAndValue(*self._decoder.decode(value))

    def from_connect_batch(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return self._encoder_for(schema).encode_all(values)

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[Schemas, list[Any]]:
        return self._decoder.decode_all(values)

    def _encoder_for(self, schema: Schema | None) -> JsonEncoder:
        # Most records have the schema of the one before: that saves the hash of it.
        encoder = self._encoder
        if encoder.schema is not schema:
            encoder = self._encoder = self._encoder_of(schema)
        return encoder


def _decoder(with_schemas: bool, schema_content: str | None, reader: ValueReader, cache_size: int) -> JsonDecoder:
    # As in Java, a schema that is given is looked at even where it is then not needed.
    schema = _schema_of(schema_content, reader) if schema_content else None
    if not with_schemas:
        return PayloadDecoder(None, reader)
    return EnvelopeDecoder(reader, cache_size) if schema is None else PayloadDecoder(schema, reader)


def _schema_of(content: str, reader: ValueReader) -> Schema | None:
    try:
        return schema_from_json(parse(content.encode()), reader)
    except DataException as error:
        raise DataException(f"{SCHEMA_CONTENT_CONFIG} is no schema: {error}") from error
