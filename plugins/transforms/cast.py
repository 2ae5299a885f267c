"""Cast: values of other types (`org.apache.kafka.connect.transforms.Cast`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectd.columns import NotInColumns, RecordColumns
from connectd.config import ConfigDef, Importance, LambdaValidator
from connectd.config import Type as ConfigType
from connectd.errors import ConfigException
from connectd.schema import Schema, SchemaBuilder, Type
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
from plugins.transforms.casting import OUTPUT_TYPES, caster
from plugins.transforms.pairs import split_pair
from plugins.transforms.requirements import require_map, require_struct
from plugins.transforms.structs import StructCopy, builder_like, copy_of

SPEC_CONFIG: Final = "spec"
PURPOSE: Final = "cast types"


def parse_spec(mappings: Sequence[str] | None) -> dict[str | None, Type]:
    """The type for each field, from `field:type`; that for the whole, from `type`, is under None.

    Raises ConfigException.
    """
    if not mappings:
        raise ConfigException("Must specify at least one field to cast.")
    casts: dict[str | None, Type] = {}
    for mapping in mappings:
        parts = split_pair(mapping)
        if len(parts) not in (1, 2):
            raise ConfigException(SPEC_CONFIG, mappings, f"Invalid cast mapping: {mapping}")
        casts[parts[0].strip() if len(parts) == 2 else None] = _output_type(parts[-1].strip())
    if None in casts and len(mappings) > 1:
        raise ConfigException(
            "Cast transformations that specify a type to cast the entire value to may only specify a single cast "
            "in their spec"
        )
    return casts


def _output_type(name: str) -> Type:
    try:
        type = Type[name.upper()]
    except KeyError:
        raise ConfigException(f"Invalid type found in casting spec: {name}") from None
    if type not in OUTPUT_TYPES:
        supported = ", ".join(map(str, OUTPUT_TYPES))
        raise ConfigException(
            f"Cast transformation does not support casting to {type}; supported types are [{supported}]"
        )
    return type


class Cast(FieldTransformation[R]):
    """Turns fields, or the whole, into another type: numbers, booleans and texts into each other, bytes into base64."""

    CONFIG = with_replace_null(
        ConfigDef().define(
            SPEC_CONFIG,
            ConfigType.LIST,
            validator=LambdaValidator.with_(
                lambda _, value: parse_spec(value), lambda: "list of colon-delimited pairs, e.g. `foo:bar,abc:xyz`"
            ),
            importance=Importance.HIGH,
            doc="Fields with their new types, each as `field:type`, or one `type` for the whole. The types are int8, "
            "int16, int32, int64, float32, float64, boolean and string.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        casts = parse_spec(values[SPEC_CONFIG])
        self._whole = casts.get(None)
        self._casts = {name: type for name, type in casts.items() if name is not None}
        self._plain_casters = {name: caster(None, type) for name, type in self._casts.items()}
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        self._schema_for = per_schema(self._make_schema)
        self._copy_for = per_schema(self._make_copy)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if value is None:
            return record
        if self._whole is not None:
            target = None if schema is None else self._schema_for(schema)
            return self.part.changed(record, target, caster(schema, self._whole)(value))
        if schema is None:
            fields = require_map(value, PURPOSE).copy()
            self._cast_fields(fields)
            return self.part.changed(record, None, fields)
        if not isinstance(value, Struct):
            self._schema_for(schema)  # as in Java, what is wrong with the schema comes first
        copy = self._copy_for(require_struct(value, PURPOSE).schema)
        return self.part.changed(record, copy.target, copy.struct(value))

    def apply_columns(self, columns: RecordColumns) -> None:
        if self._whole is not None:
            raise NotInColumns
        super().apply_columns(columns)

    def change_maps(self, maps: list[Any], columns: RecordColumns) -> list[Any]:
        for fields in maps:
            if fields is not None:
                self._cast_fields(fields)
        return maps

    def _cast_fields(self, fields: dict[str, Any]) -> None:
        for name, cast in self._plain_casters.items():
            fields[name] = cast(fields.get(name))

    def _make_schema(self, schema: Schema) -> Schema:
        type = Type.STRUCT if self._whole is None else self._whole
        builder = builder_like(schema, SchemaBuilder(type))
        if self._whole is None:
            for field in schema.fields:
                builder.field(field.name, self._field_schema(field.name, field.schema))
        if schema.is_optional:
            builder.optional()
        if schema.default_value is not None:
            builder.default_value(caster(schema, type)(schema.default_value))
        return builder.build()

    def _field_schema(self, name: str, schema: Schema) -> Schema:
        type = self._casts.get(name)
        if type is None:
            return schema
        builder = SchemaBuilder(type)
        if schema.is_optional:
            builder.optional()
        if schema.default_value is not None:
            builder.default_value(caster(schema, type)(schema.default_value))
        return builder.build()

    def _make_copy(self, schema: Schema) -> StructCopy:
        casts = {
            field.name: caster(field.schema, self._casts[field.name])
            for field in schema.fields
            if field.name in self._casts
        }
        return copy_of(schema, self._schema_for(schema), self._with_defaults, casts)


class CastKey(Cast[R]):
    """`Cast` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.Cast$Key"
    part = KEY


class CastValue(Cast[R]):
    """`Cast` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.Cast$Value"
    part = VALUE
