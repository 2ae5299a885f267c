"""Cases for AvroConverter."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import random
from collections.abc import Iterator
from typing import Any

import fastavro

from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.avro import AvroConverter
from tests.peer.registry_peer import Case, ReadCase, WriteCase
from tests.unit.plugins.converters_data import random_schema, random_value

UTC = datetime.UTC
ENHANCED = {"enhanced.avro.schema.support": "true"}
GENERALIZED = {"generalized.sum.type.support": "true"}
NO_META = {"connect.meta.data": "false"}
SCRUB = {"scrub.invalid.names": "true"}
KEEP_NULL = {"ignore.default.for.nullables": "true"}
OPTIONAL_KEYS = {"allow.optional.map.keys": "true"}
DISCARD = {"discard.type.doc.default": "true"}
CONFIGS: list[dict[str, str]] = [{}, ENHANCED, GENERALIZED, NO_META, SCRUB, KEEP_NULL, OPTIONAL_KEYS, DISCARD]


def avro_cases() -> list[Case]:
    """All cases."""
    return [*_written(), *_random(), *_read()]


def _written() -> Iterator[Case]:
    for schema, value in schemas_and_values():
        # As in Java a null alone asks nothing of the configuration.
        for config in CONFIGS if value is not None else [{}]:
            yield WriteCase(AvroConverter, schema, value, config)


def schemas_and_values() -> Iterator[tuple[Schema | None, Any]]:
    yield from _plain()
    yield from _records()
    for value in (None, True, 5, 2**40, 1.5, "text", ["a", None, 2], {"k": [1]}, {1: "b"}):
        yield None, value


def _plain() -> Iterator[tuple[Schema, Any]]:
    moment = datetime.datetime(2024, 2, 29, 1, 2, 3, 4000, tzinfo=UTC)
    logical: list[tuple[SchemaBuilder, Any]] = [
        (Decimal.builder(2), decimal.Decimal("-1.50")),
        (Decimal.builder(0).parameter("connect.decimal.precision", "10"), decimal.Decimal("12345")),
        (Decimal.builder(70), decimal.Decimal("1E-70")),
        (Decimal.builder(-2), decimal.Decimal("1E+2")),
        (Date.builder(), datetime.date(1969, 12, 31)),
        (Time.builder(), datetime.time(23, 59, 59, 999_000)),
        (Timestamp.builder(), moment),
        (
            Decimal.builder(1)
            .name(Decimal.LOGICAL_NAME)
            .parameter("connect.fixed.size", "4")
            .parameter("connect.decimal.precision", "9"),
            decimal.Decimal("-0.3"),
        ),
    ]
    for builder, value in logical:
        yield builder.build(), value
        yield builder.optional().build(), value
    plain: list[tuple[SchemaBuilder, Any]] = [
        (SchemaBuilder.int8(), -128),
        (SchemaBuilder.int16(), 1000),
        (SchemaBuilder.int32(), 2**31 - 1),
        (SchemaBuilder.int64(), -(2**63)),
        (SchemaBuilder.float32(), 0.5),
        (SchemaBuilder.float64(), 1e300),
        (SchemaBuilder.bool(), True),
        (SchemaBuilder.string(), "grün €"),
        (SchemaBuilder.bytes(), b"\0\xff"),
        (SchemaBuilder.string().name("my.Text").version(3).doc("says").parameter("a", "b"), "x"),
        (SchemaBuilder.bytes().name("my.Fixed").parameter("connect.fixed.size", "3"), b"abc"),
        (_enum("my.Colour", "RED", "BLUE"), "RED"),
        (_general_enum("my.Colour", "RED", "BLUE"), "BLUE"),
        (SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA), ["a", None]),
        (SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA), {"a": 1}),
        (SchemaBuilder.map(Schema.OPTIONAL_STRING_SCHEMA, Schema.INT8_SCHEMA), {"a": 1}),
        (SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA), {1: "a"}),
        (SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.STRING_SCHEMA).name("my.Entries"), {7: "a"}),
    ]
    for builder, value in plain:
        yield builder.build(), value
        yield builder.optional().build(), value
        yield builder.build(), None
        yield builder.default_value(value).build(), value
        yield builder.build(), None


def _records() -> Iterator[tuple[Schema, Any]]:
    inner = SchemaBuilder.struct().name("ns.Inner").field("x", Schema.INT32_SCHEMA).build()
    optional_inner = SchemaBuilder.struct().name("ns.Inner").field("x", Schema.INT32_SCHEMA).optional().build()
    value = Struct(inner, x=1)
    twice = (
        SchemaBuilder.struct().name("ns.Outer").field("a", inner).field("b", inner).field("c", optional_inner).build()
    )
    yield twice, Struct(twice, a=value, b=value, c=Struct(optional_inner, x=2))
    yield twice, Struct(twice, a=value, b=value)
    unnamed = SchemaBuilder.struct().field("x", Schema.INT64_SCHEMA).build()
    pair = (
        SchemaBuilder.struct().field("a", unnamed).field("b", SchemaBuilder.array(unnamed).optional().build()).build()
    )
    yield pair, Struct(pair, a=Struct(unnamed, x=1), b=[Struct(unnamed, x=2)])
    defaults = _with_defaults()
    yield defaults, Struct(defaults)
    yield defaults, Struct(defaults, i=1, s="given", f=0.1, b=b"z")
    odd = (
        SchemaBuilder.struct().name("my-ns.odd name").field("a-b", Schema.STRING_SCHEMA).field("9é", Schema.INT8_SCHEMA)
    )
    schema = odd.build()
    yield schema, Struct(schema).put("a-b", "x").put("9é", 1)
    documented = (
        SchemaBuilder.struct()
        .name("ns.Documented")
        .version(7)
        .doc("of Connect")
        .parameter("io.confluent.connect.avro.record.doc", "of Avro")
        .parameter("io.confluent.connect.avro.field.doc.x", "of the field")
        .parameter("avro.java.string", "String")
        .field("x", SchemaBuilder.int32().doc("doc of x").build())
        .build()
    )
    yield documented, Struct(documented, x=1)
    yield from _unions()


def _with_defaults() -> Schema:
    return (
        SchemaBuilder.struct()
        .name("ns.Defaults")
        .field("i", SchemaBuilder.int32().default_value(5).build())
        .field("s", SchemaBuilder.string().optional().default_value("d").build())
        .field("f", SchemaBuilder.float32().optional().default_value(1e10).build())
        .field("d", SchemaBuilder.float64().default_value(1e21).build())
        .field("b", SchemaBuilder.bytes().default_value(b"\x01\xff").build())
        .field("t", Timestamp.builder().default_value(datetime.datetime(2024, 1, 1, tzinfo=UTC)).build())
        .field("m", Decimal.builder(1).default_value(decimal.Decimal("1.5")).build())
        .field("l", SchemaBuilder.array(Schema.INT32_SCHEMA).default_value([1, 2]).build())
        .field("k", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).default_value({"a": 1}).build())
        .field("e", SchemaBuilder.map(Schema.INT8_SCHEMA, Schema.INT8_SCHEMA).default_value({1: 1}).build())
        .field("p", SchemaBuilder.struct().name("ns.Point").field("x", Schema.FLOAT32_SCHEMA).optional().build())
        .field("o", Schema.OPTIONAL_STRING_SCHEMA)
        .build()
    )


def _unions() -> Iterator[tuple[Schema, Any]]:
    inner = SchemaBuilder.struct().name("ns.Inner").field("x", Schema.INT32_SCHEMA).optional().build()
    for is_optional in (False, True):
        builder = (
            SchemaBuilder.struct()
            .name("io.confluent.connect.avro.Union")
            .field("int", Schema.OPTIONAL_INT32_SCHEMA)
            .field("string", Schema.OPTIONAL_STRING_SCHEMA)
            .field("Inner", inner)
        )
        union = (builder.optional() if is_optional else builder).build()
        outer = SchemaBuilder.struct().name("ns.WithUnion").field("u", union).build()
        yield outer, Struct(outer, u=Struct(union, int=5))
        yield outer, Struct(outer, u=Struct(union, string="s"))
        yield outer, Struct(outer, u=Struct(union, Inner=Struct(inner, x=1)))
        yield union, Struct(union, string="s")
        yield outer, Struct(outer, u=Struct(union))
        if is_optional:
            yield outer, Struct(outer)
    general = (
        SchemaBuilder.struct()
        .name("connect_union_0")
        .parameter("org.apache.kafka.connect.data.Union", "connect_union_0")
        .field("connect_union_field_0", Schema.OPTIONAL_INT64_SCHEMA)
        .field("connect_union_field_1", Schema.OPTIONAL_BOOLEAN_SCHEMA)
        .build()
    )
    yield general, Struct(general, connect_union_field_1=True)


def _enum(name: str, *symbols: str) -> SchemaBuilder:
    builder = SchemaBuilder.string().name(name).parameter("io.confluent.connect.avro.Enum", name)
    for symbol in symbols:
        builder.parameter(f"io.confluent.connect.avro.Enum.{symbol}", symbol)
    return builder.parameter("io.confluent.connect.avro.enum.doc.Colour", "of colours")


def _general_enum(name: str, *symbols: str) -> SchemaBuilder:
    builder = SchemaBuilder.string().name(name).parameter("org.apache.kafka.connect.data.Enum", name)
    for index, symbol in enumerate(symbols):
        builder.parameter(f"org.apache.kafka.connect.data.Enum.{symbol}", str(index))
    return builder


def _random() -> Iterator[Case]:
    chance = random.Random(20)
    for index in range(400):
        schema = random_schema(chance, 2)
        yield WriteCase(AvroConverter, schema, random_value(chance, schema), CONFIGS[index % 8 if index > 200 else 0])


def _read() -> Iterator[Case]:
    for schema, values in _AVRO:
        text = json.dumps(schema)
        for value in values:
            data = _encoded(schema, value)
            # Java numbers the unions of all schemas together, so that their names depend on what came before.
            is_union = isinstance(value, dict) and "u" in value
            for config in (each for each in CONFIGS if not is_union or each is not GENERALIZED):
                yield ReadCase(AvroConverter, text, data, config)


def _encoded(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(schema))), value)
    return stream.getvalue()


def _record(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "namespace": "ns", "fields": list(fields), **more}


_RED = {"type": "enum", "name": "E", "symbols": ["RED", "BLUE"], "doc": "colours", "default": "RED"}
_FIXED = {"type": "fixed", "name": "F", "size": 2}
_AVRO: list[tuple[Any, list[Any]]] = [
    ("int", [5]),
    ("long", [-5]),
    ("float", [0.1]),
    ("double", [0.1]),
    ("boolean", [True]),
    ("string", ["ä"]),
    (["null", "string"], ["x"]),
    (["string"], ["x"]),
    ([_RED, "null"], [("E", "RED")]),
    ({"type": "int", "connect.type": "int8"}, [5, 300, -129]),
    ({"type": "int", "connect.type": "int16"}, [70000]),
    ({"type": "int", "connect.type": "odd"}, [5]),
    ({"type": "int", "logicalType": "date"}, [datetime.date(2024, 1, 1)]),
    ({"type": "int", "logicalType": "time-millis"}, [datetime.time(1, 2, 3)]),
    ({"type": "long", "logicalType": "time-micros"}, [datetime.time(1, 2, 3)]),
    ({"type": "long", "logicalType": "timestamp-millis"}, [datetime.datetime(2024, 1, 1, tzinfo=UTC)]),
    ({"type": "long", "logicalType": "timestamp-micros"}, [datetime.datetime(2024, 1, 1, tzinfo=UTC)]),
    ({"type": "string", "logicalType": "uuid"}, ["00000000-0000-0000-0000-000000000000"]),
    (
        _record({"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}),
        [{"d": decimal.Decimal("1.25")}],
    ),
    (
        _record({"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 64}}),
        [{"d": decimal.Decimal("7")}],
    ),
    (
        _record({"name": "d", "type": {**_FIXED, "logicalType": "decimal", "precision": 4, "scale": 1}}),
        [{"d": decimal.Decimal("-1.5")}],
    ),
    (
        _record({"name": "f", "type": _FIXED}, {"name": "g", "type": ["null", "F"]}),
        [{"f": b"ab", "g": ("ns.F", b"cd")}],
    ),
    (_record({"name": "e", "type": _RED, "default": "BLUE"}), [{"e": "RED"}]),
    (_record({"name": "a", "type": {"type": "array", "items": ["null", "int"]}}), [{"a": [1, None]}]),
    (_record({"name": "u", "type": ["int", "string", "null"]}), [{"u": 1}, {"u": "s"}, {"u": None}]),
    (_record({"name": "u", "type": ["null", "int", "long"]}), [{"u": ("int", 1)}, {"u": ("long", 1)}]),
    (_record({"name": "u", "type": ["float", "double"]}), [{"u": ("float", 1.5)}, {"u": ("double", 1.5)}]),
    (
        _record({"name": "u", "type": [_RED, "string", _FIXED, "bytes"]}),
        [{"u": ("ns.E", "RED")}, {"u": "RED"}, {"u": ("ns.F", b"ab")}, {"u": b"ab"}],
    ),
    (
        _record(
            {
                "name": "u",
                "type": [
                    {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]},
                    {"type": "record", "name": "B", "namespace": "other", "fields": [{"name": "x", "type": "int"}]},
                    {"type": "map", "values": "int"},
                    {"type": "array", "items": "int"},
                ],
            }
        ),
        [{"u": ("ns.A", {"x": 1})}, {"u": ("other.B", {"x": 1})}, {"u": ("map", {"x": 1})}, {"u": [1]}],
    ),
    (
        _record({"name": "u", "type": ["int", {"type": "long", "logicalType": "timestamp-millis"}]}),
        [{"u": ("int", 1)}, {"u": ("long", datetime.datetime(2024, 1, 1, tzinfo=UTC))}],
    ),
    (
        _record(
            {"name": "i", "type": "int", "default": 5, "doc": "of i"},
            {"name": "s", "type": "string", "default": "d"},
            {"name": "o", "type": ["null", "string"], "default": None},
            {"name": "p", "type": ["string", "null"], "default": "p"},
            {"name": "b", "type": "bytes", "default": "\u00ff"},
            {"name": "l", "type": {"type": "array", "items": "int"}, "default": [1]},
            {"name": "t", "type": {"type": "int", "logicalType": "date"}, "default": 1},
            {
                "name": "r",
                "type": {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int", "default": 3}]},
            },
            doc="of R",
            **{"connect.name": "my.R", "connect.version": 4, "connect.doc": "says", "connect.parameters": {"a": "b"}},
        ),
        [
            {
                "i": 1,
                "s": "x",
                "o": "y",
                "p": "z",
                "b": b"",
                "l": [],
                "t": datetime.date(2024, 1, 1),
                "r": {"x": 9},
                "u": 5,
            }
        ],
    ),
    ({"type": "int", "connect.default": 4, "connect.doc": "d", "connect.version": 2}, [1]),
    ({"type": "string", "avro.java.string": "String", "connect.name": "my.Name"}, ["x"]),
    (
        {
            "type": "array",
            "items": {
                "type": "record",
                "name": "MapEntry",
                "namespace": "io.confluent.connect.avro",
                "fields": [{"name": "key", "type": "int"}, {"name": "value", "type": ["null", "string"]}],
            },
        },
        [[{"key": 1, "value": "a"}]],
    ),
    ({"type": "record", "name": "ConnectDefault2", "namespace": "io.confluent.connect.avro", "fields": []}, [{}]),
]
