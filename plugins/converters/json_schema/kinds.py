"""What a Connect schema stands for in JSON Schema beyond its type: unions, enums, maps of entries."""

from __future__ import annotations

from connectd.schema import Schema, Type
from plugins.converters.json_schema.constants import ENUM, GENERAL_ENUM, GENERAL_UNION, ONE_OF


def parameter(schema: Schema, name: str) -> str | None:
    """A parameter of the schema."""
    return schema.parameters.get(name) if schema.parameters else None


def is_union(schema: Schema) -> bool:
    """Whether a struct schema is a union, of which one field is set."""
    return schema.type is Type.STRUCT and (schema.name == ONE_OF or parameter(schema, GENERAL_UNION) is not None)


def is_enum(schema: Schema) -> bool:
    """Whether a schema of text is an enum."""
    has_parameters = parameter(schema, ENUM) is not None or parameter(schema, GENERAL_ENUM) is not None
    return schema.type is Type.STRING and has_parameters


def has_string_keys(schema: Schema) -> bool:
    """Whether a map is a JSON object; otherwise it is an array of entries."""
    keys = schema.key_schema
    return keys is not None and keys.type is Type.STRING and not keys.is_optional
