"""ByLogicalTableRouter: many tables into one topic (`io.debezium.transforms.ByLogicalTableRouter`, 3.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from connectd.config import CompositeValidator, ConfigDef, Importance, NonEmptyString, Type
from connectd.errors import ConfigException, DataException
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.java_regex import Replacement, compile_pattern, valid_pattern
from plugins.transforms.base import BuiltinTransformation, R
from plugins.transforms.debezium import AFTER, BEFORE, envelope_name, is_envelope, schema_name_adjuster, with_adjustment
from plugins.transforms.requirements import require_struct
from plugins.transforms.structs import StructCopy, builder_like, copy_of

TOPIC_REGEX_CONFIG: Final = "topic.regex"
TOPIC_REPLACEMENT_CONFIG: Final = "topic.replacement"
UNIQUENESS_CONFIG: Final = "key.enforce.uniqueness"
KEY_NAME_CONFIG: Final = "key.field.name"
KEY_REGEX_CONFIG: Final = "key.field.regex"
KEY_REPLACEMENT_CONFIG: Final = "key.field.replacement"
ADJUSTMENT_CONFIG: Final = "schema.name.adjustment.mode"
CACHE_SIZE_CONFIG: Final = "logical.table.cache.size"
PURPOSE: Final = "Updating schema"


class ByLogicalTableRouter(BuiltinTransformation[R]):
    """Sends the change events of tables that belong together, such as shards, to one topic.

    Keys get a field that tells the tables apart, and schemas the names that belong to the topic.
    """

    JAVA_NAME = "io.debezium.transforms.ByLogicalTableRouter"
    CONFIG = with_adjustment(
        ConfigDef()
        .define(
            TOPIC_REGEX_CONFIG,
            Type.STRING,
            validator=CompositeValidator.of(NonEmptyString(), valid_pattern()),
            importance=Importance.HIGH,
            doc="The expression, in Java's syntax, for the whole name of topics that are routed.",
        )
        .define(
            TOPIC_REPLACEMENT_CONFIG,
            Type.STRING,
            validator=NonEmptyString(),
            importance=Importance.HIGH,
            doc="The topic they are routed to; `$1` is what the first group matched.",
        )
        .define(UNIQUENESS_CONFIG, Type.BOOLEAN, True, doc="Whether keys get a field that tells the table.")
        .define(KEY_NAME_CONFIG, Type.STRING, "__dbz__physicalTableIdentifier", doc="The name of that field.")
        .define(
            KEY_REGEX_CONFIG,
            Type.STRING,
            None,
            lambda name, value: None if value is None else compile_pattern(name, value),
            doc="An expression for the whole old name of the topic, to make the value of that field from.",
        )
        .define(
            KEY_REPLACEMENT_CONFIG,
            Type.STRING,
            None,
            doc=f"The value of that field; without `{KEY_REGEX_CONFIG}`, and where that does not match, it is the old topic.",
        )
        .define(CACHE_SIZE_CONFIG, Type.INT, 16, doc="How many schemas and topics are remembered."),
        ADJUSTMENT_CONFIG,
        "How names of schemas are adjusted: `avro` puts underscores in place of what Avro does not allow, `avro_unicode` codes.",
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._topic_regex = compile_pattern(TOPIC_REGEX_CONFIG, values[TOPIC_REGEX_CONFIG])
        self._topic_replacement = _replacement(self._topic_regex, TOPIC_REPLACEMENT_CONFIG, values)
        self._key_regex: re.Pattern[str] | None = None
        if (values[KEY_REGEX_CONFIG] or "").strip():
            if not (values[KEY_REPLACEMENT_CONFIG] or "").strip():
                raise ConfigException(
                    KEY_REPLACEMENT_CONFIG,
                    values[KEY_REPLACEMENT_CONFIG],
                    f"{KEY_REPLACEMENT_CONFIG} must be non-empty if {KEY_REGEX_CONFIG} is set.",
                )
            self._key_regex = compile_pattern(KEY_REGEX_CONFIG, values[KEY_REGEX_CONFIG])
            self._key_replacement = _replacement(self._key_regex, KEY_REPLACEMENT_CONFIG, values)
        self._key_name: str | None = values[KEY_NAME_CONFIG] if values[UNIQUENESS_CONFIG] else None
        self._adjust = schema_name_adjuster(values[ADJUSTMENT_CONFIG])
        remember = lru_cache(maxsize=values[CACHE_SIZE_CONFIG])
        self._topic_of = remember(self._new_topic)
        self._table_of = remember(self._table)
        self._key_copy_for = remember(self._make_key_copy)
        self._event_copy_for = remember(self._make_event_copy)

    def apply(self, record: R) -> R:
        topic = self._topic_of(record.topic)
        if not topic:
            return record
        changes: dict[str, Any] = {"topic": topic, "key_schema": None, "key": None}
        # A table without a primary key has no keys.
        if record.key is not None:
            key = require_struct(record.key, PURPOSE)
            copy = self._key_copy_for(key.schema, topic)
            values = copy.values(key)
            if self._key_name is not None:
                values[-1] = self._table_of(record.topic)
            changes |= {"key_schema": copy.target, "key": Struct.of_checked(copy.target, values)}
        if record.value is not None and is_envelope(record):
            event = require_struct(record.value, PURPOSE)
            copy = self._event_copy_for(event.schema, topic)
            changes |= {"value_schema": copy.target, "value": copy.struct(event)}
        return record.new_record(**changes)

    def _new_topic(self, topic: str) -> str | None:
        first = self._topic_regex.search(topic) if self._topic_regex.fullmatch(topic) else None
        return None if first is None else self._topic_replacement.replace_first(first)

    def _table(self, topic: str) -> str:
        first = self._key_regex.search(topic) if self._key_regex and self._key_regex.fullmatch(topic) else None
        return topic if first is None else self._key_replacement.replace_first(first)

    def _make_key_copy(self, schema: Schema, topic: str) -> StructCopy:
        builder = _builder(schema, self._adjust(f"{topic}.Key"), {})
        if self._key_name is not None:
            builder.field(self._key_name, Schema.STRING_SCHEMA)
        return copy_of(schema, builder.build(), with_defaults=True)

    def _make_event_copy(self, schema: Schema, topic: str) -> StructCopy:
        before = schema.field(BEFORE)
        if before is None:
            raise DataException(f"{BEFORE} is not a valid field name")
        row = _builder(before.schema, self._adjust(f"{topic}.Value"), {}).build()
        target = _builder(schema, self._adjust(envelope_name(topic)), {BEFORE: row, AFTER: row}).build()
        copy = copy_of(before.schema, row, with_defaults=True)

        def renamed(value: Any) -> Any:
            return None if value is None else copy.struct(require_struct(value, PURPOSE))

        return copy_of(schema, target, with_defaults=True, changes={BEFORE: renamed, AFTER: renamed})


def _replacement(pattern: re.Pattern[str], key: str, values: Mapping[str, Any]) -> Replacement:
    try:
        return Replacement(pattern, values[key])
    except re.error as error:
        raise ConfigException(key, values[key], str(error)) from error


def _builder(schema: Schema, name: str, changed: Mapping[str, Schema]) -> SchemaBuilder:
    """A builder of the same schema with another name, and with other schemas of some fields."""
    unnamed = Schema(schema.type, version=schema.version, doc=schema.doc, parameters=schema.parameters)
    builder = builder_like(unnamed, SchemaBuilder.struct()).name(name)
    for field in schema.fields:
        builder.field(field.name, changed.get(field.name, field.schema))
    return builder.optional() if schema.is_optional else builder
