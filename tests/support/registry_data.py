"""Schemas and values of all kinds for property tests of converters with a registry."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import strategies as st

from connectd.javanumbers import to_float32
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct

_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True)
_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


def _int(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


_LEAVES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "int8": (SchemaBuilder.int8, _int(8)),
    "int16": (SchemaBuilder.int16, _int(16)),
    "int32": (SchemaBuilder.int32, _int(32)),
    "int64": (SchemaBuilder.int64, _int(64)),
    "float32": (SchemaBuilder.float32, st.floats(width=32, allow_nan=False, allow_infinity=False).map(to_float32)),
    "float64": (SchemaBuilder.float64, st.floats(allow_nan=False, allow_infinity=False)),
    "bool": (SchemaBuilder.bool, st.booleans()),
    "string": (SchemaBuilder.string, _TEXT),
    "bytes": (SchemaBuilder.bytes, st.binary(max_size=8)),
    "decimal": (lambda: Decimal.builder(2), st.decimals(-(10**12), 10**12, places=2)),
    "date": (Date.builder, st.dates()),
    "time": (Time.builder, st.integers(0, 86_399_999).map(lambda ms: Time.to_logical(Time.SCHEMA, ms))),
    "timestamp": (
        Timestamp.builder,
        st.integers(-62_000_000_000_000, 250_000_000_000_000).map(
            lambda ms: Timestamp.to_logical(Timestamp.SCHEMA, ms)
        ),
    ),
}


@st.composite
def leaf_schemas(draw: st.DrawFn, may_be_optional: bool = True) -> Schema:
    """A schema that is neither list, map nor struct."""
    builder = _LEAVES[draw(st.sampled_from(sorted(_LEAVES)))][0]()
    return (builder.optional() if may_be_optional and draw(st.booleans()) else builder).build()


@st.composite
def struct_schemas(draw: st.DrawFn, depth: int = 2, may_be_optional: bool = True, name: str = "ns.S") -> Schema:
    """A struct with fields of all kinds, each struct within it with a name of its own."""
    builder = SchemaBuilder.struct().name(name)
    for index, field in enumerate(draw(st.lists(_NAMES, min_size=1, max_size=5, unique=True))):
        builder.field(field, draw(_field_schemas(depth - 1, may_be_optional, f"{name}{index}")))
    return builder.build()


@st.composite
def _field_schemas(draw: st.DrawFn, depth: int, may_be_optional: bool, name: str) -> Schema:
    kinds = ["leaf", "leaf", "list", "map", "struct"] if depth > 0 else ["leaf"]
    match draw(st.sampled_from(kinds)):
        case "list":
            builder = SchemaBuilder.array(draw(leaf_schemas(may_be_optional)))
        case "map":
            keys = draw(st.sampled_from([Schema.STRING_SCHEMA, Schema.INT64_SCHEMA, Schema.BOOLEAN_SCHEMA]))
            builder = SchemaBuilder.map(keys, draw(leaf_schemas(may_be_optional))).name(f"{name}_map")
        case "struct":
            return draw(struct_schemas(depth, may_be_optional, name))
        case _:
            return draw(leaf_schemas(may_be_optional))
    return (builder.optional() if may_be_optional and draw(st.booleans()) else builder).build()


@st.composite
def values_of(draw: st.DrawFn, schema: Schema) -> Any:
    """A value of the schema."""
    if schema.is_optional and draw(st.integers(0, 3)) == 0:
        return None
    match schema.type:
        case Type.STRUCT:
            struct = Struct(schema)
            for field in schema.fields:
                struct.put(field, draw(values_of(field.schema)))
            return struct
        case Type.ARRAY:
            assert schema.value_schema is not None
            return draw(st.lists(values_of(schema.value_schema), max_size=3))
        case Type.MAP:
            assert schema.key_schema is not None and schema.value_schema is not None
            return draw(st.dictionaries(values_of(schema.key_schema), values_of(schema.value_schema), max_size=3))
    return draw(_leaf_values(schema))


def _leaf_values(schema: Schema) -> st.SearchStrategy[Any]:
    logical = (schema.name or "").rpartition(".")[2].lower()
    kind = {Type.BOOLEAN: "bool"}.get(schema.type, schema.type.value)
    return _LEAVES[logical if logical in _LEAVES else kind][1]


@st.composite
def structs(draw: st.DrawFn, may_be_optional: bool = True) -> Struct:
    """A struct with its schema."""
    struct = draw(values_of(draw(struct_schemas(may_be_optional=may_be_optional))))
    assert isinstance(struct, Struct)
    return struct


def plain(value: Any) -> Any:
    """A value without its schemas, to compare with what was read under a schema of the registry's."""
    if isinstance(value, Struct):
        return {field.name: plain(each) for field, each in zip(value.schema.fields, value.field_values, strict=True)}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value.astimezone(datetime.UTC) if isinstance(value, datetime.datetime) else value
