"""What a Connect schema stands for in Avro beyond its type: unions, enums, fixed, maps of entries."""

from __future__ import annotations

from connectd.schema import Schema, Type
from plugins.converters.avro.constants import (
    ENUM,
    FIXED_SIZE,
    GENERAL_ENUM,
    GENERAL_FIELD_PREFIX,
    GENERAL_UNION,
    NAMESPACE,
    UNION,
)
from plugins.converters.avro.model import NAMED, AvroSchema
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.registry.names import split_name

ANYTHING_FIELDS = ("boolean", "bytes", "double", "float", "int", "long", "string")


def parameter(schema: Schema, name: str) -> str | None:
    """A parameter of the schema."""
    return schema.parameters.get(name) if schema.parameters else None


def is_union(schema: Schema) -> bool:
    """Whether a struct schema is a union, of which one field is set."""
    return schema.type is Type.STRUCT and (schema.name == UNION or parameter(schema, GENERAL_UNION) is not None)


def is_enum(schema: Schema) -> bool:
    """Whether a schema of text has the parameters of an enum."""
    has_parameters = parameter(schema, ENUM) is not None or parameter(schema, GENERAL_ENUM) is not None
    return schema.type is Type.STRING and has_parameters


def writes_enum(schema: Schema, settings: AvroSettings) -> bool:
    """Whether a schema of text is written as an enum."""
    return is_enum(schema) and (settings.generalized_sum_types or settings.enhanced)


def is_fixed(schema: Schema) -> bool:
    """Whether a schema of bytes is written as a fixed."""
    return schema.type is Type.BYTES and schema.name is not None and parameter(schema, FIXED_SIZE) is not None


def has_string_keys(schema: Schema, settings: AvroSettings) -> bool:
    """Whether a map is written as an Avro map."""
    keys = schema.key_schema
    return keys is not None and keys.type is Type.STRING and (not keys.is_optional or settings.optional_map_keys)


def non_optional(schema: Schema) -> Schema:
    """The same schema, but required."""
    if not schema.is_optional:
        return schema
    is_map, is_list = schema.type is Type.MAP, schema.type is Type.ARRAY
    return Schema(
        schema.type,
        False,
        schema.default_value,
        schema.name,
        schema.version,
        schema.doc,
        schema.parameters,
        schema.fields if schema.type is Type.STRUCT else (),
        schema.key_schema if is_map else None,
        schema.value_schema if is_map or is_list else None,
    )


def branch_field_name(avro: AvroSchema, index: int, settings: AvroSettings) -> str:
    """The field for a branch of a union, which is its `index`-th (null counts too)."""
    if settings.generalized_sum_types:
        return f"{GENERAL_FIELD_PREFIX}{index}"
    if avro.type in NAMED:
        assert avro.name is not None
        return avro.name if settings.enhanced else split_name(avro.name, settings.scrub_names)[1]
    return avro.type


def new_anything() -> AvroSchema:
    """The type of data without a schema: a record with a field for each type, one of which is set."""
    from plugins.converters.avro.model import AvroField

    anything = AvroSchema("record", f"{NAMESPACE}.Anything")
    entry = AvroSchema("record", f"{NAMESPACE}.MapEntry")
    entry.fields = [AvroField("key", anything), AvroField("value", anything)]
    kinds = [AvroSchema(name) for name in ANYTHING_FIELDS]
    kinds += [AvroSchema("array", items=anything), AvroSchema("array", items=entry)]
    names = (*ANYTHING_FIELDS, "array", "map")
    anything.fields = [
        AvroField(name, AvroSchema("union", types=[AvroSchema("null"), kind]), default=None)
        for name, kind in zip(names, kinds, strict=True)
    ]
    return anything
