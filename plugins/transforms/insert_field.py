"""InsertField: adds fields with facts about the record (`org.apache.kafka.connect.transforms.InsertField`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Type
from connectd.errors import ConfigException, DataException
from connectd.logical import Timestamp
from connectd.records import ConnectRecord, SinkRecord
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.transforms.base import (
    KEY,
    REPLACE_NULL_CONFIG,
    VALUE,
    FieldTransformation,
    R,
    per_schema,
    with_replace_null,
)
from plugins.transforms.requirements import require_map, require_struct, type_name
from plugins.transforms.rows import Rows
from plugins.transforms.structs import StructCopy, builder_like, copy_of

TOPIC_CONFIG: Final = "topic.field"
PARTITION_CONFIG: Final = "partition.field"
OFFSET_CONFIG: Final = "offset.field"
TIMESTAMP_CONFIG: Final = "timestamp.field"
STATIC_FIELD_CONFIG: Final = "static.field"
STATIC_VALUE_CONFIG: Final = "static.value"
PURPOSE: Final = "field insertion"

_OPTIONAL_TIMESTAMP: Final = Timestamp.builder().optional().build()
_MARKS: Final = "With a `!` at its end the field is required, with a `?` or with neither it is optional."


class Insertion(NamedTuple):
    """A field to add. `read` gives its value, `read_plain` that for data without a schema; None adds nothing.

    `column` is the column that the values come from, each changed by `convert` if there is a schema; None for a constant.
    """

    name: str
    schema: Schema
    read: Callable[[Any], Any]
    read_plain: Callable[[Any], Any]
    column: str | None
    convert: Callable[[Any], Any] | None = None

    def values(self, columns: RecordColumns, *, plain: bool) -> Iterable[Any]:
        """The value for each record."""
        if self.column is None:
            return repeat(self.read(None), len(columns))
        values = columns.column(self.column)
        return values if plain or self.convert is None else map(self.convert, values)


class InsertField(FieldTransformation[R]):
    """Adds fields: topic, partition, offset and timestamp of the record, and one with a fixed text. Null stays null."""

    CONFIG = with_replace_null(
        ConfigDef()
        .define(TOPIC_CONFIG, Type.STRING, None, doc=f"The field for the topic. {_MARKS}")
        .define(PARTITION_CONFIG, Type.STRING, None, doc=f"The field for the partition. {_MARKS}")
        .define(OFFSET_CONFIG, Type.STRING, None, doc=f"The field for the offset, in sinks only. {_MARKS}")
        .define(TIMESTAMP_CONFIG, Type.STRING, None, doc=f"The field for the timestamp of the record. {_MARKS}")
        .define(STATIC_FIELD_CONFIG, Type.STRING, None, doc=f"The field for the fixed text. {_MARKS}")
        .define(STATIC_VALUE_CONFIG, Type.STRING, None, doc=f"The fixed text, required with `{STATIC_FIELD_CONFIG}`.")
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        static_value = values[STATIC_VALUE_CONFIG]
        if values[STATIC_FIELD_CONFIG] is not None and static_value is None:
            raise ConfigException(
                STATIC_VALUE_CONFIG, None, f"No value specified for static field: {values[STATIC_FIELD_CONFIG]}"
            )
        text = Schema.STRING_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA
        int32 = Schema.INT32_SCHEMA, Schema.OPTIONAL_INT32_SCHEMA
        int64 = Schema.INT64_SCHEMA, Schema.OPTIONAL_INT64_SCHEMA
        instant = Timestamp.SCHEMA, _OPTIONAL_TIMESTAMP
        possible = [
            _insertion(values[TOPIC_CONFIG], text, "topic"),
            _insertion(values[PARTITION_CONFIG], int32, "partition"),
            _insertion(values[OFFSET_CONFIG], int64, "kafka_offset", _offset),
            _insertion(values[TIMESTAMP_CONFIG], instant, "timestamp", convert=_timestamp),
            _insertion(values[STATIC_FIELD_CONFIG], text, None, lambda _: static_value),
        ]
        self._insertions = [insertion for insertion in possible if insertion is not None]
        if not self._insertions:
            raise ConfigException("No field insertion configured")
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        self._copy_for = per_schema(self._make_copy)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if value is None:
            return record
        if schema is None:
            return self.part.changed(record, None, self._with_plain_insertions(record, value))
        copy = self._copy_for(require_struct(value, PURPOSE).schema)
        values = copy.values(value)
        # The fields that are added are the last ones.
        for index, insertion in enumerate(self._insertions, start=-len(self._insertions)):
            values[index] = insertion.read(record)
        return self.part.changed(record, copy.target, Struct.of_checked(copy.target, values))

    def change_maps(self, maps: list[Any], columns: RecordColumns) -> list[Any]:
        for insertion in self._insertions:
            name = insertion.name
            for each, value in zip(maps, insertion.values(columns, plain=True), strict=True):
                if value is not None and each is not None:
                    each[name] = value
        return maps

    def complete_rows(self, rows: Rows, columns: RecordColumns) -> None:
        for index, insertion in enumerate(self._insertions, start=-len(self._insertions)):
            for row, value in zip(rows, insertion.values(columns, plain=False), strict=True):
                row[index] = value

    def _with_plain_insertions(self, record: R, value: Any) -> dict[str, Any]:
        fields = require_map(value, PURPOSE).copy()
        for insertion in self._insertions:
            inserted = insertion.read_plain(record)
            if inserted is not None:
                fields[insertion.name] = inserted
        return fields

    def _make_copy(self, schema: Schema) -> StructCopy:
        builder = builder_like(schema, SchemaBuilder.struct())
        for field in schema.fields:
            builder.field(field.name, field.schema)
        for insertion in self._insertions:
            builder.field(insertion.name, insertion.schema)
        return copy_of(schema, builder.build(), self._with_defaults)


def _insertion(
    setting: str | None,
    schemas: tuple[Schema, Schema],
    column: str | None,
    read: Callable[[Any], Any] | None = None,
    convert: Callable[[Any], Any] | None = None,
) -> Insertion | None:
    if setting is None:
        return None
    required, optional = schemas
    name = setting[:-1] if setting.endswith(("!", "?")) else setting
    get: Callable[[Any], Any] = read or attrgetter(column or "")
    with_schema = get if convert is None else lambda record: convert(get(record))
    return Insertion(name, required if setting.endswith("!") else optional, with_schema, get, column, convert)


def _offset(record: ConnectRecord) -> int:
    if not isinstance(record, SinkRecord):
        raise DataException(f"Only SinkRecord supported for [{PURPOSE}], found: {type_name(record)}")
    return record.kafka_offset


def _timestamp(timestamp: int | None) -> Any:
    return None if timestamp is None else Timestamp.to_logical(Timestamp.SCHEMA, timestamp)


class InsertFieldKey(InsertField[R]):
    """`InsertField` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.InsertField$Key"
    part = KEY


class InsertFieldValue(InsertField[R]):
    """`InsertField` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.InsertField$Value"
    part = VALUE
