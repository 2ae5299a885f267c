"""JSON text with a schema found out from it, as Debezium's outbox router expands a payload (`JsonSchemaData`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from connectd.errors import ConnectException
from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct
from plugins.transforms.structs import builder_like

_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)


def parse_document(text: str) -> Any:
    """The object or array in the text. Raises ValueError for anything else."""
    if not text.startswith(("{", "[")):
        raise ValueError(f"Unable to parse payload starting with '{text[:1]}'")
    return json.JSONDecoder().raw_decode(text)[0]


class JsonSchemas:
    """Schemas of parsed JSON: everything is optional, an object a struct.

    `keeps_nulls` makes a null in an object optional bytes; otherwise it is left out.
    """

    def __init__(self, keeps_nulls: bool, adjust_name: Callable[[str], str]) -> None:
        self._keeps_nulls = keeps_nulls
        self._adjust_name = adjust_name

    def schema_of(self, key: str | None, value: Any) -> Schema | None:
        """The schema, None for what has none: null, an empty array. Raises ConnectException for a mixed array."""
        match value:
            case bool():
                return Schema.OPTIONAL_BOOLEAN_SCHEMA
            case str():
                return Schema.OPTIONAL_STRING_SCHEMA
            case int() | float():
                return _number_schema(value)
            case list():
                return self._array_schema(key, value) if value else None
            case dict():
                return self._object_schema(key, value)
        return Schema.OPTIONAL_BYTES_SCHEMA if self._keeps_nulls else None

    def _object_schema(self, key: str | None, value: dict[str, Any]) -> Schema:
        builder = SchemaBuilder.struct().optional()
        if key is not None:
            builder.name(key)
        names = set()
        for name, element in value.items():
            adjusted = self._adjust_name(name)
            schema = self.schema_of(f"{key}.{adjusted}" if key and not key.isspace() else adjusted, element)
            if schema is not None and adjusted not in names:
                names.add(adjusted)
                builder.field(adjusted, schema)
        return builder.build()

    def _array_schema(self, key: str | None, value: list[Any]) -> Schema:
        sample = self._sample(value)
        if isinstance(sample, dict):
            schema = None
            for element in value:
                if isinstance(element, dict):
                    schema = _merged(schema, self._object_schema(key, element))
        else:
            schema = self.schema_of(None, sample)
        if schema is None:
            raise ConnectException("Array has unrecognized member schema.")
        return SchemaBuilder.array(schema).optional().build()

    def _sample(self, value: list[Any]) -> Any:
        """The first element that is not null; all others must be of its kind."""
        sample = None
        for element in value:
            if element is None:
                continue
            if sample is None:
                sample = element
            if _kind(element) != _kind(sample):
                raise ConnectException(f"Field is not a homogenous array ({_kind(sample)} x {_kind(element)}).")
        return sample


def to_struct(value: dict[str, Any], schema: Schema) -> Struct:
    """The parsed object as a struct of its schema. Raises DataException for a value that does not fit."""
    struct = Struct(schema)
    for field in schema.fields:
        if field.name in value:
            struct.put(field.name, _converted(value[field.name], field.schema))
    return struct


def _converted(value: Any, schema: Schema) -> Any:
    if isinstance(value, dict):
        return to_struct(value, schema)
    if isinstance(value, list):
        elements = schema.value_schema
        return [None if elements is None else _converted(each, elements) for each in value]
    return float(value) if schema.type is Type.FLOAT64 and isinstance(value, int) else value


def _number_schema(value: float) -> Schema:
    if isinstance(value, int) and value in _INT64:
        return Schema.OPTIONAL_INT32_SCHEMA if value in _INT32 else Schema.OPTIONAL_INT64_SCHEMA
    return Schema.OPTIONAL_FLOAT64_SCHEMA


def _kind(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(_number_schema(value).type)
    return type(value).__qualname__


def _merged(left: Schema | None, right: Schema) -> Schema:
    """The fields of both; one that is bytes in the left one, so known as null only, is as in the right one."""
    if left is None or left == right:
        return right
    fields = {field.name: field.schema for field in left.fields}
    for field in right.fields:
        known = fields.get(field.name)
        if known is None or (known.type is Type.BYTES and field.schema.type is not Type.BYTES):
            fields[field.name] = field.schema
    builder = builder_like(left)
    for name, schema in fields.items():
        builder.field(name, schema)
    return builder.build()
