"""TimestampNowField: the time of now in fields (`...jcustenborder.kafka.connect.transform.common.TimestampNowField`)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from connectd.config import ConfigDef, Importance
from connectd.config import Type as ConfigType
from connectd.logical import Timestamp
from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct
from plugins.transforms.base import KEY, VALUE, PartTransformation, R, per_schema
from plugins.transforms.requirements import require_map, require_struct
from plugins.transforms.structs import StructCopy, builder_like

FIELDS_CONFIG: Final = "fields"
PURPOSE: Final = "insertion of timestamps"


class TimestampNowField(PartTransformation[R]):
    """Puts the time at which a record passes into fields, new ones or existing ones. Null stays null."""

    CONFIG = ConfigDef().define(FIELDS_CONFIG, ConfigType.LIST, importance=Importance.HIGH, doc="The fields.")

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._names: list[str] = list(dict.fromkeys(values[FIELDS_CONFIG]))
        self._copy_for = per_schema(self._make_copy)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if value is None:
            return record
        now = Timestamp.to_logical(Timestamp.SCHEMA, time.time_ns() // 1_000_000)
        if schema is None:
            fields = require_map(value, PURPOSE)
            return self.part.changed(record, None, {**fields, **dict.fromkeys(self._names, now)})
        copy, indices = self._copy_for(require_struct(value, PURPOSE).schema)
        values = copy.values(value)
        for index in indices:
            values[index] = now
        return self.part.changed(record, copy.target, Struct.of_checked(copy.target, values))

    def _make_copy(self, schema: Schema) -> tuple[StructCopy, list[int]]:
        """How structs are copied, and which of their fields then become the time."""
        builder = builder_like(schema, SchemaBuilder.struct())
        for field in schema.fields:
            builder.field(field.name, _timestamp_schema(field.schema) if field.name in self._names else field.schema)
        for name in self._names:
            if schema.field(name) is None:
                builder.field(name, Timestamp.SCHEMA)
        target = (builder.optional() if schema.is_optional else builder).build()
        kept = [
            (field, target_field)
            for field, target_field in zip(schema.fields, target.fields, strict=False)
            if field.name not in self._names
        ]
        indices = [field.index for field in target.fields if field.name in self._names]
        return StructCopy(schema, target, kept, with_defaults=True), indices


def _timestamp_schema(schema: Schema) -> Schema:
    is_timestamp = schema.type is Type.INT64 and schema.name == Timestamp.LOGICAL_NAME
    return schema if is_timestamp else Timestamp.SCHEMA


class TimestampNowFieldKey(TimestampNowField[R]):
    """`TimestampNowField` for keys."""

    JAVA_NAME = "com.github.jcustenborder.kafka.connect.transform.common.TimestampNowField$Key"
    part = KEY


class TimestampNowFieldValue(TimestampNowField[R]):
    """`TimestampNowField` for values."""

    JAVA_NAME = "com.github.jcustenborder.kafka.connect.transform.common.TimestampNowField$Value"
    part = VALUE
