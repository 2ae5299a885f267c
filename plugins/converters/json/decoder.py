"""Reads JSON messages: at speed where that is possible, otherwise by the rules, with the errors they know."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from connectd.errors import DataException
from connectd.schema import Schema
from plugins.converters.json.fast_reading import fast_reader, read_all_plain
from plugins.converters.json.grammar import parse
from plugins.converters.json.reading import ValueReader
from plugins.converters.json.schemas import schema_from_json

Schemas = Schema | list[Schema | None] | None


class JsonDecoder(Protocol):
    """Reads messages. Raises DataException for what cannot be read."""

    def decode(self, data: bytes) -> tuple[Schema | None, Any]:
        """The schema and value of one message."""

    def decode_all(self, messages: Sequence[bytes | None]) -> tuple[Schemas, list[Any]]:
        """The values of messages and their schema, or a list of schemas when they differ; None stays None."""


class PayloadDecoder:
    """Reads messages that are all of one schema, or of none."""

    def __init__(self, schema: Schema | None, reader: ValueReader) -> None:
        self.schema = schema
        self.read_fast = fast_reader(schema, reader.replace_null_with_default)
        self._reader = reader

    def read(self, data: bytes) -> Any:
        """The value of one message."""
        try:
            return self.read_fast(data)
        except Exception:  # Whatever it was, the slow way decides whether it is an error.
            return self._reader.read(self.schema, parse(data))

    def decode(self, data: bytes) -> tuple[Schema | None, Any]:
        return self.schema, self.read(data)

    def decode_all(self, messages: Sequence[bytes | None]) -> tuple[Schemas, list[Any]]:
        if self.schema is None:
            with suppress(Exception):  # One that is null, or not for the fast way.
                return None, read_all_plain(messages)
        read = self.read
        values = [None if data is None else read(data) for data in messages]
        if self.schema is None or None not in messages:
            return self.schema, values
        # What has no bytes has no schema either; a JSON null does have one.
        return common_schema([None if data is None else self.schema for data in messages]), values


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    schema: msgspec.Raw
    payload: msgspec.Raw


_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)


def _envelope(data: bytes) -> _Envelope | None:
    try:
        return _ENVELOPES.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


_NOTHING_BEGINS_SO: Final = b"\0"


class EnvelopeDecoder:
    """Reads messages that carry their schema. What has been made of a schema is kept, for `cache_size` schemas."""

    def __init__(self, reader: ValueReader, cache_size: int) -> None:
        self._reader = reader
        self._payloads_of = lru_cache(cache_size)(self._new_payload_decoder)
        # The messages of a topic mostly begin alike, up to the payload; then nothing of that is read again.
        self._last = _NOTHING_BEGINS_SO, PayloadDecoder(None, reader)

    def decode(self, data: bytes) -> tuple[Schema | None, Any]:
        schemas, values = self._decode_all((data,))
        return schemas[0], values[0]

    def decode_all(self, messages: Sequence[bytes | None]) -> tuple[Schemas, list[Any]]:
        schemas, values = self._decode_all(messages)
        return common_schema(schemas), values

    def _decode_all(self, messages: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:
        schemas: list[Schema | None] = []
        values: list[Any] = []
        beginning, payloads = self._last
        for data in messages:
            schema: Schema | None = None
            value = None
            if data is not None and data.startswith(beginning) and data.endswith(b"}"):
                try:
                    schema, value = payloads.schema, payloads.read_fast(data[len(beginning) : -1])
                except Exception:  # It only happened to begin so, or is not for the fast way.
                    schema, value = self._decode_any(data)
            elif data is not None:
                schema, value = self._decode_any(data)
                beginning, payloads = self._last
            schemas.append(schema)
            values.append(value)
        return schemas, values

    def _decode_any(self, data: bytes) -> tuple[Schema | None, Any]:
        envelope = _envelope(data)
        if envelope is None:
            return self._decode_slowly(data)
        schema = bytes(envelope.schema)
        payloads = self._payloads_of(schema)
        beginning = b'{"schema":' + schema + b',"payload":'
        if data.startswith(beginning):
            self._last = beginning, payloads
        return payloads.schema, payloads.read(bytes(envelope.payload))

    def _decode_slowly(self, data: bytes) -> tuple[Schema | None, Any]:
        tree = parse(data)
        if not isinstance(tree, dict) or tree.keys() != {"schema", "payload"}:
            raise DataException(
                'Expected an object with the fields "schema" and "payload" and no others, since schemas.enable is true.'
                " To read JSON without schemas set schemas.enable=false in the converter's configuration."
            )
        schema = schema_from_json(tree["schema"], self._reader)
        return schema, self._reader.read(schema, tree["payload"])

    def _new_payload_decoder(self, schema: bytes) -> PayloadDecoder:
        return PayloadDecoder(schema_from_json(parse(schema), self._reader), self._reader)


def common_schema(schemas: list[Schema | None]) -> Schemas:
    """The schema that all have in common, if they do, else the list."""
    return schemas[0] if schemas and schemas.count(schemas[0]) == len(schemas) else (schemas or None)
