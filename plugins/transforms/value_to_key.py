"""ValueToKey: a new key of fields of the value (`org.apache.kafka.connect.transforms.ValueToKey`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import NotInColumns, RecordColumns
from connectd.config import ConfigDef, Importance, Type, ValidList
from connectd.errors import DataException
from connectd.schema import Schema, SchemaBuilder
from connectd.schema import Type as SchemaType
from plugins.transforms.base import REPLACE_NULL_CONFIG, BuiltinTransformation, R, per_schema, with_replace_null
from plugins.transforms.requirements import require_map, require_struct
from plugins.transforms.structs import StructCopy, copy_of

FIELDS_CONFIG: Final = "fields"
PURPOSE: Final = "copying fields from value to key"


class ValueToKey(BuiltinTransformation[R]):
    """Replaces the key by a struct, or without a schema a map, of some fields of the value."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.ValueToKey"
    CONFIG = with_replace_null(
        ConfigDef().define(
            FIELDS_CONFIG,
            Type.LIST,
            validator=ValidList.any_non_duplicate_values(is_empty_allowed=False, is_null_allowed=False),
            importance=Importance.HIGH,
            doc="The fields of the value that make the key.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._names: list[str] = values[FIELDS_CONFIG]
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        self._copy_for = per_schema(self._make_copy)

    def apply(self, record: R) -> R:
        value = record.value
        if record.value_schema is None:
            fields = require_map(value, PURPOSE)
            return record.new_record(key_schema=None, key={name: fields.get(name) for name in self._names})
        copy = self._copy_for(require_struct(value, PURPOSE).schema)
        return record.new_record(key_schema=copy.target, key=copy.struct(value))

    def apply_columns(self, columns: RecordColumns) -> None:
        schema = columns.schema("value")
        if schema is None:
            names = self._names
            maps = columns.values("value")
            columns.set("key", None, [{name: require_map(each, PURPOSE).get(name) for name in names} for each in maps])
        elif schema.type is SchemaType.STRUCT:
            copy = self._copy_for(schema)
            keys = copy.rows(columns.rows("value"), are_valid=columns.has_valid_rows("value"))
            columns.set_rows("key", copy.target, keys)
        else:
            raise NotInColumns

    def _make_copy(self, schema: Schema) -> StructCopy:
        builder = SchemaBuilder.struct()
        for name in self._names:
            field = schema.field(name)
            if field is None:
                raise DataException(f"Field does not exist: {name}")
            builder.field(name, field.schema)
        return copy_of(schema, builder.build(), self._with_defaults)
