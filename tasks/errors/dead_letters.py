"""Dead letters: what is written for a record that failed, as it was before anything was done to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import orjson
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from connectd.converters import HeaderConverter
from connectd.records import SourceRecord
from connectd.schema import Schema
from plugins.converters.json import JsonConverter
from tasks.errors import headers
from tasks.errors.context import ProcessingContext
from tasks.errors.headers import Header
from tasks.errors.stages import Stage

# How the key and value of a source's record are written: as the converters made them, as JSON with schemas, or, where
# that is not possible, as text for people.
BYTES: Final = "bytes"
JSON: Final = "json"
TEXT: Final = "text"


class DeadLetter(NamedTuple):
    """A record for the dead letter queue; the timestamp in ms, None for that of now."""

    key: bytes | None
    value: bytes | None
    headers: list[Header]
    timestamp: int | None = None


MakeLetter = Callable[[ProcessingContext], DeadLetter]


def sink_letters(connector: str, task: int, *, with_context: bool) -> MakeLetter:
    """The message as it was read, byte for byte, with the headers of the context behind its own where that is asked for."""

    def letter(context: ProcessingContext) -> DeadLetter:
        message: Message = context.original
        kept: list[Header] = list(message.headers() or [])  # type: ignore[arg-type]
        if with_context:
            kept += [
                (headers.TOPIC, (message.topic() or "").encode()),
                (headers.PARTITION, str(message.partition()).encode()),
                (headers.OFFSET, str(message.offset()).encode()),
                *headers.why(context, connector, task),
            ]
        kind, timestamp = message.timestamp()
        return DeadLetter(
            message.key(),
            message.value(),
            kept,
            None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        )

    return letter


class ProducedRecord(NamedTuple):
    """A record of a source that was converted and that the producer could not deliver."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    timestamp: int | None
    record: SourceRecord | None = None


def source_letters(connector: str, task: int, header_converter: HeaderConverter) -> MakeLetter:
    """A source's record, which without its context would be of no use: that is always there.

    What was converted is written as it is; what was not is written as JSON with its schema.
    """

    def letter(context: ProcessingContext) -> DeadLetter:
        original = context.original
        if isinstance(original, ProducedRecord):
            return _with_context(context, original.key, original.value, original.headers, BYTES)
        record: SourceRecord = original
        try:
            key = _json(record.topic, record.key_schema, record.key)
            value = _json(record.topic, record.value_schema, record.value)
            kept = [
                (each.key, header_converter.from_connect_header(record.topic, each.key, each.schema, each.value))
                for each in record.headers
            ]
        except Exception:
            return _with_context(context, _text(record.key), _text(record.value), [], TEXT)
        return _with_context(context, key, value, kept, JSON)

    def _with_context(
        context: ProcessingContext, key: bytes | None, value: bytes | None, kept: list[Header], form: str
    ) -> DeadLetter:
        original = context.original
        record = original.record if isinstance(original, ProducedRecord) else original
        found = [*kept, (headers.TOPIC, original.topic.encode())]
        if original.partition is not None:
            found.append((headers.PARTITION, str(original.partition).encode()))
        found += headers.why(context, connector, task)
        if record is not None:
            found.append((headers.SOURCE_PARTITION, _fields(record.source_partition)))
            found.append((headers.SOURCE_OFFSET, _fields(record.source_offset)))
        found.append((headers.FORMAT, form.encode()))
        if original.timestamp is not None:
            found.append((headers.SOURCE_TIMESTAMP, str(original.timestamp).encode()))
        return DeadLetter(key, value, found)

    return letter


def context_of_produced(record: ProducedRecord) -> ProcessingContext:
    """The context of what the producer could not deliver."""
    context = ProcessingContext(record)
    context.stage = Stage.KAFKA_PRODUCE
    return context


@cache
def _converter() -> JsonConverter:
    return JsonConverter()


def _json(topic: str, schema: Schema | None, value: Any) -> bytes | None:
    return None if schema is None and value is None else _converter().from_connect_data(topic, schema, value)


def _text(value: Any) -> bytes | None:
    return None if value is None else str(value).encode(errors="replace")


def _fields(fields: Any) -> bytes:
    return orjson.dumps(fields, default=repr, option=orjson.OPT_NON_STR_KEYS)
