"""EventRouter: events of an outbox table (`io.debezium.transforms.outbox.EventRouter`, 3.4)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from connectd.config import CaseInsensitiveValidString, ConfigDef, Importance, LambdaValidator, Type
from connectd.errors import ConnectException, DataException
from connectd.headers import ConnectHeaders
from connectd.records import SinkRecord
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.java_regex import valid_pattern
from plugins.transforms.base import BuiltinTransformation, R
from plugins.transforms.debezium import (
    AFTER,
    DELETE,
    TIMESTAMP,
    UPDATE,
    configured,
    field_name_adjuster,
    is_envelope,
    operation_of,
    with_adjustment,
)
from plugins.transforms.extract_field import ExtractFieldValue
from plugins.transforms.outbox_fields import ENVELOPE, HEADER, check_placements, parse_placements
from plugins.transforms.outbox_json import JsonSchemas, parse_document, to_struct
from plugins.transforms.regex_router import RegexRouter
from plugins.transforms.requirements import require_struct

logger = logging.getLogger(__name__)

ID_CONFIG: Final = "table.field.event.id"
KEY_CONFIG: Final = "table.field.event.key"
TYPE_CONFIG: Final = "table.field.event.type"
PAYLOAD_CONFIG: Final = "table.field.event.payload"
TIMESTAMP_CONFIG: Final = "table.field.event.timestamp"
PLACEMENT_CONFIG: Final = "table.fields.additional.placement"
ERROR_ON_MISSING_CONFIG: Final = "table.fields.additional.error.on.missing"
VERSION_CONFIG: Final = "table.field.event.schema.version"
INVALID_OPERATION_CONFIG: Final = "table.op.invalid.behavior"
EXPAND_CONFIG: Final = "table.expand.json.payload"
NULL_CONFIG: Final = "table.json.payload.null.behavior"
ROUTE_CONFIG: Final = "route.by.field"
REGEX_CONFIG: Final = "route.topic.regex"
REPLACEMENT_CONFIG: Final = "route.topic.replacement"
TOMBSTONE_CONFIG: Final = "route.tombstone.on.empty.payload"
ADJUSTMENT_CONFIG: Final = "field.name.adjustment.mode"

PAYLOAD: Final = "payload"
REMEMBERED_SCHEMAS: Final = 1000

# How many nanoseconds, microseconds ... of Debezium's types of timestamps make a millisecond.
_UNITS_PER_MS: Final = {
    "io.debezium.time.Timestamp": 1,
    "io.debezium.time.MicroTimestamp": 1000,
    "io.debezium.time.NanoTimestamp": 1_000_000,
}


class EventRouter(BuiltinTransformation[R]):
    """Makes the events that an application inserted into its outbox table records of topics of their own.

    Deletions and tombstones are dropped, as updates are; records that are no change events pass unchanged.
    """

    JAVA_NAME = "io.debezium.transforms.outbox.EventRouter"
    CONFIG = with_adjustment(
        ConfigDef()
        .define(ID_CONFIG, Type.STRING, "id", doc="The column with the id of the event, which becomes the header `id`.")
        .define(KEY_CONFIG, Type.STRING, "aggregateid", doc="The column with the key of the record.")
        .define(TYPE_CONFIG, Type.STRING, "type", doc="The column with the type of the event; it is not used.")
        .define(PAYLOAD_CONFIG, Type.STRING, "payload", doc="The column with the value of the record.")
        .define(
            TIMESTAMP_CONFIG,
            Type.STRING,
            None,
            doc="The column with the timestamp of the record; without it, it is when Debezium processed the event.",
        )
        .define(
            PLACEMENT_CONFIG,
            Type.STRING,
            None,
            LambdaValidator.with_(
                check_placements, lambda: "list of pairs or triples, e.g. `foo:header,bar:envelope:baz`"
            ),
            Importance.HIGH,
            "Columns to add: `column:header`, `column:envelope` or `column:partition`, with another name behind another "
            "colon. With an envelope the value is a struct of the payload and these columns.",
        )
        .define(ERROR_ON_MISSING_CONFIG, Type.BOOLEAN, True, doc="Whether such a column that is missing is an error.")
        .define(VERSION_CONFIG, Type.STRING, None, doc="The column with the version for the schema of the envelope.")
        .define(
            INVALID_OPERATION_CONFIG,
            Type.STRING,
            "warn",
            CaseInsensitiveValidString.in_("warn", "error", "fatal"),
            doc="What an update of the table is: logged as a warning or as an error, or the end of the task.",
        )
        .define(EXPAND_CONFIG, Type.BOOLEAN, False, doc="Whether a payload of JSON text becomes a struct.")
        .define(
            NULL_CONFIG,
            Type.STRING,
            "ignore",
            CaseInsensitiveValidString.in_("ignore", "optional_bytes"),
            doc="What a null in such a text becomes: left out, or a field of optional bytes.",
        )
        .define(
            ROUTE_CONFIG,
            Type.STRING,
            "aggregatetype",
            importance=Importance.HIGH,
            doc="The column that tells the topic.",
        )
        .define(
            REGEX_CONFIG,
            Type.STRING,
            "(?<routedByValue>.*)",
            valid_pattern(),
            doc=f"The expression, in Java's syntax, for what is in `{ROUTE_CONFIG}`.",
        )
        .define(
            REPLACEMENT_CONFIG,
            Type.STRING,
            "outbox.event.${routedByValue}",
            importance=Importance.HIGH,
            doc="The topic.",
        )
        .define(TOMBSTONE_CONFIG, Type.BOOLEAN, False, doc="Whether an empty payload makes a tombstone."),
        ADJUSTMENT_CONFIG,
        "How names of fields in JSON text are adjusted: `avro` puts underscores in place of what Avro does not allow.",
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._id: str = values[ID_CONFIG]
        self._key: str = values[KEY_CONFIG]
        self._payload: str = values[PAYLOAD_CONFIG]
        self._timestamp: str | None = values[TIMESTAMP_CONFIG]
        self._version: str | None = values[VERSION_CONFIG]
        self._topic: str = values[ROUTE_CONFIG]
        self._invalid_operation: str = values[INVALID_OPERATION_CONFIG].lower()
        self._makes_tombstones: bool = values[TOMBSTONE_CONFIG]
        self._fails_on_missing: bool = values[ERROR_ON_MISSING_CONFIG]
        self._added = parse_placements(values[PLACEMENT_CONFIG])
        self._has_envelope = any(field.placement == ENVELOPE for field in self._added)
        self._expands: bool = values[EXPAND_CONFIG]
        keeps_nulls = values[NULL_CONFIG].lower() == "optional_bytes"
        self._json = JsonSchemas(keeps_nulls, field_name_adjuster(values[ADJUSTMENT_CONFIG]))
        self._extract_after = configured(ExtractFieldValue(), field=AFTER).apply
        settings = {"regex": values[REGEX_CONFIG], "replacement": values[REPLACEMENT_CONFIG]}
        self._route = configured(RegexRouter(), **settings).apply
        self._schema_for = lru_cache(maxsize=REMEMBERED_SCHEMAS)(self._make_schema)

    def apply(self, record: R) -> R | None:
        if record.value is None:
            return None
        if not is_envelope(record):
            return record
        operation = operation_of(record, "Detect Debezium Operation")
        if operation == DELETE:
            return None
        if operation == UPDATE:
            self._refuse_update(record)
            return None
        after = self._extract_after(record)
        row = require_struct(after.value, "Read Outbox Event")
        return self._route(self._event(record, row))  # type: ignore[no-any-return]

    def _refuse_update(self, record: R) -> None:
        if self._invalid_operation == "fatal":
            raise ConnectException(f"Unexpected update message received in topic {record.topic}, fail.")
        level = logging.WARNING if self._invalid_operation == "warn" else logging.ERROR
        logger.log(level, "Unexpected update message received in topic %s and ignored", record.topic)

    def _event(self, record: R, row: Struct) -> R:
        fields = row.schema
        payload_schema = self._required(fields, self._payload, "payload")
        timestamp = self._timestamp_ms(record.value, row)
        payload = row.get(self._payload)
        headers = record.headers.duplicate().add("id", row.get(self._id), self._required(fields, self._id, "event-id"))
        if self._expands:
            payload_schema, payload = self._expanded(payload_schema, payload)
        value_schema: Schema | None = payload_schema
        value = payload
        if self._has_envelope:
            version = None if self._version is None else row.get_int32(self._version)
            value_schema = self._schema_for(payload_schema, fields, version, row.get_string(self._topic))
            value = Struct(value_schema).put(PAYLOAD, payload)
        partition = self._add(headers, value, row)
        if self._makes_tombstones and (payload is None or (isinstance(payload, str) and not payload.strip())):
            value_schema = value = None
        if partition is None and isinstance(record, SinkRecord):
            partition = record.partition
        key = fields.field(self._key)
        return record.new_record(
            topic=row.get_string(self._topic),
            partition=partition,
            key_schema=Schema.STRING_SCHEMA if key is None else key.schema,
            key=row.get(self._key),
            value_schema=value_schema,
            value=value,
            timestamp=timestamp,
            headers=headers,
        )

    def _add(self, headers: ConnectHeaders, value: Any, row: Struct) -> int | None:
        """Put the additional columns where they belong, and give the partition if one of them tells it."""
        partition = None
        for field in self._added:
            column = row.schema.field(field.name)
            if column is None and not self._fails_on_missing:
                continue
            if column is None:
                raise DataException(f"{field.name} is not a valid field name")
            if field.placement == ENVELOPE:
                value.put(field.new_name, row.get(column))
            elif field.placement == HEADER:
                headers.add(field.new_name, row.get(column), column.schema)
            else:
                partition = row.get_int32(field.name)
        return partition

    def _required(self, schema: Schema, name: str, what: str) -> Schema:
        field = schema.field(name)
        if field is None:
            raise ConnectException(f"Unable to find {what} field {name} in event")
        return field.schema

    def _timestamp_ms(self, event: Struct, row: Struct) -> int | None:
        if self._timestamp is None:
            return event.get_int64(TIMESTAMP)
        schema = self._required(row.schema, self._timestamp, "timestamp")
        timestamp = row.get_int64(self._timestamp)
        if timestamp is None:
            return event.get_int64(TIMESTAMP)
        if schema.name is None:
            raise ConnectException(
                f"Unsupported field type {schema.type} (without logical schema name) for event timestamp"
            )
        units = _UNITS_PER_MS.get(schema.name)
        if units is None:
            raise ConnectException(f"Unsupported field type {schema.name} for event timestamp")
        return timestamp // units if timestamp >= 0 else -(-timestamp // units)

    def _expanded(self, schema: Schema, payload: Any) -> tuple[Schema, Any]:
        """A payload of JSON text with the schema found out from it; any other as it is, with a warning."""
        try:
            if not isinstance(payload, str):
                raise ValueError("it is no text")
            document = parse_document(payload)
            expanded = self._json.schema_of(self._payload, document)
            if expanded is None or not isinstance(document, dict):
                raise ValueError("it is no JSON object")
            return expanded, to_struct(document, expanded)
        except (ValueError, ConnectException) as error:
            logger.warning("The payload is not expanded: %s", error)
            return schema, payload

    def _make_schema(self, payload: Schema, row: Schema, version: int | None, topic: str) -> Schema:
        namespace, dot, name = (row.name or "").rpartition(".")
        builder = SchemaBuilder.struct().name(topic if row.name is None else f"{namespace}{dot}{topic}.{name}")
        builder.field(PAYLOAD, payload)
        for field in self._added:
            if field.placement == ENVELOPE:
                builder.field(field.new_name, self._required(row, field.name, "additional"))
        if version is not None:
            builder.version(version)
        return builder.build()
