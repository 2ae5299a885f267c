"""From JSON Schemas to Connect's (Confluent's `JsonSchemaData.toConnectSchema`)."""

from __future__ import annotations

from typing import Any, Final

from connectd.errors import DataException
from connectd.schema import Schema, SchemaBuilder
from plugins.converters.json_schema.constants import (
    CONNECT_INDEX,
    CONNECT_PARAMETERS,
    CONNECT_TYPE,
    CONNECT_VERSION,
    ENUM,
    GENERAL_ENUM,
    GENERAL_FIELD_PREFIX,
    GENERAL_UNION,
    GENERAL_UNION_PREFIX,
    ID,
    KEY,
    NULL_SYMBOL,
    ONE_OF,
    VALUE,
)
from plugins.converters.json_schema.model import Documents, Node, kinds_of
from plugins.converters.json_schema.reading import new_reader
from plugins.converters.json_schema.settings import JsonSchemaSettings
from plugins.converters.registry.cyclic import CyclicSchema

_TYPES: Final = {
    "int8": SchemaBuilder.int8,
    "int16": SchemaBuilder.int16,
    "int32": SchemaBuilder.int32,
    "int64": SchemaBuilder.int64,
    "float32": SchemaBuilder.float32,
    "float64": SchemaBuilder.float64,
    "bytes": SchemaBuilder.bytes,
}


_DESCRIPTIONS: Final = ("title", "description", "default", CONNECT_TYPE, CONNECT_VERSION, CONNECT_PARAMETERS)


def connect_schema(documents: Documents, settings: JsonSchemaSettings, version: int | None = None) -> Schema:
    """The Connect schema of data; `version` is taken where the schema itself has none.

    Raises DataException for what Connect has no type for.
    """
    mapping = _Mapping(documents, settings)
    schema = mapping.convert(documents.root, version=version)
    mapping.complete()
    return schema


class _Mapping:
    def __init__(self, documents: Documents, settings: JsonSchemaSettings) -> None:
        self._documents = documents
        self._settings = settings
        # Objects that are being mapped, with the parameter that they get if they turn out to hold themselves.
        self._open: list[tuple[Node, SchemaBuilder]] = []
        self._cyclic: list[tuple[SchemaBuilder, CyclicSchema]] = []
        self._built: dict[int, Schema] = {}
        self._ids = 0
        self._unions = 0

    def complete(self) -> None:
        """Tell the schemas within themselves which ones they are."""
        for builder, cyclic in self._cyclic:
            cyclic.complete(self._built[id(builder)])

    def convert(self, node: Any, version: int | None = None, is_optional: bool = False) -> Schema:
        if not isinstance(node, dict) or not (kinds := kinds_of(node)):
            raise DataException(f"Connect has no type for the JSON Schema {node!r}, which says nothing of the type")
        if len(kinds) > 1:
            # What describes them together says nothing of each.
            bare = {key: value for key, value in node.items() if key not in _DESCRIPTIONS}
            parts = [(kind, bare if part is node else part) for kind, part in kinds]
            return self._all_of(node, parts, version, is_optional)
        kind, node = kinds[0]
        match kind:
            case "$ref":
                return self._reference(node, version, is_optional)
            case "allOf":
                parts = [part for each in node["allOf"] for part in kinds_of(each)]
                if len(node["allOf"]) == 1 and self._settings.flatten_singleton_unions:
                    return self.convert(node["allOf"][0])
                return self._all_of(node, parts, version, is_optional)
            case "oneOf" | "anyOf":
                return self._union(node, node[kind], version, is_optional)
        return self._finished(self._builder(kind, node), node, version, is_optional)

    def _builder(self, kind: str, node: Node) -> SchemaBuilder:
        connect_type = node.get(CONNECT_TYPE)
        match kind:
            case "boolean":
                return SchemaBuilder.bool()
            case "integer" | "number":
                if connect_type is None:
                    return SchemaBuilder.int64() if kind == "integer" else SchemaBuilder.float64()
                if connect_type not in _TYPES:
                    raise DataException(
                        f"Expected {CONNECT_TYPE} to be one of {', '.join(_TYPES)}, found {connect_type!r}"
                    )
                return _TYPES[connect_type]()
            case "string":
                return SchemaBuilder.bytes() if connect_type == "bytes" else SchemaBuilder.string()
            case "enum":
                return self._enum(node["enum"])
            case "const":
                return self._enum([node["const"]])
            case "array":
                return self._array(node)
            case "object":
                return self._object(node)
        raise DataException(f"Connect has no type for the JSON Schema type {kind!r}")

    def _enum(self, symbols: list[Any]) -> SchemaBuilder:
        is_general = self._settings.generalized_sum_types
        marker = GENERAL_ENUM if is_general else ENUM
        builder = SchemaBuilder.string().parameter(marker, "")
        for index, each in enumerate(symbols):
            symbol = NULL_SYMBOL if each is None else _text(each)
            builder.parameter(f"{marker}.{symbol}", str(index) if is_general else symbol)
        return builder

    def _array(self, node: Node) -> SchemaBuilder:
        items = node.get("items")
        if not isinstance(items, dict):
            raise DataException("Expected a JSON Schema of an array to tell the type of its items")
        entry = items.get("properties")
        if node.get(CONNECT_TYPE) == "map" and isinstance(entry, dict):
            return SchemaBuilder.map(self.convert(entry[KEY]), self.convert(entry[VALUE]))
        return SchemaBuilder.array(self.convert(items))

    def _object(self, node: Node) -> SchemaBuilder:
        if node.get(CONNECT_TYPE) == "map":
            return SchemaBuilder.map(Schema.STRING_SCHEMA, self.convert(node.get("additionalProperties")))
        builder = SchemaBuilder.struct()
        self._open.append((node, builder))
        required = node.get("required", ())
        for name, each in _ordered(node.get("properties", {})):
            is_optional = self._settings.optional_for_nonrequired and name not in required
            builder.field(name, self.convert(each, is_optional=is_optional))
        self._open.pop()
        return builder

    def _union(self, node: Node, branches: list[Any], version: int | None, is_optional: bool) -> Schema:
        if len(branches) == 1 and self._settings.flatten_singleton_unions:
            return self.convert(branches[0])
        others = [each for each in branches if not _is_null(each)]
        if len(branches) == 2 and len(others) == 1:
            return self.convert(others[0], version, is_optional=True)
        builder = SchemaBuilder.struct()
        is_general = self._settings.generalized_sum_types
        if is_general:
            name = f"{GENERAL_UNION_PREFIX}{self._unions}"
            self._unions += 1
            builder.name(name).parameter(GENERAL_UNION, name)
        else:
            builder.name(ONE_OF)
        prefix = GENERAL_FIELD_PREFIX if is_general else f"{ONE_OF}.field."
        for index, each in enumerate(others):
            builder.field(f"{prefix}{index}", self.convert(each, is_optional=True))
        return self._finished(builder, node, version, is_optional or len(others) < len(branches), is_named=True)

    def _all_of(self, node: Node, parts: list[tuple[str, Node]], version: int | None, is_optional: bool) -> Schema:
        """All of several kinds: the properties of all, or else what says most."""
        properties: dict[str, tuple[Any, bool]] = {}
        for kind, part in parts:
            self._collect(kind, part, properties, [])
        if properties:
            builder = SchemaBuilder.struct()
            self._open.append((node, builder))
            for name, (each, is_required) in properties.items():
                may_be_absent = self._settings.optional_for_nonrequired and not is_required
                builder.field(name, self.convert(each, is_optional=may_be_absent))
            self._open.pop()
            if is_optional:
                builder.optional()
            schema = self._built[id(builder)] = builder.build()
            return schema
        by_kind = dict(parts)
        kind = self._strongest(by_kind)
        part = by_kind[kind]
        if kind == "$ref":
            return self._reference(part, version, is_optional)
        if kind in ("oneOf", "anyOf"):
            return self._union(part, part[kind], version, is_optional)
        if kind == "allOf":
            return self._all_of(part, [each for one in part[kind] for each in kinds_of(one)], version, is_optional)
        return self._finished(self._builder(kind, part), part, version, is_optional)

    @staticmethod
    def _strongest(kinds: dict[str, Node]) -> str:
        for combination in ("oneOf", "anyOf", "allOf"):
            if combination in kinds:
                return combination
        number = next((each for each in ("integer", "number") if each in kinds), None)
        if "const" in kinds and ("string" in kinds or number):
            return "string" if "string" in kinds else str(number)
        if "enum" in kinds and ("string" in kinds or number):
            return "enum" if "string" in kinds else str(number)
        if number is not None:
            return number
        for kind in ("string", "$ref", "boolean", "enum", "const"):
            if kind in kinds:
                return kind
        raise DataException(f"Connect has no type for what is all of {', '.join(kinds)}")

    def _collect(self, kind: str, node: Node, found: dict[str, tuple[Any, bool]], visited: list[Node]) -> None:
        if any(each is node for each in visited):
            return
        visited = [*visited, node]
        if kind == "$ref":
            referred = self._documents.referred(node)
            for each, part in kinds_of(referred):
                self._collect(each, part, found, visited)
        elif kind == "allOf":
            for each in node["allOf"]:
                for inner, part in kinds_of(each):
                    self._collect(inner, part, found, visited)
        elif kind == "object":
            required = node.get("required", ())
            for name, each in node.get("properties", {}).items():
                found[name] = each, name in required

    def _reference(self, node: Node, version: int | None, is_optional: bool) -> Schema:
        referred = self._documents.referred(node)
        for each, builder in self._open:
            if each is referred:
                self._ids += 1
                builder.parameter(ID, f"#id{self._ids}")
                title = referred.get("title")
                cyclic = CyclicSchema(title if isinstance(title, str) else None, is_optional)
                self._cyclic.append((builder, cyclic))
                return cyclic
        return self.convert(referred, version, is_optional)

    def _finished(
        self, builder: SchemaBuilder, node: Node, version: int | None, is_optional: bool, is_named: bool = False
    ) -> Schema:
        title, doc = node.get("title"), node.get("description")
        if isinstance(title, str) and not is_named:
            builder.name(title)
        stated = node.get(CONNECT_VERSION, version)
        if stated is not None:
            builder.version(int(stated))
        if isinstance(doc, str):
            builder.doc(doc)
        parameters = node.get(CONNECT_PARAMETERS)
        if isinstance(parameters, dict):
            builder.parameters({key: str(value) for key, value in parameters.items()})
        if node.get("default") is not None:
            schema = builder.build()
            builder.default_value(new_reader(schema, self._settings)(node["default"]))
        if is_optional:
            builder.optional()
        schema = self._built[id(builder)] = builder.build()
        return schema


def _ordered(properties: Node) -> list[tuple[str, Any]]:
    """The properties as Connect had them: by their `connect.index`, those without one where they stand."""
    ordered: dict[int, tuple[str, Any]] = {}
    for name, each in properties.items():
        index = each.get(CONNECT_INDEX) if isinstance(each, dict) else None
        ordered[len(ordered) if index is None else index] = name, each
    return [ordered[index] for index in sorted(ordered)]


def _is_null(node: Any) -> bool:
    return isinstance(node, dict) and node.get("type") == "null"


def _text(symbol: Any) -> str:
    if isinstance(symbol, bool):
        return "true" if symbol else "false"
    return str(symbol)
