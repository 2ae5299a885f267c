"""ExtractNewRecordState: rows in place of Debezium's change events (`io.debezium.transforms.ExtractNewRecordState`, 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from connectd.config import CaseInsensitiveValidString, ConfigDef, Importance, Type
from connectd.errors import DataException
from connectd.headers import ConnectHeaders
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.transforms.base import REPLACE_NULL_CONFIG, BuiltinTransformation, R
from plugins.transforms.debezium import AFTER, BEFORE, DELETE, OPERATION, configured, is_envelope, operation_of
from plugins.transforms.debezium_fields import EventField, parse_fields
from plugins.transforms.extract_field import ExtractFieldValue
from plugins.transforms.insert_field import InsertFieldValue
from plugins.transforms.replace_field import EXCLUDE_CONFIG, ReplaceField, ReplaceFieldKey, ReplaceFieldValue
from plugins.transforms.requirements import require_struct
from plugins.transforms.structs import StructCopy, builder_like, copy_of

HANDLING_CONFIG: Final = "delete.tombstone.handling.mode"
ROUTE_CONFIG: Final = "route.by.field"
FIELDS_PREFIX_CONFIG: Final = "add.fields.prefix"
FIELDS_CONFIG: Final = "add.fields"
HEADERS_PREFIX_CONFIG: Final = "add.headers.prefix"
HEADERS_CONFIG: Final = "add.headers"
DROP_HEADER_CONFIG: Final = "drop.fields.header.name"
DROP_FROM_KEY_CONFIG: Final = "drop.fields.from.key"
DROP_COMPATIBLE_CONFIG: Final = "drop.fields.keep.schema.compatible"

DROP: Final = "drop"
TOMBSTONE: Final = "tombstone"
REWRITE: Final = "rewrite"
REWRITE_WITH_TOMBSTONE: Final = "rewrite-with-tombstone"
DELETE_TO_TOMBSTONE: Final = "delete-to-tombstone"
REMEMBERED_SCHEMAS: Final = 64
DELETED_FIELD: Final = "__deleted"
PURPOSE: Final = "source field insertion"

_PAIRS_DOC: Final = "`source.` or `transaction.` before a name says where it is; a name after a colon replaces its own."


class ExtractNewRecordState(BuiltinTransformation[R]):
    """Puts the new state of the row in place of Debezium's change event. Other records pass unchanged."""

    JAVA_NAME = "io.debezium.transforms.ExtractNewRecordState"
    CONFIG = (
        ConfigDef()
        .define(
            HANDLING_CONFIG,
            Type.STRING,
            TOMBSTONE,
            CaseInsensitiveValidString.in_(DROP, TOMBSTONE, REWRITE, REWRITE_WITH_TOMBSTONE, DELETE_TO_TOMBSTONE),
            Importance.MEDIUM,
            "What becomes of a deletion and of the tombstone behind it. `drop`: neither stays. `tombstone`: the deletion "
            "becomes a record with a null value. `rewrite`: the deletion becomes the row as it was, with a field `__deleted`; "
            "with `rewrite-with-tombstone` the tombstone stays too. `delete-to-tombstone`: as `tombstone`, without a schema.",
        )
        .define(ROUTE_CONFIG, Type.STRING, "", doc="The field of the row whose text becomes the topic; none if empty.")
        .define(
            FIELDS_PREFIX_CONFIG, Type.STRING, "__", doc=f"What names of fields added by `{FIELDS_CONFIG}` begin with."
        )
        .define(FIELDS_CONFIG, Type.STRING, "", doc=f"Fields of the event to add to the row. {_PAIRS_DOC}")
        .define(
            HEADERS_PREFIX_CONFIG,
            Type.STRING,
            "__",
            doc=f"What names of headers added by `{HEADERS_CONFIG}` begin with.",
        )
        .define(HEADERS_CONFIG, Type.STRING, "", doc=f"Fields of the event to add as headers. {_PAIRS_DOC}")
        .define(
            REPLACE_NULL_CONFIG, Type.BOOLEAN, True, doc="Whether null becomes the default value in rewritten rows."
        )
        .define(DROP_HEADER_CONFIG, Type.STRING, None, doc="The header that lists fields to leave out of the row.")
        .define(DROP_FROM_KEY_CONFIG, Type.BOOLEAN, False, doc="Whether these fields are left out of the key too.")
        .define(DROP_COMPATIBLE_CONFIG, Type.BOOLEAN, True, doc="Whether only optional fields are left out.")
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._handling = values[HANDLING_CONFIG].lower()
        self._route_field: str = values[ROUTE_CONFIG]
        self._added_fields = parse_fields(values[FIELDS_PREFIX_CONFIG], values[FIELDS_CONFIG])
        self._added_headers = parse_fields(values[HEADERS_PREFIX_CONFIG], values[HEADERS_CONFIG])
        self._drop_header: str | None = values[DROP_HEADER_CONFIG]
        self._drops_from_key: bool = values[DROP_FROM_KEY_CONFIG]
        self._drops_optional_only: bool = values[DROP_COMPATIBLE_CONFIG]
        self._is_rewriting = self._handling in (REWRITE, REWRITE_WITH_TOMBSTONE)
        flag = {"static_field": DELETED_FIELD, "replace_null_with_default": str(values[REPLACE_NULL_CONFIG])}
        self._mark_deleted = configured(InsertFieldValue(), static_value="true", **flag).apply
        self._mark_kept = configured(InsertFieldValue(), static_value="false", **flag).apply
        self._extract_after = configured(ExtractFieldValue(), field=AFTER).apply
        self._extract_before = configured(ExtractFieldValue(), field=BEFORE).apply
        self._plan_for = lru_cache(maxsize=REMEMBERED_SCHEMAS)(self._make_plan)

    def apply(self, record: R) -> R | None:
        is_tombstone = record.value is None
        is_event = is_envelope(record)
        if self._added_headers and (is_event or is_tombstone):
            record = record.new_record(headers=self._with_headers(record))
        if is_tombstone:
            return record if self._handling == REWRITE_WITH_TOMBSTONE else None
        if not is_event:
            return record
        row = self._extract_after(record)
        if row.value is not None:
            return self._changed(record, row)
        before = self._extract_before(record)
        # An event without any row is that of a truncated table.
        return None if before.value is None else self._deleted(record, row, before)

    def _deleted(self, record: R, row: R, before: R) -> R | None:
        if self._handling == DROP:
            return None
        if self._is_rewriting:
            row = self._mark_deleted(before) if isinstance(before.value, Struct) else before
        elif self._handling == DELETE_TO_TOMBSTONE:
            row = record.new_record(value_schema=None, value=None)
        if self._route_field:
            event = require_struct(record.value, "Read record to set topic routing for DELETE")
            row = self._routed(row, event.get_struct(BEFORE))
        row = self._without_fields(row)
        return row if row.value is None else self._with_fields(record, row)

    def _changed(self, record: R, row: R) -> R:
        if self._is_rewriting and isinstance(row.value, Struct):
            row = self._mark_kept(row)
        if self._route_field:
            value = require_struct(row.value, "Read record to set topic routing for CREATE / UPDATE")
            row = self._routed(row, value)
        return self._without_fields(self._with_fields(record, row))

    def _routed(self, row: R, value: Any) -> R:
        topic = value.get_string(self._route_field)
        return row.new_record(topic=topic) if topic and not topic.isspace() else row

    def _with_headers(self, record: R) -> ConnectHeaders:
        headers = record.headers.duplicate()
        for field in self._added_headers:
            if record.value is None:
                if field.name == OPERATION:
                    headers.add_string(field.new_name, DELETE)
                continue
            event = require_struct(record.value, PURPOSE)
            schema = field.schema_in(event.schema)
            if schema is not None:
                headers.add(field.new_name, field.value_in(event), schema)
        return headers

    def _with_fields(self, record: R, row: R) -> R:
        value = require_struct(row.value, PURPOSE)
        event = require_struct(record.value, PURPOSE)
        operation_of(record, PURPOSE)  # an event without one is an error, as in Java
        copy, fields = self._plan_for(value.schema, event.schema)
        struct = copy.struct(value)
        for field in fields:
            struct.put(field.new_name, field.value_in(event))
        return row.new_record(value_schema=copy.target, value=struct)

    def _make_plan(self, schema: Schema, event_schema: Schema) -> tuple[StructCopy, list[EventField]]:
        """For rows of a schema in events of another: the row's own fields, and those that are added."""
        builder = builder_like(schema, SchemaBuilder.struct())
        for own in schema.fields:
            builder.field(own.name, own.schema)
        added = []
        for field in self._added_fields:
            field_schema = field.schema_in(event_schema)
            if field_schema is not None:
                builder.field(field.new_name, field_schema)
                added.append(field)
        return copy_of(schema, builder.build(), with_defaults=False), added

    def _without_fields(self, row: R) -> R:
        header = row.headers.last_with_name(self._drop_header) if self._drop_header else None
        if header is None or not header.value:
            return row
        if self._drops_from_key and row.key is not None:
            row = self._dropped(ReplaceFieldKey(), row, row.key_schema, header.value)
        return self._dropped(ReplaceFieldValue(), row, row.value_schema, header.value)

    def _dropped(self, replace: ReplaceField[R], row: R, schema: Schema | None, names: list[str]) -> R:
        if self._drops_optional_only:
            if schema is None:
                raise DataException(f"Header '{self._drop_header}' names fields to drop, but the record has no schema")
            names = [field.name for field in schema.fields if field.schema.is_optional and field.name in names]
        if not names:
            return row
        replace.configure({EXCLUDE_CONFIG: names})
        return replace.apply(row)
