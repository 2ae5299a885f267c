"""Avro schemas as objects, read from JSON and written as Java's Avro library writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectd.errors import DataException
from plugins.converters.json.text import double_text, quote

PRIMITIVES: Final = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
NAMED: Final = frozenset(("record", "enum", "fixed"))
NO_DEFAULT: Final = object()

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final[Mapping[str, frozenset[str]]] = {
    "record": frozenset(("type", "name", "namespace", "doc", "fields", "aliases")),
    "error": frozenset(("type", "name", "namespace", "doc", "fields", "aliases")),
    "enum": frozenset(("type", "name", "namespace", "doc", "symbols", "default", "aliases")),
    "fixed": frozenset(("type", "name", "namespace", "doc", "size", "aliases")),
    "array": frozenset(("type", "items")),
    "map": frozenset(("type", "values")),
}
_OF_FIELDS: Final = frozenset(("name", "type", "doc", "default", "order", "aliases"))


class Number(float):
    """A number with the text that it has in a schema."""

    text: str

    def __new__(cls, value: float, text: str) -> Number:
        number = super().__new__(cls, value)
        number.text = text
        return number


@dataclass(eq=False)
class AvroField:
    """A field of a record. `default` is JSON, or NO_DEFAULT."""

    name: str
    schema: AvroSchema
    doc: str | None = None
    default: Any = NO_DEFAULT
    props: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class AvroSchema:
    """A schema; which attributes mean something depends on `type`. Recursive types hold themselves.

    `name` is the full name; `props` are all attributes that Avro itself has no use for, `logicalType` included.
    """

    type: str
    name: str | None = None
    doc: str | None = None
    fields: list[AvroField] = field(default_factory=list)
    items: AvroSchema | None = None
    types: list[AvroSchema] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    size: int = 0
    enum_default: str | None = None
    props: dict[str, Any] = field(default_factory=dict)

    @property
    def is_nullable(self) -> bool:
        """Whether it is a union with null."""
        return self.type == "union" and any(each.type == "null" for each in self.types)

    def branch_name(self) -> str:
        """What tells this schema from the others of a union."""
        return self.name or self.type

    def __repr__(self) -> str:
        return f"AvroSchema({self.branch_name()})"


def named(kind: str, name: str, namespace: str | None, **attributes: Any) -> AvroSchema:
    """A record, enum or fixed. Raises DataException for a name that Avro does not allow."""
    full_name = f"{namespace}.{name}" if namespace else name
    for part in full_name.split("."):
        check_name(part)
    return AvroSchema(kind, full_name, **attributes)


def check_name(name: str) -> None:
    """Raises DataException for a name that Avro does not allow."""
    if not _NAME.fullmatch(name):
        raise DataException(
            f"{name!r} is no name in Avro, expected letters, digits and underscores, no digit first;"
            " scrub.invalid.names=true replaces what is not allowed"
        )


def parse(text: str, references: Iterable[str] = ()) -> AvroSchema:
    """The schema of a JSON text, which may use the types of others. Raises DataException for what is no Avro schema."""
    parser = _Parser()
    try:
        for each in references:
            parser.schema(json.loads(each), None)
        return parser.schema(json.loads(text), None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataException(f"Expected an Avro schema: {type(error).__name__}: {error}") from error


class _Parser:
    def __init__(self) -> None:
        self._names: dict[str, AvroSchema] = {}

    def schema(self, node: Any, namespace: str | None) -> AvroSchema:
        if isinstance(node, str):
            return self._named_or_primitive(node, namespace)
        if isinstance(node, list):
            return AvroSchema("union", types=[self.schema(each, namespace) for each in node])
        kind = node["type"]
        if not isinstance(kind, str):
            return self.schema(kind, namespace)
        if kind in PRIMITIVES:
            return AvroSchema(kind, props=_props(node, frozenset(("type",))))
        if kind not in _RESERVED:
            return self._named_or_primitive(kind, namespace)
        props = _props(node, _RESERVED[kind])
        if kind == "array":
            return AvroSchema(kind, items=self.schema(node["items"], namespace), props=props)
        if kind == "map":
            return AvroSchema(kind, items=self.schema(node["values"], namespace), props=props)
        return self._definition("record" if kind == "error" else kind, node, namespace, props)

    def _named_or_primitive(self, name: str, namespace: str | None) -> AvroSchema:
        if name in PRIMITIVES:
            return AvroSchema(name)
        full_name = name if "." in name or not namespace else f"{namespace}.{name}"
        return self._names[full_name] if full_name in self._names else self._names[name]

    def _definition(self, kind: str, node: dict[str, Any], namespace: str | None, props: dict[str, Any]) -> AvroSchema:
        name = node["name"]
        space = name.rpartition(".")[0] if "." in name else node.get("namespace", namespace)
        full_name = name if "." in name or not space else f"{space}.{name}"
        schema = AvroSchema(kind, full_name, doc=node.get("doc"), props=props)
        self._names[full_name] = schema
        if kind == "enum":
            schema.symbols, schema.enum_default = node["symbols"], node.get("default")
        elif kind == "fixed":
            schema.size = node["size"]
        else:
            schema.fields = [self._field(each, space or None) for each in node["fields"]]
        return schema

    def _field(self, node: dict[str, Any], namespace: str | None) -> AvroField:
        return AvroField(
            node["name"],
            self.schema(node["type"], namespace),
            node.get("doc"),
            node.get("default", NO_DEFAULT),
            _props(node, _OF_FIELDS),
        )


def _props(node: dict[str, Any], reserved: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in reserved}


def to_text(schema: AvroSchema) -> str:
    """The JSON of a schema as Java's `Schema.toString` writes it: that decides whether a registry knows it already.

    Raises DataException when two types of one name differ.
    """
    return _json(_tree(schema, None, _Seen()))


class _Seen(dict[str, AvroSchema]):
    """The types that were defined further up, by name."""

    def __init__(self, checks: bool = True) -> None:
        super().__init__()
        self._checks = checks

    def check(self, schema: AvroSchema) -> None:
        """Raises DataException if another schema has the name."""
        other = self[schema.name or ""]
        if self._checks and other is not schema and _shape(other) != _shape(schema):
            raise DataException(f"There are two different schemas with the name {schema.name}: Avro allows only one")


def _shape(schema: AvroSchema) -> str:
    return _json(_tree(schema, None, _Seen(checks=False)))


def _tree(schema: AvroSchema, namespace: str | None, seen: _Seen) -> Any:
    if schema.type == "union":
        return [_tree(each, namespace, seen) for each in schema.types]
    tree: dict[str, Any] = {"type": schema.type}
    if schema.type in NAMED:
        assert schema.name is not None
        space, _, short = schema.name.rpartition(".")
        if schema.name in seen:
            seen.check(schema)
            return short if space == (namespace or "") else schema.name
        seen[schema.name] = schema
        tree["name"] = short
        if space != (namespace or ""):
            tree["namespace"] = space
        namespace = space
    _add_attributes(tree, schema, namespace, seen)
    tree.update(schema.props)
    return schema.type if len(tree) == 1 else tree


def _add_attributes(tree: dict[str, Any], schema: AvroSchema, namespace: str | None, seen: _Seen) -> None:
    if schema.doc is not None:
        tree["doc"] = schema.doc
    match schema.type:
        case "record":
            tree["fields"] = [_field_tree(each, namespace, seen) for each in schema.fields]
        case "enum":
            tree["symbols"] = schema.symbols
            if schema.enum_default is not None:
                tree["default"] = schema.enum_default
        case "fixed":
            tree["size"] = schema.size
        case "array" | "map":
            assert schema.items is not None
            tree["items" if schema.type == "array" else "values"] = _tree(schema.items, namespace, seen)


def _field_tree(each: AvroField, namespace: str | None, seen: _Seen) -> dict[str, Any]:
    tree: dict[str, Any] = {"name": each.name, "type": _tree(each.schema, namespace, seen)}
    if each.doc is not None:
        tree["doc"] = each.doc
    if each.default is not NO_DEFAULT:
        tree["default"] = each.default
    tree.update(each.props)
    return tree


def _json(node: Any) -> str:
    match node:
        case dict():
            return f"{{{','.join(f'{quote(key)}:{_json(value)}' for key, value in node.items())}}}"
        case list():
            return f"[{','.join(map(_json, node))}]"
        case str():
            return quote(node)
        case Number():
            return node.text
        case float():
            return double_text(node)
    return json.dumps(node)
