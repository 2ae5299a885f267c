"""Converters of text, bytes, bools, numbers and headers answer as Java's do."""

from __future__ import annotations

import datetime
import decimal
import math
import random
from collections.abc import Iterator

import pytest

from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.base import BuiltinConverter
from plugins.converters.boolean import BooleanConverter
from plugins.converters.byte_array import ByteArrayConverter
from plugins.converters.double import DoubleConverter
from plugins.converters.float import FloatConverter
from plugins.converters.integer import IntegerConverter
from plugins.converters.long import LongConverter
from plugins.converters.short import ShortConverter
from plugins.converters.simple_header import SimpleHeaderConverter
from plugins.converters.string import StringConverter
from tests.peer.converters_peer import Case, JavaConverters, Read, Write

NUMBERS: list[tuple[type[BuiltinConverter], Schema, list[int | float]]] = [
    (ShortConverter, Schema.INT16_SCHEMA, [0, 1, -1, 32767, -32768]),
    (IntegerConverter, Schema.INT32_SCHEMA, [0, 1, -1, 2**31 - 1, -(2**31)]),
    (LongConverter, Schema.INT64_SCHEMA, [0, 1, -1, 2**63 - 1, -(2**63)]),
    (FloatConverter, Schema.FLOAT32_SCHEMA, [0.0, -0.0, 0.1, 3.4e38, 1e-45, math.inf, -math.inf, math.nan]),
    (DoubleConverter, Schema.FLOAT64_SCHEMA, [0.0, -0.0, 0.1, 1.7e308, 5e-324, math.inf, -math.inf, math.nan]),
]
ENCODINGS = ["UTF-8", "US-ASCII", "ISO-8859-1", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "windows-1252", "Shift_JIS"]
TEXTS = ["", "abc", "grün €", "日本語", "\U0001f600", "half \ud83d a pair \ude00", "\0\x1f", "a\nb"]


@pytest.fixture(scope="module")
def java() -> Iterator[JavaConverters]:
    with JavaConverters() as java:
        yield java


def test_numbers_booleans_and_bytes(java: JavaConverters) -> None:
    cases: list[Case] = []
    for converter, schema, values in NUMBERS:
        cases += [Write(converter, schema, value) for value in values]
        others: list[object] = [None, "1", True, b"1", []]
        cases += [Write(converter, schema, value) for value in others]
        cases += [Read(converter, bytes(range(200, 200 + length))) for length in range(10)]
        cases += [Read(converter, None)]
    # Without a schema Java goes by the class of the value, which for a Python number is not known.
    cases += [Write(LongConverter, None, 1), Write(DoubleConverter, None, 1.5)]
    booleans: list[object] = [True, False, None, 1, "true"]
    for boolean in booleans:
        cases += [
            Write(BooleanConverter, each, boolean) for each in (Schema.BOOLEAN_SCHEMA, Schema.STRING_SCHEMA, None)
        ]
    cases += [Read(BooleanConverter, data) for data in (None, b"", b"\0", b"\1", b"\2", b"\1\1")]
    buffers: list[object] = [None, b"", b"abc", memoryview(b"abc"), "abc", 1]
    for buffer in buffers:
        cases += [Write(ByteArrayConverter, each, buffer) for each in (Schema.BYTES_SCHEMA, Schema.INT8_SCHEMA, None)]
    cases += [Read(ByteArrayConverter, data) for data in (None, b"", b"abc")]
    cases += [
        Write(IntegerConverter, Schema.INT32_SCHEMA, 7, is_header=True),
        Read(IntegerConverter, b"12", is_header=True),
    ]
    java.assert_same_answers(cases)


def test_text_in_all_encodings(java: JavaConverters) -> None:
    cases: list[Case] = []
    for encoding in ENCODINGS:
        config = {"converter.encoding": encoding}
        cases += [Write(StringConverter, Schema.STRING_SCHEMA, text, config) for text in [*TEXTS, None]]
        cases += [Read(StringConverter, text.encode("utf-8", "surrogatepass"), config) for text in TEXTS]
    for encoding in ("UTF-16", "UTF-32"):
        config = {"converter.encoding": encoding}
        cases += [Read(StringConverter, "aß".encode(f"{encoding}-{order}"), config) for order in ("le", "be")]
        cases += [Read(StringConverter, "\ufeffaß".encode(f"{encoding}-{order}"), config) for order in ("le", "be")]
    cases += [
        Write(StringConverter, None, "x", {"converter.encoding": name}) for name in ("nonsense", "", "base64", "utf 8")
    ]
    java.assert_same_answers(cases)


def test_invalid_utf8_is_replaced_as_java_replaces_it(java: JavaConverters) -> None:
    chance = random.Random(8)
    lead_and_more = [0x41, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF, 0xA0, 0x9F, 0x90]
    datas = [bytes(chance.choices(lead_and_more, k=chance.randint(1, 8))) for _ in range(1000)]
    java.assert_same_answers([Read(StringConverter, data) for data in datas])


def test_text_of_values_that_are_no_strings(java: JavaConverters) -> None:
    point = SchemaBuilder.struct().field("x", Schema.FLOAT32_SCHEMA).field("y", Schema.OPTIONAL_STRING_SCHEMA).build()
    list_schema = SchemaBuilder.array(Schema.FLOAT32_SCHEMA).build()
    map_schema = SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.OPTIONAL_INT64_SCHEMA).build()
    cases: list[Case] = [
        Write(StringConverter, schema, value)
        for schema, value in [
            (Schema.INT64_SCHEMA, -5),
            (Schema.BOOLEAN_SCHEMA, True),
            (Schema.FLOAT32_SCHEMA, 0.1),
            (Schema.FLOAT64_SCHEMA, 1e10),
            (None, 1e-5),
            (Decimal.schema(2), decimal.Decimal("12.50")),
            (Date.SCHEMA, datetime.date(2024, 2, 29)),
            (Time.SCHEMA, datetime.time(1, 2, 3, 4000)),
            (Timestamp.SCHEMA, datetime.datetime(2024, 2, 9, 12, tzinfo=datetime.UTC)),
            (list_schema, [0.1, 2.0]),
            (map_schema, {"a": 1, "b": None}),
            (point, Struct(point, x=0.1)),
            (point, Struct(point, x=1e7, y="text")),
        ]
    ]
    java.assert_same_answers(cases)


def test_simple_headers(java: JavaConverters) -> None:
    texts = [
        "",
        "null",
        "1",
        "-129",
        "3.5",
        "true",
        "abc",
        '"abc"',
        "[1, 2]",
        '{"a": 1}',
        "2024-02-29",
        "\xff",
        "1e400",
    ]
    cases: list[Case] = [Read(SimpleHeaderConverter, text.encode("latin-1"), is_header=True) for text in texts]
    cases += [Read(SimpleHeaderConverter, None, is_header=True)]
    cases += [
        Write(SimpleHeaderConverter, schema, value, is_header=True)
        for schema, value in [
            (Schema.STRING_SCHEMA, "grün \ud83d"),
            (Schema.STRING_SCHEMA, None),
            (Schema.INT32_SCHEMA, 7),
            (Schema.BYTES_SCHEMA, b"abc"),
            (Schema.FLOAT32_SCHEMA, 0.1),
            (None, [1, "a", None]),
            (None, {"a": 1.5}),
            (Timestamp.SCHEMA, datetime.datetime(2024, 2, 9, 12, tzinfo=datetime.UTC)),
        ]
    ]
    cases += [Write(StringConverter, Schema.STRING_SCHEMA, "abc", is_header=True)]
    cases += [Read(StringConverter, b"abc", is_header=True)]
    java.assert_same_answers(cases)
