"""JSON objects of unknown content as structs, by the rules of `com.redhat.insights.expandjsonsmt`."""

from __future__ import annotations

import json
from typing import Any, Final

from connectd.errors import DataException
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct

_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)


def document_of(text: str) -> dict[str, Any]:
    """The object in the text; an array as the field `array`, anything else as the fields `value` and `error`."""
    try:
        if not text.startswith(("{", "[")):
            raise ValueError("expected it to begin with { or [")
        parsed = json.loads(text)
    except ValueError as error:
        return {"value": text, "error": f"Unable to parse: {error}"}
    return parsed if isinstance(parsed, dict) else {"array": parsed}


def schema_of(document: dict[str, Any] | None) -> Schema:
    """The schema of an object, optional as all its parts; fields whose schema cannot be told are left out."""
    return _builder([document or {}]).build()


def struct_of(document: dict[str, Any], schema: Schema) -> Struct:
    """The object as a struct of its schema."""
    struct = Struct(schema)
    for field in schema.fields:
        if field.name in document:
            struct.put(field, _fitting(document[field.name], field.schema))
    return struct


def _builder(documents: list[dict[str, Any]]) -> SchemaBuilder:
    """A builder with the fields of all the objects; of fields with the same name the first one counts."""
    builder = SchemaBuilder.struct().optional()
    names: set[str] = set()
    for document in documents:
        for name, value in document.items():
            schema = None if name in names or not name else _schema(value)
            if schema is not None:
                names.add(name)
                builder.field(name, schema)
    return builder


def _schema(value: Any) -> Schema | None:
    match value:
        case None | str():
            return Schema.OPTIONAL_STRING_SCHEMA
        case bool():
            return Schema.OPTIONAL_BOOLEAN_SCHEMA
        case int() if value in _INT32:
            return Schema.OPTIONAL_INT32_SCHEMA
        case int() if value in _INT64:
            return Schema.OPTIONAL_INT64_SCHEMA
        case int() | float():
            return Schema.OPTIONAL_FLOAT64_SCHEMA
        case dict():
            return schema_of(value)
    return _array_schema(value)


def _array_schema(elements: list[Any]) -> Schema | None:
    """None where elements are of several kinds."""
    there = [element for element in elements if element is not None]
    if there and all(isinstance(element, dict) for element in there):
        return SchemaBuilder.array(_builder(there).build()).optional().build()
    kinds = {_kind(element) for element in there}
    element = _schema(there[0]) if there else Schema.OPTIONAL_STRING_SCHEMA
    if len(kinds) > 1 or element is None:
        return None
    return SchemaBuilder.array(element).optional().build()


def _kind(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return type(value).__qualname__
    schema = _schema(value)
    return "" if schema is None else str(schema.type)


def _fitting(value: Any, schema: Schema) -> Any:
    if isinstance(value, dict):
        return struct_of(value, schema)
    if isinstance(value, list):
        elements = schema.value_schema
        if elements is None:
            raise DataException("An array has no schema of its elements")
        return [_fitting(element, elements) for element in value]
    return float(value) if isinstance(value, int) and value not in _INT64 else value
