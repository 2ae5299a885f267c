"""Struct: setting, reading, checking and comparing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.errors import DataException
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct

INNER = SchemaBuilder.struct().field("deep", Schema.OPTIONAL_INT8_SCHEMA).build()
SCHEMA = (
    SchemaBuilder.struct()
    .field("int8", Schema.INT8_SCHEMA)
    .field("int16", Schema.INT16_SCHEMA)
    .field("int32", Schema.INT32_SCHEMA)
    .field("int64", Schema.INT64_SCHEMA)
    .field("float32", Schema.FLOAT32_SCHEMA)
    .field("float64", Schema.FLOAT64_SCHEMA)
    .field("boolean", Schema.BOOLEAN_SCHEMA)
    .field("string", Schema.STRING_SCHEMA)
    .field("bytes", Schema.BYTES_SCHEMA)
    .field("array", SchemaBuilder.array(Schema.INT8_SCHEMA))
    .field("map", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA))
    .field("struct", INNER)
    .build()
)
VALUES: dict[str, Any] = {
    "int8": 12,
    "int16": 12,
    "int32": 12,
    "int64": 12,
    "float32": 12.5,
    "float64": 12.5,
    "boolean": True,
    "string": "foobar",
    "bytes": b"foobar",
    "array": [1, 2],
    "map": {"a": 1},
    "struct": Struct(INNER, deep=1),
}
DEFAULTS = (
    SchemaBuilder.struct()
    .field("given", SchemaBuilder.int8().default_value(7))
    .field("free", Schema.OPTIONAL_STRING_SCHEMA)
    .build()
)


@pytest.mark.parametrize("name", VALUES)
def test_typed_getters(name: str) -> None:
    struct = Struct(SCHEMA, **VALUES)
    struct.validate()
    assert getattr(struct, f"get_{name}")(name) == VALUES[name]
    other = "string" if name != "string" else "int8"
    with pytest.raises(DataException, match=f"Field '{other}' is not of type {name.upper()}"):
        getattr(struct, f"get_{name}")(other)


@pytest.mark.parametrize("buffer", [b"xyz", bytearray(b"xyz"), memoryview(b"xyz")])
def test_get_bytes_gives_bytes(buffer: Any) -> None:
    value = Struct(SCHEMA, bytes=buffer).get_bytes("bytes")
    assert type(value) is bytes
    assert value == b"xyz"


def test_put_returns_the_struct() -> None:
    struct = Struct(INNER)
    assert struct.put("deep", 1) is struct
    assert struct.put(INNER.fields[0], 2).get(INNER.fields[0]) == 2


def test_items() -> None:
    struct = Struct(INNER)
    struct["deep"] = 5
    assert struct["deep"] == 5


def test_is_no_sequence() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(Struct(INNER))  # type: ignore[call-overload]


def test_any_name_can_be_a_field() -> None:
    schema = SchemaBuilder.struct().field("schema", Schema.INT8_SCHEMA).field("self", Schema.INT8_SCHEMA).build()
    assert Struct(schema, schema=1, self=2)["self"] == 2


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("int8", 300, 'int 300 for field: "int8"'),
        ("int8", None, 'null used for required field: "int8"'),
        ("array", [300], 'int 300 for element of array field: "array"'),
        ("struct", Struct(DEFAULTS), 'Struct schemas do not match for field: "struct"'),
        ("unknown", 1, "unknown is not a valid field name"),
    ],
)
def test_put_refuses(name: str, value: Any, message: str) -> None:
    struct = Struct(SCHEMA)
    with pytest.raises(DataException, match=message):
        struct.put(name, value)
    with pytest.raises(DataException, match=message):
        Struct(SCHEMA, **{name: value})


def test_only_struct_schemas() -> None:
    with pytest.raises(DataException, match=r"Not a struct schema: Schema\{INT8\}"):
        Struct(Schema.INT8_SCHEMA)


def test_defaults() -> None:
    struct = Struct(DEFAULTS)
    assert struct.get("given") == struct["given"] == 7
    assert struct.get_without_default("given") is None
    # As in Java, the typed getters know no defaults.
    assert struct.get_int8("given") is None
    assert struct["free"] is None
    struct.validate()


def test_validate_finds_what_is_missing() -> None:
    with pytest.raises(DataException, match='null used for required field: "y"'):
        Struct(SchemaBuilder.struct().field("x", Schema.OPTIONAL_INT8_SCHEMA).field("y", Schema.INT8_SCHEMA)).validate()


def test_validate_finds_what_has_changed_inside() -> None:
    elements = [1]
    struct = Struct(SCHEMA, **VALUES | {"array": elements})
    elements.append(300)
    with pytest.raises(DataException, match='int 300 for element of array field: "array"'):
        struct.validate()


def test_validate_looks_into_structs() -> None:
    inner = SchemaBuilder.struct().field("a", SchemaBuilder.array(Schema.INT8_SCHEMA)).build()
    outer = SchemaBuilder.struct().field("inner", inner).build()
    elements = [1]
    struct = Struct(outer, inner=Struct(inner, a=elements))
    elements.append(300)
    with pytest.raises(DataException, match="int 300"):
        struct.validate()


def test_equality() -> None:
    assert Struct(SCHEMA, **VALUES) == Struct(SCHEMA, **VALUES)
    assert Struct(SCHEMA, **VALUES) != Struct(SCHEMA, **VALUES | {"struct": Struct(INNER, deep=2)})
    assert Struct(INNER) != Struct(DEFAULTS)
    assert Struct(INNER) != {"deep": None}


@pytest.mark.parametrize("buffer", [bytearray(b"foobar"), memoryview(b"foobar")])
def test_bytes_compare_by_content(buffer: Any) -> None:
    changed = Struct(SCHEMA, **VALUES | {"bytes": buffer})
    assert changed == Struct(SCHEMA, **VALUES)
    assert hash(changed) == hash(Struct(SCHEMA, **VALUES))


def test_default_is_not_the_same_as_set() -> None:
    assert Struct(DEFAULTS, given=7) != Struct(DEFAULTS)


def test_repr() -> None:
    schema = SchemaBuilder.struct().field("a", Schema.INT8_SCHEMA).field("b", Schema.STRING_SCHEMA).field("c", INNER)
    assert repr(Struct(schema, a=1, c=Struct(INNER, deep=3))) == "Struct{a=1,c=Struct{deep=3}}"
    assert repr(Struct(schema, b="x")) == "Struct{b=x}"
    assert str(Struct(schema)) == "Struct{}"


def test_values_as_a_list() -> None:
    assert Struct(DEFAULTS, free="x").field_values == [None, "x"]
    assert Struct.of_checked(DEFAULTS, [1, "x"]) == Struct(DEFAULTS, given=1, free="x")


CONTENTS = st.fixed_dictionaries(
    {
        "int8": st.integers(-128, 127),
        "string": st.text(max_size=3),
        "bytes": st.binary(max_size=3),
        "array": st.lists(st.integers(-2, 2), max_size=2),
        "map": st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)),
    }
)


@given(CONTENTS, CONTENTS)
def test_equal_contents_make_equal_structs(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = Struct(SCHEMA, **one), Struct(SCHEMA, **other)
    assert (first == second) == (one == other)
    assert first == Struct(SCHEMA, **one)
    if first == second:
        assert hash(first) == hash(second)
