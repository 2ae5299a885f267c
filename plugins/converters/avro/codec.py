"""Avro schemas for fastavro, which does the bytes: only what it needs to know of a schema."""

from __future__ import annotations

from typing import Any, Final

import fastavro

from connectd.errors import DataException
from plugins.converters.avro.defaults import fits
from plugins.converters.avro.model import NAMED, NO_DEFAULT, AvroSchema

# Python has one type for each pair, so that values of the second are marked when they are read from a union.
BRANCH: Final = "connectd-branch"
_ALIKE: Final = (("int", "long"), ("float", "double"))
# What fastavro itself makes Python's values of, just as Connect has them.
_LOGICAL_TYPES: Final = {"int": ("date", "time-millis"), "long": ("timestamp-millis",)}

Parsed = Any
"""A schema as fastavro keeps it."""


def for_writing(avro: AvroSchema) -> Parsed:
    """Raises DataException for a schema that fastavro refuses."""
    return _parsed(_tree(avro, {}, marks_branches=False))


def for_reading(avro: AvroSchema) -> Parsed:
    """As `for_writing`; values of a union may then be pairs of their branch and the value itself."""
    return _parsed(_tree(avro, {}, marks_branches=True))


def _parsed(tree: Any) -> Parsed:
    try:
        return fastavro.parse_schema(tree)
    except Exception as error:
        raise DataException(f"The Avro schema cannot be used: {type(error).__name__}: {error}") from error


def _tree(avro: AvroSchema, seen: dict[str, AvroSchema], marks_branches: bool) -> Any:
    match avro.type:
        case "union":
            return _union(avro, seen, marks_branches)
        case "array" | "map":
            assert avro.items is not None
            key = "items" if avro.type == "array" else "values"
            return {"type": avro.type, key: _tree(avro.items, seen, marks_branches)}
        case kind if kind in NAMED:
            return _named(avro, seen, marks_branches)
    logical_type = logical_type_of(avro)
    return avro.type if logical_type is None else {"type": avro.type, "logicalType": logical_type}


def logical_type_of(avro: AvroSchema) -> str | None:
    """The logical type of a number that Connect has a type for."""
    logical_type = avro.props.get("logicalType")
    logical_type = logical_type.lower() if isinstance(logical_type, str) else None
    return logical_type if logical_type in _LOGICAL_TYPES.get(avro.type, ()) else None


def _named(avro: AvroSchema, seen: dict[str, AvroSchema], marks_branches: bool) -> Any:
    assert avro.name is not None
    if avro.name in seen:
        return avro.name
    seen[avro.name] = avro
    if avro.type == "enum":
        return {"type": "enum", "name": avro.name, "symbols": avro.symbols}
    if avro.type == "fixed":
        return {"type": "fixed", "name": avro.name, "size": avro.size}
    fields: list[dict[str, Any]] = []
    for each in avro.fields:
        field = {"name": each.name, "type": _tree(each.schema, seen, marks_branches)}
        if each.default is not NO_DEFAULT and fits(each.schema, each.default):
            field["default"] = each.default
        fields.append(field)
    return {"type": "record", "name": avro.name, "fields": fields}


def _union(avro: AvroSchema, seen: dict[str, AvroSchema], marks_branches: bool) -> Any:
    types = {each.type for each in avro.types}
    marked = {wide for narrow, wide in _ALIKE if marks_branches and {narrow, wide} <= types}
    return [
        {"type": each.type, "logicalType": BRANCH} if each.type in marked else _tree(each, seen, marks_branches)
        for each in avro.types
    ]


for _type in ("long", "double"):
    fastavro.read.LOGICAL_READERS[f"{_type}-{BRANCH}"] = lambda value, *_, type=_type: (type, value)
