"""PlainAvroConverter: Avro with one schema that is known to all, without a registry and without anything before the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from connectd.config import Importance, Type
from connectd.errors import ConfigException, ConnectException, DataException
from connectd.schema import Schema, SchemaAndValue
from plugins.converters.avro.from_connect import avro_schema
from plugins.converters.avro.model import AvroSchema, parse
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.avro.to_connect import connect_schema
from plugins.converters.base import BuiltinConverter, new_config_def

SCHEMA_CONTENT: Final = "schema.content"
SCHEMA_FILE: Final = "schema.file"
_REMEMBERED_SCHEMAS: Final = 100


class PlainAvroConverter(BuiltinConverter):
    """Avro's binary encoding by the schema of the configuration; needs `connectd[registry]`.

    Values without a schema are maps, lists and what is in them; a struct is written by the names of its fields, and what it lacks
    takes the default value of the Avro schema. Raises DataException for values and data that do not fit.
    """

    JAVA_NAME = "plugins.converters.plain_avro.PlainAvroConverter"
    CONFIG = (
        new_config_def()
        .define(SCHEMA_CONTENT, Type.STRING, None, importance=Importance.HIGH, doc="The Avro schema, as JSON.")
        .define(SCHEMA_FILE, Type.STRING, None, importance=Importance.HIGH, doc="Or the file that has it.")
    )

    def apply_config(self, values: dict[str, Any]) -> None:
        avro = _schema(values[SCHEMA_CONTENT], values[SCHEMA_FILE])
        try:
            from plugins.converters.avro import payloads
        except ImportError as error:
            raise ConfigException(f"PlainAvroConverter needs connectd[registry] to be installed: {error}") from error
        self._avro, self._settings = avro, AvroSettings()
        self._schema = connect_schema(avro, self._settings, None)
        self._read, self._read_all = payloads.new_read(self._schema, avro, None, self._settings, fails_on_rest=True)
        self._writer_for = lru_cache(_REMEMBERED_SCHEMAS)(self._new_writer)

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if value is None:
            return None
        try:
            return self._writer_for(schema)(value)
        except ConnectException:
            raise
        except Exception as error:
            raise DataException(f"The value cannot be written as Avro: {type(error).__name__}: {error}") from error

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        if value is None:
            return SchemaAndValue.NULL
        try:
            return SchemaAndValue(self._schema, self._read(value))
        except ConnectException:
            raise
        except Exception as error:
            raise DataException(
                f"The message is no Avro data of its schema: {type(error).__name__}: {error}"
            ) from error

    def to_connect_batch(
        self, topic: str, values: Sequence[bytes | None]
    ) -> tuple[Schema | list[Schema | None] | None, list[Any]]:
        if self._read_all is not None and None not in values:
            with suppress(Exception):  # One of them is to be looked at alone.
                return self._schema, self._read_all(values, 0)  # type: ignore[arg-type]  # no None is left
        return super().to_connect_batch(topic, values)

    def _new_writer(self, schema: Schema | None) -> Callable[[Any], bytes]:
        from plugins.converters.avro import payloads, writing

        if schema is None:
            return payloads.new_write(self._avro, None)
        convert = writing.new_converter(schema, avro_schema(schema, self._settings), self._settings)
        return payloads.new_write(self._avro, convert)


def _schema(content: str | None, file: str | None) -> AvroSchema:
    """Raises ConfigException unless there is one of both, and a schema in it."""
    if bool(content) == bool(file):
        raise ConfigException(
            f"Expected one of {SCHEMA_CONTENT} and {SCHEMA_FILE}, found {'both' if file else 'neither'}"
        )
    key = SCHEMA_FILE if file else SCHEMA_CONTENT
    try:
        return parse(Path(file).read_text(encoding="utf-8") if file else content or "")
    except (DataException, OSError, UnicodeDecodeError) as error:
        raise ConfigException(f"{key} has no Avro schema: {error}") from error
