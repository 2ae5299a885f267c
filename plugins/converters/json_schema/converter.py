"""JsonSchemaConverter itself: drafts, writers and readers of one schema each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from connectd.config import ConfigDef
from connectd.errors import DataException
from connectd.schema import Schema
from plugins.converters.json.grammar import parse
from plugins.converters.json_schema.from_connect import json_schema
from plugins.converters.json_schema.model import Documents
from plugins.converters.json_schema.reading import has_decimals, new_reader
from plugins.converters.json_schema.settings import FAIL_INVALID, JsonSchemaSettings, json_schema_config_def
from plugins.converters.json_schema.to_connect import connect_schema
from plugins.converters.json_schema.writing import new_writer
from plugins.converters.registry.client import SchemaText
from plugins.converters.registry.converter import Draft, PayloadReader, PayloadWriter, RegistryConverter


class JsonSchemaConverter(RegistryConverter):
    """JSON with its schemas in a Schema Registry (`io.confluent.connect.json.JsonSchemaConverter`).

    Needs `connectd[registry]`.
    """

    JAVA_NAME = "io.confluent.connect.json.JsonSchemaConverter"
    CONFIG: ClassVar[ConfigDef] = json_schema_config_def()
    SCHEMA_TYPE = "JSON"

    def configure_format(self, values: Mapping[str, Any]) -> None:
        self._settings = JsonSchemaSettings.of(values)
        self._fails_on_invalid: bool = values[FAIL_INVALID]

    def draft(self, schema: Schema | None) -> Draft:
        if schema is None:
            raise DataException("JSON with a registry is written with a schema, and the record has none")
        node = json_schema(schema, self._settings)
        return Draft(msgspec.json.encode(node).decode(), node.get("title"))

    def new_writer(self, schema: Schema | None, target: SchemaText | None) -> PayloadWriter:
        assert schema is not None
        write = new_writer(schema, self._settings)
        if not self._fails_on_invalid:
            return PayloadWriter(write)
        check = _check_of(target or SchemaText(self.draft(schema).text, {}))

        def write_valid(value: Any) -> bytes:
            data = write(value)
            check(data)
            return data

        return PayloadWriter(write_valid)

    def new_reader(
        self, written: SchemaText, version: int | None, header: bytes, target: SchemaText | None
    ) -> PayloadReader:
        text = target or written
        schema = connect_schema(Documents(text.text, text.references), self._settings, version)
        read = new_reader(schema, self._settings)
        decode: Callable[[bytes], Any] = parse if has_decimals(schema) else _decode
        if not self._fails_on_invalid:
            return PayloadReader(schema, lambda data: read(decode(data)))
        check = _check_of(text)

        def read_valid(data: bytes) -> Any:
            check(data)
            return read(decode(data))

        return PayloadReader(schema, read_valid)

    def record_name_of(self, written: SchemaText, header: bytes) -> str | None:
        title = Documents(written.text, written.references).root.get("title")
        return title if isinstance(title, str) else None

    def write_null(self, topic: str, schema: Schema | None) -> bytes | None:
        """A null that the schema allows, or has another value for, is written; any other stays a tombstone."""
        if schema is None:
            return None
        if schema.default_value is not None and not self._settings.ignore_default:
            return self.from_connect_data(topic, schema, schema.default_value)
        if not schema.is_optional:
            return None
        before = self._writer_for(topic, schema).before
        return before + b"null"


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return parse(data)  # numbers beyond 64 bits, and the rest for a better error


def _check_of(text: SchemaText) -> Callable[[bytes], None]:
    """Raises DataException for JSON that does not fit the schema."""
    from jsonschema import validators
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT7

    schema = msgspec.json.decode(text.text)
    resources = [
        (name, Resource.from_contents(msgspec.json.decode(each), default_specification=DRAFT7))
        for name, each in text.references.items()
    ]
    kind = validators.validator_for(schema, default=validators.Draft7Validator)
    validator = kind(schema, registry=Registry().with_resources(resources))

    def check(data: bytes) -> None:
        for error in validator.iter_errors(msgspec.json.decode(data)):
            # Not the message, which holds the value.
            raise DataException(f"The value does not fit its JSON Schema at {error.json_path}: {error.validator}")

    return check
