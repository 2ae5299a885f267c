"""From Connect's schemas to JSON Schemas (Confluent's `JsonSchemaData.fromConnectSchema`), draft 7."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from connectd.errors import DataException
from connectd.logical import Decimal
from connectd.schema import Schema, Type
from plugins.converters.json_schema.constants import (
    CONNECT_INDEX,
    CONNECT_PARAMETERS,
    CONNECT_TYPE,
    CONNECT_VERSION,
    ENUM,
    GENERAL_ENUM,
    ID,
    KEY,
    NAMESPACE,
    NULL_SYMBOL,
    VALUE,
)
from plugins.converters.json_schema.kinds import has_string_keys, is_enum, is_union, parameter
from plugins.converters.json_schema.settings import JsonSchemaSettings
from plugins.converters.json_schema.writing import new_converter

Node = dict[str, Any]

_NUMBERS: Final = {
    Type.INT8: "integer",
    Type.INT16: "integer",
    Type.INT32: "integer",
    Type.INT64: "integer",
    Type.FLOAT32: "number",
    Type.FLOAT64: "number",
}
# Up to here a whole number has no point.
_LONGEST_INTEGER: Final = 2**31
_NULL: Final[Node] = {"type": "null"}


def json_schema(schema: Schema, settings: JsonSchemaSettings) -> Node:
    """The JSON Schema that values of a Connect schema are written with. Raises DataException where there is none."""
    return _Mapping(settings).convert(schema)


class _Mapping:
    def __init__(self, settings: JsonSchemaSettings) -> None:
        self._settings = settings
        self._ids: set[str] = set()

    def convert(self, schema: Schema, index: int | None = None, is_nullable: bool | None = None) -> Node:
        """`index` is the place among the fields; a field of a union is not nullable, whatever its schema says."""
        schema_id = parameter(schema, ID)
        if schema_id is not None:
            self._ids.add(schema_id)
        more = {CONNECT_INDEX: index} if index is not None else {}
        if schema.type is Type.STRUCT and is_union(schema):
            branches = [dict(_NULL)] if schema.is_optional else []
            branches += [self.convert(each.schema, each.index, is_nullable=False) for each in schema.fields]
            return {**_identified(schema_id), **more, "oneOf": branches}
        is_nullable = schema.is_optional if is_nullable is None else is_nullable
        node = self._plain(schema, None if is_nullable else index, schema_id if not is_nullable else None)
        if not is_nullable:
            return node
        return {**_identified(schema_id), **more, "oneOf": [dict(_NULL), node]}

    def _plain(self, schema: Schema, index: int | None, schema_id: str | None) -> Node:
        described, connect_type = self._described(schema)
        # In the order of Confluent's converter: a registry compares schemas as they are.
        node: Node = {
            word: described.pop(word)
            for word in ("type", "enum", "additionalProperties")
            if word in described and schema.type is not Type.BOOLEAN and not isinstance(described[word], dict)
        }
        if schema.name is not None:
            node["title"] = schema.name
        if schema.doc is not None:
            node["description"] = schema.doc
        node |= _identified(schema_id)
        if schema.default_value is not None:
            default = new_converter(schema, self._settings)(schema.default_value)
            node["default"] = _as_java_has_it(msgspec.json.decode(msgspec.json.encode(default)))
        properties: Node = {}
        if connect_type is not None:
            properties[CONNECT_TYPE] = connect_type
        if schema.version is not None:
            properties[CONNECT_VERSION] = schema.version
        own = {key: value for key, value in (schema.parameters or {}).items() if not key.startswith(NAMESPACE)}
        if own:
            properties[CONNECT_PARAMETERS] = _as_java_has_it({key: own[key] for key in _in_java_order(own)})
        if index is not None:
            properties[CONNECT_INDEX] = index
        own = {key: properties[key] for key in _in_java_order(properties)}
        return node | {key: own[key] for key in _in_java_order(own, len(own))} | described

    def _described(self, schema: Schema) -> tuple[Node, str | None]:
        """What makes the type, and what Connect calls it where JSON Schema does not tell."""
        match schema.type:
            case kind if kind in _NUMBERS:
                return {"type": _NUMBERS[kind]}, kind.value
            case Type.BOOLEAN:
                return {"type": "boolean"}, None
            case Type.STRING:
                return self._text(schema), None
            case Type.BYTES:
                is_number = schema.name == Decimal.LOGICAL_NAME and self._settings.numeric_decimals
                return {"type": "number" if is_number else "string"}, "bytes"
            case Type.ARRAY:
                return {"type": "array", "items": self._or_reference(schema.value_schema)}, None
            case Type.MAP:
                return self._map(schema), "map"
        return self._object(schema), None

    def _text(self, schema: Schema) -> Node:
        if not is_enum(schema):
            return {"type": "string"}
        marker = GENERAL_ENUM if self._settings.generalized_sum_types else ENUM
        symbols = [each[len(marker) + 1 :] for each in schema.parameters or {} if each.startswith(f"{marker}.")]
        return {"enum": [None if each == NULL_SYMBOL else each for each in _in_java_order(symbols)]}

    def _map(self, schema: Schema) -> Node:
        assert schema.key_schema is not None and schema.value_schema is not None
        if has_string_keys(schema):
            return {"type": "object", "additionalProperties": self.convert(schema.value_schema)}
        key, value = self.convert(schema.key_schema, 0), self.convert(schema.value_schema, 1)
        entry = {VALUE: value, KEY: key}
        return {"type": "array", "items": {"type": "object", "properties": entry}}

    def _object(self, schema: Schema) -> Node:
        node: Node = {"type": "object"}
        if schema.fields:
            properties = {each.name: self._or_reference(each.schema, each.index) for each in schema.fields}
            node["properties"] = {name: properties[name] for name in _in_java_order(properties)}
        if not self._settings.additional_properties:
            node["additionalProperties"] = False
        return node

    def _or_reference(self, schema: Schema | None, index: int | None = None) -> Node:
        if schema is None:
            raise DataException("Expected a schema of the elements")
        schema_id = parameter(schema, ID)
        if schema_id in self._ids:
            return {"$ref": schema_id}
        return self.convert(schema, index)


def _identified(schema_id: str | None) -> Node:
    return {} if schema_id is None else {"$id": schema_id}


def _as_java_has_it(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _as_java_has_it(node[key]) for key in _in_java_order(node, len(node))}
    if isinstance(node, float) and node.is_integer() and abs(node) < _LONGEST_INTEGER:
        return int(node)
    return [_as_java_has_it(each) for each in node] if isinstance(node, list) else node


def _in_java_order(names: Iterable[str], capacity: int = 16) -> list[str]:
    """The order in which Java's HashMap of that capacity has texts: a registry compares schemas as they are."""
    ordered = list(names)
    size = 1
    while size < capacity or len(ordered) > size * 3 // 4:
        size *= 2
    return sorted(ordered, key=lambda name: _bucket(name, size))


def _bucket(name: str, size: int) -> int:
    code = 0
    if name == NULL_SYMBOL:
        return code
    for unit in memoryview(name.encode("utf-16-le", "surrogatepass")).cast("H"):
        code = (31 * code + unit) & 0xFFFFFFFF
    return (code ^ (code >> 16)) & (size - 1)
