"""The JSON form of records in `TransformsVectors.java`'s cases, and connectd's answers to the same cases."""

from __future__ import annotations

import re
from typing import Any

from connectd.errors import ConnectException
from connectd.headers import ConnectHeaders, Header
from connectd.records import ConnectRecord, SinkRecord, SourceRecord, TimestampType
from connectd.schema import Schema
from connectd.transforms import Predicate
from plugins.discovery import find_class
from tests.peer.values_codec import Json, decode, decode_schema, encode, encode_schema

Case = dict[str, Json]


def answers(case: Case) -> list[Json]:
    """What connectd makes of a case: one answer a record, or the one error of the configuration."""
    plugin = find_class(case["class"])()
    try:
        plugin.configure(case["config"])
    except ConnectException as error:
        return [_error(error)]
    return [_answer(plugin, decode_record(record)) for record in case["records"]]


def _answer(plugin: Any, record: ConnectRecord) -> Json:
    before = encode_record(record)
    try:
        if isinstance(plugin, Predicate):
            return plugin.test(record)
        changed = plugin.apply(record)
    except ConnectException as error:
        return _error(error)
    # A record that was given is never changed: the source task and the dead letter queue still need it.
    assert encode_record(record) == before
    return None if changed is None else encode_record(changed)


def _error(error: ConnectException) -> Json:
    return {"error": type(error).__name__, "message": str(error)}


def decode_record(json: Json) -> ConnectRecord:
    (key_schema, key), (value_schema, value) = map(_decode_pair, (json["key"], json["value"]))
    headers = ConnectHeaders.of(Header(name, decode_schema(schema), decode(it)) for name, schema, it in json["headers"])
    common: dict[str, Any] = {
        "topic": json["topic"],
        "partition": json["partition"],
        "key_schema": key_schema,
        "key": key,
        "value_schema": value_schema,
        "value": value,
        "timestamp": json["timestamp"],
        "headers": headers,
    }
    if json["offset"] is None:
        return SourceRecord({"file": "a"}, {"position": 1}, **common)
    type = TimestampType.NO_TIMESTAMP_TYPE if json["timestamp"] is None else TimestampType.CREATE_TIME
    return SinkRecord(**common, kafka_offset=json["offset"], timestamp_type=type)


def _decode_pair(json: Json) -> tuple[Schema | None, Any]:
    return decode_schema(json[0]), decode(json[1])


def encode_record(record: ConnectRecord) -> Json:
    sink = record if isinstance(record, SinkRecord) else None
    return {
        "topic": record.topic,
        "partition": record.partition,
        "key": [encode_schema(record.key_schema), encode(record.key)],
        "value": [encode_schema(record.value_schema), encode(record.value)],
        "timestamp": record.timestamp,
        "headers": [[each.key, encode_schema(each.schema), encode(each.value)] for each in record.headers],
        "offset": sink and sink.kafka_offset,
        "original": sink and [sink.original_topic, sink.original_kafka_partition, sink.original_kafka_offset],
    }


def normalized(json: Json) -> Json:
    """An answer in a form that compares: Java's maps have no order, and floats are spelled as in Python."""
    match json:
        case dict():
            return {key: normalized(value) for key, value in json.items()}
        case ["float", str() as text]:
            return ["float", repr(float(text))]
        case ["map", list() as entries]:
            return ["map", sorted((normalized(entry) for entry in entries), key=repr)]
        case list():
            return [normalized(each) for each in json]
    return json


# Java's name of a type in a message, and ours.
_TYPES = {
    "java.lang.String": "str",
    "java.lang.Boolean": "bool",
    "java.lang.Byte": "int",
    "java.lang.Short": "int",
    "java.lang.Integer": "int",
    "java.lang.Long": "int",
    "java.lang.Float": "float",
    "java.lang.Double": "float",
    "java.math.BigDecimal": "Decimal",
    "java.util.ArrayList": "list",
    "java.util.HashMap": "dict",
    "java.util.LinkedHashMap": "dict",
    "[B": "bytes",
    "org.apache.kafka.connect.data.Struct": "Struct",
    "org.apache.kafka.connect.source.SourceRecord": "SourceRecord",
}
_TYPE = re.compile("(?:class )?(" + "|".join(map(re.escape, sorted(_TYPES, key=len, reverse=True))) + r")(?![\w.])")
# All our types of dates and times are one in Java.
_DATE = re.compile(r"(?:class )?java\.util\.Date(?![\w.])|\b(?:date|time|datetime)\b")

# Messages of which connectd has its own wording: of checks that values fit schemas, of parsing, and of what is no error
# on purpose in Java (`expected` is false: a null pointer, a failed cast, ...).
_OWN_WORDING = re.compile(
    r"Invalid (?:Java object|value|default value)|Unable to convert|Struct schemas do not match|Invalid regex|"
    r"(?s:.*): (?:Sink|Source)Record\{|Timestamp missing on record|Cannot (?:list|look up) |The value .* is not compatible"
)

# Said of one of several fields; which one comes first has no order in Java where there is no schema.
_OF_ONE_FIELD = re.compile(
    r"Cast transformation (?:does not support casting|was passed)|Value \(|Unexpected type in Cast|"
    r"Cannot mask value"
)


def _error_parts(json: Json) -> tuple[str, str]:
    message = _DATE.sub("date", _TYPE.sub(lambda match: _TYPES[match[1]], json["message"]))
    return json["error"], "of one field" if _OF_ONE_FIELD.match(message) else message


def agree(ours: Json, javas: Json) -> bool:
    """Whether both answers are the same. Where Java fails by accident, connectd has to raise any ConnectException."""
    if not (isinstance(javas, dict) and "error" in javas):
        return bool(normalized(ours) == normalized(javas))
    if not (isinstance(ours, dict) and "error" in ours):
        return False
    (our_class, our_message), (java_class, java_message) = _error_parts(ours), _error_parts(javas)
    if not javas["expected"]:
        return True
    if java_message.startswith("Unable to validate config"):  # Debezium says in its log what is wrong
        return our_class == "ConfigException"
    return our_class == java_class and bool(our_message == java_message or _OWN_WORDING.match(java_message))
