"""HoistField: wraps the whole as one field (`org.apache.kafka.connect.transforms.HoistField`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Importance, Type
from connectd.schema import Schema, SchemaBuilder, validate_value
from connectd.struct import Struct
from plugins.transforms.base import KEY, VALUE, PartTransformation, R, per_schema

FIELD_CONFIG: Final = "field"


class HoistField(PartTransformation[R]):
    """Makes a struct, or without a schema a map, that has the whole as its only field."""

    CONFIG = ConfigDef().define(
        FIELD_CONFIG, Type.STRING, importance=Importance.MEDIUM, doc="The name of the field that is made."
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._name: str = values[FIELD_CONFIG]
        self._hoisted = per_schema(self._hoist)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if schema is None:
            return self.part.changed(record, None, {self._name: value})
        hoisted = self._hoisted(schema)
        return self.part.changed(record, hoisted, Struct(hoisted).put(self._name, value))

    def apply_columns(self, columns: RecordColumns) -> None:
        part = self.part.name
        schema = columns.schema(part)
        values = columns.values(part)
        if schema is None:
            columns.set(part, None, [{self._name: value} for value in values])
        else:
            hoisted = self._hoisted(schema)
            for value in values:
                validate_value(schema, value, self._name)
            columns.set_rows(part, hoisted, [[value] for value in values])

    def _hoist(self, schema: Schema) -> Schema:
        return SchemaBuilder.struct().field(self._name, schema).build()


class HoistFieldKey(HoistField[R]):
    """`HoistField` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.HoistField$Key"
    part = KEY


class HoistFieldValue(HoistField[R]):
    """`HoistField` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.HoistField$Value"
    part = VALUE
