"""Values as Java's `String.valueOf` writes them: the expected texts are what Java 17 printed, in UTC."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.java_text import to_text

UTC = datetime.UTC
EAST = datetime.timezone(datetime.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ("as it is", "as it is"),
        (True, "true"),
        (-7, "-7"),
        (100.0, "100.0"),
        (1e-5, "1.0E-5"),
        (float("nan"), "NaN"),
        (Decimal("1E+3"), "1E+3"),
        (Decimal("0.0000000"), "0E-7"),
        (Decimal("-12.340"), "-12.340"),
        (Decimal("0.0000001"), "1E-7"),
        ([], "[]"),
        ({}, "{}"),
        ({"k": [1, None, 2.5], 1: True}, "{k=[1, null, 2.5], 1=true}"),
        (datetime.datetime(1970, 1, 1, tzinfo=UTC), "Thu Jan 01 00:00:00 UTC 1970"),
        (datetime.datetime(2024, 6, 20, 18, 21, 5, 123000, EAST), "Thu Jun 20 16:21:05 UTC 2024"),
        (datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "Fri Dec 31 23:59:59 UTC 9999"),
        (datetime.date(2024, 6, 20), "Thu Jun 20 00:00:00 UTC 2024"),
        (datetime.time(12, 34, 56, 789000), "Thu Jan 01 12:34:56 UTC 1970"),
    ],
)
def test_without_a_schema(value: Any, text: str) -> None:
    assert to_text(value) == text


def test_bytes_are_base64() -> None:
    for value in (b"\x00\xff", bytearray(b"\x00\xff"), memoryview(b"\x00\xff")):
        assert to_text([value]) == "[AP8=]"


def test_a_schema_makes_floats_of_32_bits_short_wherever_they_are() -> None:
    tenth = 0.10000000149011612  # the 32 bit float nearest to 0.1
    assert to_text(tenth) == "0.10000000149011612"
    assert to_text(tenth, Schema.FLOAT32_SCHEMA) == "0.1"
    assert to_text([tenth], SchemaBuilder.array(Schema.FLOAT32_SCHEMA).build()) == "[0.1]"
    floats = SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.FLOAT32_SCHEMA).build()
    assert to_text({"a": tenth}, floats) == "{a=0.1}"
    struct = SchemaBuilder.struct().field("f", Schema.FLOAT32_SCHEMA).field("m", floats).build()
    assert to_text(Struct(struct, f=tenth, m={"a": tenth})) == "Struct{f=0.1,m={a=0.1}}"


def test_a_struct_leaves_out_what_is_not_set() -> None:
    schema = SchemaBuilder.struct().field("a", Schema.OPTIONAL_STRING_SCHEMA).field("b", Schema.BOOLEAN_SCHEMA).build()
    assert to_text(Struct(schema, b=False), schema) == "Struct{b=false}"
