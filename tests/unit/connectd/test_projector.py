"""SchemaProjector: what may become what. `test_values_vectors.py` compares many more cases with Java's."""

from __future__ import annotations

import math
from typing import Any

import pytest

from connectd.errors import DataException, SchemaProjectorException
from connectd.logical import Date, Decimal
from connectd.projector import SchemaProjector
from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct

NUMBERS = [Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.FLOAT32, Type.FLOAT64]
OTHERS = [type for type in Type if type.is_primitive and type not in NUMBERS]

OLD = SchemaBuilder.struct().name("s").field("id", Schema.INT32_SCHEMA).field("gone", Schema.STRING_SCHEMA).build()
NEW = (
    SchemaBuilder.struct()
    .name("s")
    .field("id", Schema.INT64_SCHEMA)
    .field("added", SchemaBuilder.string().default_value("x"))
    .field("free", Schema.OPTIONAL_INT8_SCHEMA)
    .build()
)


@pytest.mark.parametrize("source", [*NUMBERS, *OTHERS])
@pytest.mark.parametrize("target", [*NUMBERS, *OTHERS])
def test_only_numbers_and_only_wider(source: Type, target: Type) -> None:
    value: Any = 1 if source in NUMBERS[:4] else 1.0 if source in NUMBERS else "x"
    wider = source in NUMBERS and target in NUMBERS and NUMBERS.index(source) <= NUMBERS.index(target)
    if source is target or wider:
        projected = SchemaProjector.project(Schema(source), value, Schema(target))
        assert projected == value
        assert isinstance(projected, float) == (target in NUMBERS[4:])
    else:
        with pytest.raises(SchemaProjectorException, match=f"source type: {source} and target type: {target}"):
            SchemaProjector.project(Schema(source), value, Schema(target))


def test_integers_round_to_floats() -> None:
    assert SchemaProjector.project(Schema.INT32_SCHEMA, 2**24 + 1, Schema.FLOAT32_SCHEMA) == 2**24
    assert SchemaProjector.project(Schema.INT64_SCHEMA, 2**53 + 1, Schema.FLOAT64_SCHEMA) == 2**53
    assert math.isnan(SchemaProjector.project(Schema.FLOAT32_SCHEMA, math.nan, Schema.FLOAT64_SCHEMA))


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (SchemaBuilder.int8().name("a"), SchemaBuilder.int8().name("b"), "source name: a and target name: b"),
        (Date.builder(), SchemaBuilder.int32(), "target name: None"),
        (Decimal.builder(1), Decimal.builder(2), "Schema parameters not equal"),
        (SchemaBuilder.int8().optional(), SchemaBuilder.int8(), "does not provide a default value"),
    ],
)
def test_refused(source: SchemaBuilder, target: SchemaBuilder, message: str) -> None:
    with pytest.raises(SchemaProjectorException, match=message):
        SchemaProjector.project(source.build(), 1, target.build())


@pytest.mark.parametrize(
    ("source", "target", "value", "projected"),
    [
        (SchemaBuilder.int8().optional(), SchemaBuilder.int8().default_value(5), None, 5),
        (SchemaBuilder.int8().optional(), SchemaBuilder.int8().default_value(5), 1, 1),
        (SchemaBuilder.int8().optional(), SchemaBuilder.int8().optional().default_value(5), None, None),
        (SchemaBuilder.int8(), SchemaBuilder.int8().optional(), 1, 1),
    ],
)
def test_optional_and_default(source: SchemaBuilder, target: SchemaBuilder, value: Any, projected: Any) -> None:
    assert SchemaProjector.project(source.build(), value, target.build()) == projected


def test_version_doc_and_default_of_the_source_do_not_matter() -> None:
    source = SchemaBuilder.int8().version(1).doc("old").default_value(1).build()
    assert SchemaProjector.project(source, 3, SchemaBuilder.int8().version(2).build()) == 3


def test_struct() -> None:
    projected = SchemaProjector.project(OLD, Struct(OLD, id=7, gone="x"), NEW)
    assert projected == Struct(NEW, id=7, added="x")


def test_structs_within_lists_and_maps() -> None:
    source = SchemaBuilder.map(Schema.INT8_SCHEMA, SchemaBuilder.array(OLD)).build()
    target = SchemaBuilder.map(Schema.INT16_SCHEMA, SchemaBuilder.array(NEW)).build()
    projected = SchemaProjector.project(source, {1: [Struct(OLD, id=7, gone="x")]}, target)
    assert projected == {1: [Struct(NEW, id=7, added="x")]}


def test_missing_required_field() -> None:
    with pytest.raises(SchemaProjectorException, match="Required field `gone` is missing from source schema"):
        SchemaProjector.project(NEW, Struct(NEW, id=7), _only("gone"))


def test_error_names_the_field() -> None:
    source = SchemaBuilder.struct().field("a", SchemaBuilder.struct().field("b", Schema.STRING_SCHEMA)).build()
    target = SchemaBuilder.struct().field("a", SchemaBuilder.struct().field("b", Schema.INT8_SCHEMA)).build()
    inner = source.field("a")
    assert inner is not None
    with pytest.raises(SchemaProjectorException, match="Error projecting a: Error projecting b: Schema type mismatch"):
        SchemaProjector.project(source, Struct(source, a=Struct(inner.schema, b="x")), target)


def test_required_field_that_was_never_set() -> None:
    # Java finds this when it puts the value, and so it is a DataException of another kind.
    with pytest.raises(DataException, match='null used for required field: "id"'):
        SchemaProjector.project(OLD, Struct(OLD), NEW)


def test_elements_of_unknown_schema() -> None:
    with pytest.raises(SchemaProjectorException, match="schema is not known"):
        SchemaProjector.project(Schema(Type.ARRAY), [1], Schema(Type.ARRAY))


def _only(name: str) -> Schema:
    return SchemaBuilder.struct().name("s").field(name, Schema.STRING_SCHEMA).build()
