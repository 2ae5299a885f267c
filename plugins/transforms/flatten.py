"""Flatten: fields within fields come to the top (`org.apache.kafka.connect.transforms.Flatten`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from connectd.columns import NotInColumns, RecordColumns
from connectd.config import ConfigDef
from connectd.config import Type as ConfigType
from connectd.errors import DataException
from connectd.schema import Field, Schema, SchemaBuilder, Type, schema_type_of, validate_value
from connectd.struct import Struct
from plugins.transforms.base import KEY, VALUE, PartTransformation, R, per_schema
from plugins.transforms.requirements import require_map, require_struct, type_name
from plugins.transforms.structs import builder_like

DELIMITER_CONFIG: Final = "delimiter"
PURPOSE: Final = "flattening"


class Level(NamedTuple):
    """Where the fields of one struct go: `leaves` into the flat one, `nested` are structs again."""

    leaves: list[tuple[int, Field, Any]]
    nested: list[tuple[int, Level]]


class Flatten(PartTransformation[R]):
    """Brings the fields of structs (without schema: maps) within the whole to the top.

    Names of outer and inner fields are joined with a delimiter. Lists stay as they are; null stays null.
    """

    CONFIG = ConfigDef().define(DELIMITER_CONFIG, ConfigType.STRING, ".", doc="What stands between the joined names.")

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._delimiter: str = values[DELIMITER_CONFIG]
        self._plan_for = per_schema(self._make_plan)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if value is None:
            return record
        if schema is None:
            flat: dict[str, Any] = {}
            self._flatten_map(require_map(value, PURPOSE), "", flat)
            return self.part.changed(record, None, flat)
        target, level = self._plan_for(require_struct(value, PURPOSE).schema)
        values: list[Any] = [None] * len(target.fields)
        _fill(level, value.field_values, values)
        return self.part.changed(record, target, Struct.of_checked(target, values))

    def apply_columns(self, columns: RecordColumns) -> None:
        part = self.part.name
        schema = columns.schema(part)
        if schema is None or schema.type is not Type.STRUCT:
            raise NotInColumns
        target, level = self._plan_for(schema)
        rows: list[list[Any]] = []
        for row in columns.rows(part):
            flat: list[Any] = [None] * len(target.fields)
            _fill(level, row, flat)
            rows.append(flat)
        columns.set_rows(part, target, rows)

    def _flatten_map(self, fields: dict[str, Any], prefix: str, flat: dict[str, Any]) -> None:
        for key, value in fields.items():
            name = self._joined(prefix, key)
            if isinstance(value, dict):
                self._flatten_map(value, name, flat)
            elif isinstance(value, Struct):
                raise DataException(
                    f"Flatten transformation does not support {type_name(value)} for record without schemas "
                    f"(for field {name})."
                )
            elif value is not None and schema_type_of(value) is None:
                raise DataException(
                    f"Flatten transformation was passed a value of type {type_name(value)} "
                    "which is not supported by Connect's data API"
                )
            else:
                flat[name] = value

    def _make_plan(self, schema: Schema) -> tuple[Schema, Level]:
        builder = builder_like(schema, SchemaBuilder.struct())
        self._add_fields(schema, "", builder, schema.is_optional, schema.default_value)
        target = builder.build()
        return target, self._level(schema, "", target)

    def _add_fields(
        self, schema: Schema, prefix: str, builder: SchemaBuilder, is_optional: bool, outer_default: Struct | None
    ) -> None:
        for field in schema.fields:
            name = self._joined(prefix, field.name)
            default = field.schema.default_value
            if default is None and outer_default is not None:
                default = outer_default.get(field)
            is_field_optional = is_optional or field.schema.is_optional
            if field.schema.type is Type.STRUCT:
                self._add_fields(field.schema, name, builder, is_field_optional, default)
            elif field.schema.type is Type.MAP:
                raise DataException(
                    f"Flatten transformation does not support {field.schema.type} for record with schemas "
                    f"(for field {name})."
                )
            else:
                builder.field(name, _flattened(field.schema, is_field_optional, default))

    def _level(self, schema: Schema, prefix: str, target: Schema) -> Level:
        level = Level([], [])
        for field in schema.fields:
            name = self._joined(prefix, field.name)
            flat = target.field(name)
            if field.schema.type is Type.STRUCT:
                level.nested.append((field.index, self._level(field.schema, name, target)))
            elif flat is not None:
                level.leaves.append((field.index, flat, field.schema.default_value))
        return level

    def _joined(self, prefix: str, name: str) -> str:
        return f"{prefix}{self._delimiter}{name}" if prefix else name


def _flattened(schema: Schema, is_optional: bool, default: Any) -> Schema:
    builder = builder_like(schema)
    if is_optional:
        builder.optional()
    if default is not None:
        builder.default_value(default)
    return builder.build()


def _fill(level: Level, values: list[Any], flat: list[Any]) -> None:
    for index, field, default in level.leaves:
        value = values[index]
        if value is None:
            value = default
            if value is None and not field.schema.is_optional:
                validate_value(field.schema, None, field.name)
        flat[field.index] = value
    for index, inner in level.nested:
        if values[index] is not None:
            _fill(inner, values[index].field_values, flat)


class FlattenKey(Flatten[R]):
    """`Flatten` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.Flatten$Key"
    part = KEY


class FlattenValue(Flatten[R]):
    """`Flatten` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.Flatten$Value"
    part = VALUE
