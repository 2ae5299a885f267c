"""SetSchemaMetadata: another name or version for the schema (`org.apache.kafka.connect.transforms.SetSchemaMetadata`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import NotInColumns, RecordColumns
from connectd.config import ConfigDef, Importance
from connectd.config import Type as ConfigType
from connectd.errors import ConfigException, DataException
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.transforms.base import (
    KEY,
    REPLACE_NULL_CONFIG,
    VALUE,
    PartTransformation,
    R,
    per_schema,
    with_replace_null,
)
from plugins.transforms.structs import StructCopy, copy_of

NAME_CONFIG: Final = "schema.name"
VERSION_CONFIG: Final = "schema.version"


class SetSchemaMetadata(PartTransformation[R]):
    """Gives the schema another name, another version, or both."""

    CONFIG = with_replace_null(
        ConfigDef()
        .define(NAME_CONFIG, ConfigType.STRING, None, importance=Importance.HIGH, doc="The new name of the schema.")
        .define(VERSION_CONFIG, ConfigType.INT, None, importance=Importance.HIGH, doc="The new version of the schema.")
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._name: str | None = values[NAME_CONFIG]
        self._version: int | None = values[VERSION_CONFIG]
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        if self._name is None and self._version is None:
            raise ConfigException("Neither schema name nor version configured")
        self._plan_for = per_schema(self._make_plan)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if schema is None:
            if value is None:
                return record
            raise DataException("Schema required for [updating schema metadata]")
        copy = self._plan_for(schema)
        updated = copy.struct(value) if isinstance(value, Struct) else value
        return self.part.changed(record, copy.target, updated)

    def apply_columns(self, columns: RecordColumns) -> None:
        part = self.part.name
        schema = columns.schema(part)
        if schema is None:
            raise NotInColumns
        copy = self._plan_for(schema)
        if schema.type is not Type.STRUCT:
            columns.set(part, copy.target, columns.values(part))
            return
        columns.set_rows(part, copy.target, copy.rows(columns.rows(part), are_valid=columns.has_valid_rows(part)))

    def _make_plan(self, schema: Schema) -> StructCopy:
        target = Schema(
            schema.type,
            schema.is_optional,
            schema.default_value,
            schema.name if self._name is None else self._name,
            schema.version if self._version is None else self._version,
            schema.doc,
            schema.parameters,
            schema.fields,
            schema.key_schema if schema.type is Type.MAP else None,
            schema.value_schema if schema.type in (Type.MAP, Type.ARRAY) else None,
        )
        return copy_of(schema, target, self._with_defaults)


class SetSchemaMetadataKey(SetSchemaMetadata[R]):
    """`SetSchemaMetadata` for the schemas of keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key"
    part = KEY


class SetSchemaMetadataValue(SetSchemaMetadata[R]):
    """`SetSchemaMetadata` for the schemas of values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value"
    part = VALUE
