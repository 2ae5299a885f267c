"""Records as JSON for people: how one is shown, and how one is written in a file of records to try."""

from __future__ import annotations

import base64
import datetime
import decimal
from typing import Any

import orjson
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_NOT_AVAILABLE, Message

from connectd.records import SinkRecord, SourceRecord
from connectd.schema import Schema, SchemaAndValue, Type
from connectd.struct import Struct
from plugins.converters.json import JsonConverter
from tasks.messages import Reason
from tasks.pipeline import Pipeline
from tasks.refusal import Refusal
from tasks.sink.batch import MessageBatch

FIELDS = {"topic", "partition", "offset", "timestamp", "key", "value", "headers"}
_JSON = JsonConverter()
_PLAIN = JsonConverter()
_PLAIN.configure({"schemas.enable": False})


def message_of(line: bytes, number: int, is_source: bool) -> Message:
    """The record that a line of a file describes: an object with `value`, and what else it should have, or a value alone.

    Raises Refusal for what is no JSON.
    """
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Refusal(Reason.WRONG, f"Line {number + 1} of the records is no JSON: {error}") from error
    if not (isinstance(given, dict) and "value" in given and given.keys() <= FIELDS):
        given = {"value": given}
    timestamp = given.get("timestamp")
    return Message(
        topic=given.get("topic", "records"),
        partition=given.get("partition", 0),
        offset=given.get("offset", number),
        key=_bytes(given.get("key"), is_source),
        value=_bytes(given["value"], is_source),
        headers=[(name, _bytes(value, is_source=False)) for name, value in (given.get("headers") or {}).items()],
        timestamp=(TIMESTAMP_NOT_AVAILABLE, 0) if timestamp is None else (TIMESTAMP_CREATE_TIME, timestamp),
    )


def _bytes(value: Any, is_source: bool) -> bytes | None:
    """What a converter of a sink would read: texts as they are, all else as JSON."""
    if value is None:
        return None
    return value.encode() if isinstance(value, str) and not is_source else orjson.dumps(value)


def sink_record(pipeline: Pipeline, message: Message) -> SinkRecord:
    """As a sink gets it. Raises ConnectException."""
    return MessageBatch([message], pipeline, None).records()[0]


def source_record(pipeline: Pipeline, message: Message) -> SourceRecord:
    """As a source might have made it: JSON in an envelope has a schema. Raises DataException."""
    key, value = _connect(message.key()), _connect(message.value())
    kind, timestamp = message.timestamp()
    return SourceRecord(
        {},
        {},
        message.topic() or "",
        message.partition(),
        key.schema,
        key.value,
        value.schema,
        value.value,
        None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        pipeline.headers_to_connect(message.topic() or "", message.headers()),
    )


def _connect(data: bytes | None) -> SchemaAndValue:
    if data is None:
        return SchemaAndValue.NULL
    tree = orjson.loads(data)
    has_schema = isinstance(tree, dict) and tree.keys() == {"schema", "payload"}
    return (_JSON if has_schema else _PLAIN).to_connect_data("", data)


def shown(record: SinkRecord | SourceRecord) -> bytes:
    """A record as JSON."""
    fields: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp,
        "key_schema": _schema(record.key_schema),
        "key": _value(record.key),
        "value_schema": _schema(record.value_schema),
        "value": _value(record.value),
        "headers": [[each.key, _value(each.value)] for each in record.headers],
    }
    return orjson.dumps(fields, default=repr, option=orjson.OPT_NON_STR_KEYS)


def _schema(schema: Schema | None) -> Any:
    """In short: a struct as an object of its fields, all else by its name or type, with a `?` where null is allowed."""
    if schema is None:
        return None
    if schema.type is Type.STRUCT:
        return {field.name: _schema(field.schema) for field in schema.fields}
    text = (schema.name or "").rpartition(".")[2] or schema.type.value
    return f"{text}?" if schema.is_optional else text


def _value(value: Any) -> Any:
    match value:
        case Struct():
            return {field.name: _value(value.get(field)) for field in value.schema.fields}
        case dict():
            return {str(key): _value(each) for key, each in value.items()}
        case list():
            return [_value(each) for each in value]
        case bytes() | bytearray() | memoryview():
            return {"base64": base64.b64encode(value).decode("ascii")}
        case decimal.Decimal():
            return str(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
    return value
