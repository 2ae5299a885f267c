"""ExtractField: one field in place of the whole (`org.apache.kafka.connect.transforms.ExtractField`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import NotInColumns, RecordColumns
from connectd.config import ConfigDef, Importance, Type
from connectd.errors import DataException
from plugins.transforms.base import (
    KEY,
    REPLACE_NULL_CONFIG,
    VALUE,
    PartTransformation,
    R,
    per_schema,
    with_replace_null,
)
from plugins.transforms.field_path import SYNTAX_CONFIG, FieldPath, with_field_syntax
from plugins.transforms.requirements import require_map, require_struct

FIELD_CONFIG: Final = "field"
PURPOSE: Final = "field extraction"


class ExtractField(PartTransformation[R]):
    """Puts one field of a struct or a map in place of the whole. Null stays null."""

    CONFIG = with_field_syntax(
        with_replace_null(
            ConfigDef().define(FIELD_CONFIG, Type.STRING, importance=Importance.MEDIUM, doc="The field to extract.")
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._name: str = values[FIELD_CONFIG]
        self._path = FieldPath(self._name, values[SYNTAX_CONFIG])
        self._with_default: bool = values[REPLACE_NULL_CONFIG]
        self._field_of = per_schema(self._path.field_of)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if schema is None:
            found = None if value is None else self._path.value_in_map(require_map(value, PURPOSE))
            return self.part.changed(record, None, found)
        if value is not None:
            require_struct(value, PURPOSE)
        field = self._field_of(schema)
        if field is None:
            raise DataException(f"Unknown field: {self._name}")
        found = None if value is None else self._path.value_in_struct(value, self._with_default)
        return self.part.changed(record, field.schema, found)

    def apply_columns(self, columns: RecordColumns) -> None:
        part = self.part.name
        schema = columns.schema(part)
        if schema is None:
            maps = [require_map(each, PURPOSE) for each in columns.values(part)]
            columns.set(part, None, list(map(self._path.value_in_map, maps)))
            return
        field = self._field_of(schema)
        if field is None:
            raise NotInColumns
        find, with_default = self._path.value_in_struct, self._with_default
        columns.set(part, field.schema, [find(each, with_default) for each in columns.values(part)])


class ExtractFieldKey(ExtractField[R]):
    """`ExtractField` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.ExtractField$Key"
    part = KEY


class ExtractFieldValue(ExtractField[R]):
    """`ExtractField` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.ExtractField$Value"
    part = VALUE
