"""RegistryConverter: finds out which schema to write or read with, once for each, and leaves the data to the format."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from connectd.errors import ConnectException, DataException
from connectd.schema import Schema, SchemaAndValue, Type
from plugins.converters.base import TYPE_CONFIG, BuiltinConverter
from plugins.converters.registry.access import client_factory, require_registry_extra
from plugins.converters.registry.client import RegistryClient, SchemaText
from plugins.converters.registry.settings import (
    AUTO_REGISTER,
    CACHE_SIZE,
    ID_STRICT,
    LATEST_STRICT,
    LATEST_TTL,
    NORMALIZE,
    USE_LATEST,
    USE_LATEST_WITH_METADATA,
    USE_SCHEMA_ID,
)
from plugins.converters.registry.subjects import STRATEGIES, SubjectOf
from plugins.converters.registry.wire import ID_SIZE, SchemaId, id_bytes, read_id

Schemas = Schema | list[Schema | None] | None
WriteAll = Callable[[Sequence[Any], bytes], list[bytes | None]]


class Draft(NamedTuple):
    """What a Connect schema is in the format: its text and, for records, its full name."""

    text: str
    record_name: str | None


class PayloadWriter(NamedTuple):
    """What writes values of one schema, and what stands between the schema's id and the data (Protobuf's indexes).

    `write_all`, if there is one, writes many values, each behind those bytes that it is given; it raises anything if one of them
    is to be written alone.
    """

    write: Callable[[Any], bytes]
    write_all: WriteAll | None = None
    before: bytes = b""


class MessageWriter(NamedTuple):
    """What writes values of one schema to one subject, and what every message begins with."""

    before: bytes
    write: Callable[[Any], bytes]
    write_all: WriteAll | None


class PayloadReader(NamedTuple):
    """What reads data of one schema, without the bytes that tell the schema.

    `read_all`, if there is one, reads many messages that have so many bytes before their data; it raises anything if one of them
    is to be read alone.
    """

    schema: Schema | None
    read: Callable[[bytes], Any]
    read_all: Callable[[Sequence[bytes], int], list[Any]] | None = None


class RegistryConverter(BuiltinConverter):
    """A converter of one format. Raises DataException for data that does not fit, and RetriableException when the registry
    does not answer.
    """

    SCHEMA_TYPE: ClassVar[str]
    TEXT_FORMAT: ClassVar[str | None] = None
    # How many bytes tell the schema of nearly all messages.
    PREFIX_SIZE: ClassVar[int] = ID_SIZE

    @abstractmethod
    def configure_format(self, values: Mapping[str, Any]) -> None:
        """Take the parsed settings of the format."""

    @abstractmethod
    def draft(self, schema: Schema | None) -> Draft:
        """What is registered for a schema. Raises DataException for one that the format cannot express."""

    @abstractmethod
    def new_writer(self, schema: Schema | None, target: SchemaText | None) -> PayloadWriter:
        """What writes values of `schema`, as `target` or, without one, as the draft."""

    @abstractmethod
    def new_reader(
        self, written: SchemaText, version: int | None, header: bytes, target: SchemaText | None
    ) -> PayloadReader:
        """What reads data that was written as `written`, as data of `target` if there is one.

        `version` is that of the schema in its subject, `header` what stands between the schema's id and the data.
        """

    def check_readable(self, schema: Schema | None, target: SchemaText) -> None:
        """Raise DataException if `target` cannot read what the draft of `schema` writes; not all formats can tell."""

    def record_name_of(self, written: SchemaText, header: bytes) -> str | None:
        """The full name of a schema from the registry, if it is a record."""
        return None

    def header_size(self, data: bytes, start: int) -> int:
        """How many bytes of the format's own stand between the schema's id, which ends at `start`, and the data."""
        return 0

    def write_null(self, topic: str, schema: Schema | None) -> bytes | None:
        """What a None is written as."""
        return None

    def configure(self, configs: Mapping[str, Any], is_key: bool = False) -> None:
        self._originals = dict(configs)
        super().configure(configs, is_key)

    def apply_config(self, values: dict[str, Any]) -> None:
        require_registry_extra(type(self).__name__)
        self._values = values
        self._is_key = values[TYPE_CONFIG] == "key"
        strategy = values[f"{'key' if self._is_key else 'value'}.subject.name.strategy"]
        self._subject_of: SubjectOf = STRATEGIES[strategy]
        self._metadata = _metadata(values[USE_LATEST_WITH_METADATA])
        self._latest_ttl_s: int = values[LATEST_TTL]
        self._latest_until = time.monotonic() + self._latest_ttl_s
        self._registry = RegistryClient(client_factory(values, self._originals), self.SCHEMA_TYPE, self.TEXT_FORMAT)
        self.configure_format(values)
        self._writer_of = lru_cache(values[CACHE_SIZE])(self._new_writer)
        self._last: tuple[str, Schema | None, MessageWriter] | None = None
        self._readers: dict[str, dict[bytes, PayloadReader]] = {}

    def close(self) -> None:
        if hasattr(self, "_registry"):
            self._registry.close()

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        return self.write_null(topic, schema) if value is None else self._write(self._writer_for(topic, schema), value)

    def from_connect_batch(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        is_struct = schema is not None and schema.type is Type.STRUCT
        if not values or values[0] is None or (not is_struct and None in values):
            return super().from_connect_batch(topic, schema, values)
        before, write, write_all = self._writer_for(topic, schema)
        try:
            if write_all is not None:
                return write_all(values, before)
            return [before + write(value) for value in values]
        except Exception:  # A None among structs, or one that does not fit: one by one.
            return super().from_connect_batch(topic, schema, values)

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        if value is None:
            return SchemaAndValue.NULL
        schemas, values = self.to_connect_batch(topic, (value,))
        assert not isinstance(schemas, list)
        return SchemaAndValue(schemas, values[0])

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[Schemas, list[Any]]:
        readers, size = self._readers_for(topic), self.PREFIX_SIZE
        with suppress(Exception):  # A null among them, or one that cannot be read: one by one.
            prefix = values[0][:size]  # type: ignore[index]
            schema, _, read_all = readers[prefix]
            if read_all is not None and [data[:size] for data in values].count(prefix) == len(values):  # type: ignore[index]
                return schema, read_all(values, size)  # type: ignore[arg-type]
        schemas: list[Schema | None] = []
        converted: list[Any] = []
        try:
            for data in values:
                if data is None:
                    schema = value = None
                elif (reader := readers.get(data[:size])) is not None:
                    schema, value = reader.schema, reader.read(data[size:])
                else:
                    schema, value = self._read_unknown(topic, readers, data)
                schemas.append(schema)
                converted.append(value)
        except ConnectException:
            raise
        except Exception as error:
            raise DataException(f"The message is no {self.SCHEMA_TYPE} data of its schema: {_said(error)}") from error
        first = schemas[0] if schemas else None
        return (first if all(each is first for each in schemas) else schemas), converted

    def _write(self, writer: MessageWriter, value: Any) -> bytes:
        try:
            return writer.before + writer.write(value)
        except ConnectException:
            raise
        except Exception as error:
            raise DataException(f"The value cannot be written as {self.SCHEMA_TYPE}: {_said(error)}") from error

    def _writer_for(self, topic: str, schema: Schema | None) -> MessageWriter:
        self._forget_old()
        # Most records have the schema of the one before: that saves the hash of it.
        if (last := self._last) is not None and last[1] is schema and last[0] == topic:
            return last[2]
        writer: MessageWriter = self._writer_of(topic, schema)
        self._last = topic, schema, writer
        return writer

    def _new_writer(self, topic: str, schema: Schema | None) -> MessageWriter:
        draft = self.draft(schema)
        subject = self._subject_of(topic, self._is_key, draft.record_name)
        schema_id, target = self._choose(subject, schema, draft.text)
        writer = self.new_writer(schema, target)
        return MessageWriter(id_bytes(schema_id) + writer.before, writer.write, writer.write_all)

    def _choose(self, subject: str, schema: Schema | None, text: str) -> tuple[int, SchemaText | None]:
        """The id to write with, and the schema of that id where it may be another than the draft."""
        values, registry = self._values, self._registry
        if values[AUTO_REGISTER]:
            return registry.register(subject, text, values[NORMALIZE]), None
        if (schema_id := values[USE_SCHEMA_ID]) >= 0:
            target, is_strict = registry.by_id(schema_id, subject), values[ID_STRICT]
        elif self._metadata is not None:
            (schema_id, target), is_strict = registry.latest_with_metadata(subject, self._metadata), False
        elif values[USE_LATEST]:
            (schema_id, target), is_strict = registry.latest(subject), values[LATEST_STRICT]
        else:
            return registry.look_up(subject, text, values[NORMALIZE]), None
        if is_strict:
            self.check_readable(schema, target)
        return schema_id, target

    def _readers_for(self, topic: str) -> dict[bytes, PayloadReader]:
        self._forget_old()
        readers = self._readers.get(topic)
        if readers is None:
            readers = self._readers[topic] = {}
        return readers

    def _read_unknown(self, topic: str, readers: dict[bytes, PayloadReader], data: bytes) -> tuple[Schema | None, Any]:
        found = read_id(data)
        size = found.size + self.header_size(data, found.size)
        prefix = bytes(data[:size])
        reader = readers.get(prefix)
        if reader is None:
            if len(readers) >= self._values[CACHE_SIZE]:
                readers.clear()
            reader = readers[prefix] = self._new_reader(topic, found, prefix[found.size :])
        return reader.schema, reader.read(data[size:])

    def _new_reader(self, topic: str, found: SchemaId, header: bytes) -> PayloadReader:
        registry = self._registry
        if found.id is None:
            written, version = registry.by_guid(found.guid or ""), None
            subject = self._subject_of(topic, self._is_key, self.record_name_of(written, header))
        else:
            written = registry.by_id(found.id, None)
            subject = self._subject_of(topic, self._is_key, self.record_name_of(written, header))
            version = registry.version(found.id, subject)
        target = None
        if self._metadata is not None:
            target = registry.latest_with_metadata(subject, self._metadata).schema
        elif self._values[USE_LATEST]:
            target = registry.latest(subject).schema
        return self.new_reader(written, version, header, target)

    def _forget_old(self) -> None:
        """What was made with the latest schemas of some time ago is made anew."""
        if self._latest_ttl_s >= 0 and self._latest_until < time.monotonic():
            self._latest_until = time.monotonic() + self._latest_ttl_s
            self._writer_of.cache_clear()
            self._last = None
            self._readers.clear()


def _metadata(text: str | None) -> dict[str, str] | None:
    if not text:
        return None
    key, _, value = text.partition("=")
    return {key.strip(): value.strip()}


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
