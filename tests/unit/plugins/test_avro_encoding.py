"""What writes Avro: the functions compiled for one schema write what fastavro writes, and refuse what does not fit."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_writer

from connectd.errors import DataException
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.avro.binary import encode_long, encode_text
from plugins.converters.avro.codec import for_writing
from plugins.converters.avro.encoding import new_encoder
from plugins.converters.avro.from_connect import avro_schema
from plugins.converters.avro.model import AvroSchema, parse
from plugins.converters.avro.settings import AvroSettings

SETTINGS = AvroSettings()
BEGIN = b"\0\0\0\0\7"
# Where a number takes another way or one byte more.
EDGES = {sign * (2**bits + step) for bits in range(63) for step in (-1, 0, 1) for sign in (1, -1)} | {
    2**63 - 1,
    -(2**63),
}
ITEM = SchemaBuilder.struct().name("item").field("code", Schema.STRING_SCHEMA).build()
ORDER = (
    SchemaBuilder.struct()
    .name("order")
    .field("id", Schema.INT64_SCHEMA)
    .field("note", Schema.OPTIONAL_STRING_SCHEMA)
    .field("paid", Schema.OPTIONAL_BOOLEAN_SCHEMA)
    .field("ratio", SchemaBuilder.float64().default_value(0.5).build())
    .field("data", Schema.BYTES_SCHEMA)
    .field("items", SchemaBuilder.array(ITEM).build())
    .build()
)


def order(number: int, **changes: Any) -> Struct:
    given = {"id": number, "data": b"xy", "items": [Struct(ITEM, code="größe" * number)]} | changes
    return Struct(ORDER, **given)


def encoders_of(schema: Schema) -> tuple[Any, Any, AvroSchema]:
    avro = avro_schema(schema, SETTINGS)
    encode, encode_all = new_encoder(schema, avro, SETTINGS)
    return encode, encode_all, avro


def written_by_fastavro(avro: AvroSchema, value: Any) -> bytes:
    data = BytesIO()
    schemaless_writer(data, for_writing(avro), value)
    return data.getvalue()


def test_numbers_are_written_as_fastavro_writes_them_at_first_and_when_they_are_known() -> None:
    for number in 2 * sorted(EDGES):
        assert encode_long(number) == written_by_fastavro(parse('"long"'), number), number


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1023, 1024, 70_000])
def test_texts_of_any_length_are_written_as_fastavro_writes_them(size: int) -> None:
    assert encode_text("x" * size) == written_by_fastavro(parse('"string"'), "x" * size)


def test_many_structs_are_written_as_one_is_behind_the_same_beginning() -> None:
    encode, encode_all, avro = encoders_of(ORDER)
    orders = [order(0), order(1, note="new", paid=True), order(900, paid=False, ratio=1e300), order(-5000, items=[])]
    fields = [
        {
            "id": each["id"],
            "note": each["note"],
            "paid": each["paid"],
            "ratio": each["ratio"],
            "data": each["data"],
            "items": [{"code": item["code"]} for item in each["items"]],
        }
        for each in orders
    ]
    assert [encode(each) for each in orders] == [written_by_fastavro(avro, each) for each in fields]
    assert encode_all(orders, BEGIN) == [BEGIN + encode(each) for each in orders]


def test_an_optional_struct_has_its_branch_before_it() -> None:
    schema = SchemaBuilder.struct().name("order").field("id", Schema.INT32_SCHEMA).optional().build()
    encode, encode_all, avro = encoders_of(schema)
    assert avro.type == "union"
    assert encode_all([Struct(schema, id=3)], BEGIN) == [BEGIN + encode(Struct(schema, id=3))]
    assert encode(Struct(schema, id=3)) == written_by_fastavro(avro, {"id": 3})


@pytest.mark.parametrize("field", ["id", "data", "items"])
def test_a_null_too_much_is_refused_by_its_name(field: str) -> None:
    encode, encode_all, _ = encoders_of(ORDER)
    bad = order(1)
    bad.field_values[ORDER.field(field).index] = None  # type: ignore[union-attr]
    with pytest.raises(DataException, match=f"Found null for the field {field}, which is not optional"):
        encode(bad)
    with pytest.raises(Exception):  # noqa: B017  # whatever it is: they are written one by one then
        encode_all([order(1), bad], BEGIN)


def test_a_struct_of_another_schema_is_refused_and_one_of_an_equal_schema_is_not() -> None:
    encode, encode_all, _ = encoders_of(ITEM)
    equal = SchemaBuilder.struct().name("item").field("code", Schema.STRING_SCHEMA).build()
    assert encode_all([Struct(equal, code="a")], b"") == [encode(Struct(ITEM, code="a"))]
    with pytest.raises(DataException, match="Expected a struct of"):
        encode(order(1))
    with pytest.raises(DataException, match="Expected a struct of"):
        encode_all([order(1)], b"")
