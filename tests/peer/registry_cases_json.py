"""Cases for JsonSchemaConverter."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.json_schema import JsonSchemaConverter
from tests.peer.registry_cases_avro import schemas_and_values
from tests.peer.registry_peer import Case, ReadCase, WriteCase
from tests.unit.plugins.converters_data import random_schema, random_value

NUMERIC = {"decimal.format": "NUMERIC"}
GENERALIZED = {"generalized.sum.type.support": "true"}
KEEP_NULL = {"ignore.default.for.nullables": "true"}
STRICT = {"object.additional.properties": "false"}
NONREQUIRED = {"use.optional.for.nonrequired": "true"}
CONFIGS: list[dict[str, str]] = [{}, NUMERIC, GENERALIZED, KEEP_NULL, STRICT, NONREQUIRED]


def json_cases() -> list[Case]:
    """All cases."""
    return [*_written(), *_random(), *_read()]


def _written() -> Iterator[Case]:
    for schema, value in [*schemas_and_values(), *_unions()]:
        # Without a schema there is nothing to register: that is an error in Java and here.
        for config in CONFIGS if schema is not None else [{}]:
            yield WriteCase(JsonSchemaConverter, schema, value, config)


def _unions() -> Iterator[tuple[Schema, Any]]:
    inner = SchemaBuilder.struct().name("Inner").field("x", Schema.INT32_SCHEMA).optional().build()
    for is_optional in (False, True):
        builder = (
            SchemaBuilder.struct()
            .name("io.confluent.connect.json.OneOf")
            .field("io.confluent.connect.json.OneOf.field.0", Schema.OPTIONAL_INT32_SCHEMA)
            .field("io.confluent.connect.json.OneOf.field.1", inner)
        )
        union = (builder.optional() if is_optional else builder).build()
        outer = SchemaBuilder.struct().name("WithUnion").field("u", union).build()
        yield outer, Struct(outer, u=Struct(union).put("io.confluent.connect.json.OneOf.field.0", 5))
        yield outer, Struct(outer, u=Struct(union).put("io.confluent.connect.json.OneOf.field.1", Struct(inner, x=1)))
        yield outer, Struct(outer, u=Struct(union))
    enum = SchemaBuilder.string().parameter("io.confluent.connect.json.Enum", "")
    for symbol in ("RED", "BLUE", "<NULL>"):
        enum.parameter(f"io.confluent.connect.json.Enum.{symbol}", symbol)
    yield enum.build(), "RED"
    required = SchemaBuilder.struct().field("a", Schema.STRING_SCHEMA).field("b", Schema.OPTIONAL_INT8_SCHEMA).build()
    yield required, Struct(required)


def _random() -> Iterator[Case]:
    chance = random.Random(21)
    for index in range(300):
        schema = random_schema(chance, 2)
        yield WriteCase(
            JsonSchemaConverter, schema, random_value(chance, schema), CONFIGS[index % 6 if index > 150 else 0]
        )


def _read() -> Iterator[Case]:
    for schema, values in _SCHEMAS:
        for value in values:
            is_union = isinstance(value, dict) and "u" in value
            for config in (each for each in CONFIGS if not is_union or each is not GENERALIZED):
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                yield ReadCase(JsonSchemaConverter, json.dumps(schema), data, config)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _logical(name: str, connect_type: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "title": f"org.apache.kafka.connect.data.{name}",
        "connect.type": connect_type,
        "connect.version": 1,
        **more,
    }


_SCHEMAS: list[tuple[Any, list[Any]]] = [
    ({"type": "string"}, ["x", 5, None]),
    ({"type": "boolean"}, [True, "true", 1]),
    ({"type": "integer"}, [5, -5, 2**63 - 1, 2**70, 1.5, "x", None]),
    ({"type": "number"}, [1.5, 5, b"1e400", b"1.10", "x"]),
    ({"type": "integer", "connect.type": "int8"}, [5, 300]),
    ({"type": "integer", "connect.type": "int16"}, [70000]),
    ({"type": "integer", "connect.type": "int32"}, [2**31]),
    ({"type": "number", "connect.type": "float32"}, [0.1, 1e300]),
    ({"type": "string", "connect.type": "bytes"}, ["AAE=", "", "*"]),
    ({"type": "number", "connect.type": "odd"}, [1]),
    ({"oneOf": [{"type": "null"}, {"type": "string"}]}, ["x", None]),
    ({"type": ["null", "string"]}, ["x", None]),
    ({"type": ["string"]}, ["x"]),
    ({"enum": ["a", "b", None, 1]}, ["a"]),
    ({"type": "string", "enum": ["a", "b"], "title": "E", "description": "d"}, ["a"]),
    ({"const": "a"}, ["a"]),
    ({"type": "integer", "enum": [1, 2]}, [1]),
    ({"type": "array", "items": {"type": "integer"}}, [[1, 2], {}, [None]]),
    ({"type": "array"}, [[1]]),
    ({"type": "array", "items": {"oneOf": [{"type": "null"}, {"type": "integer"}]}}, [[1, None]]),
    ({"type": "object", "connect.type": "map", "additionalProperties": {"type": "integer"}}, [{"a": 1}, [1]]),
    (
        {"type": "array", "connect.type": "map", "items": _object(key={"type": "integer"}, value={"type": "string"})},
        [[{"key": 1, "value": "a"}], [{"key": 1}], {"a": 1}],
    ),
    (
        {**_object(a={"type": "string"}, b={"type": "integer"}), "required": ["a"], "title": "R", "description": "doc"},
        [{"a": "x", "b": 1}, {"a": "x"}, {"b": 1}, {"a": "x", "c": 2}, {"a": None}, "x"],
    ),
    (
        _object(b={"type": "string", "connect.index": 1}, a={"type": "integer", "connect.index": 0}),
        [{"a": 1, "b": "x"}],
    ),
    (
        _object(
            a={"type": "string", "default": "d"},
            b={"type": "integer", "default": 5},
            c={"type": "number", "default": 1.5},
        ),
        [{}, {"a": "x", "b": 1, "c": 2.5}],
    ),
    ({"properties": {"a": {"type": "string"}}}, [{"a": "x"}]),
    ({"allOf": [_object(a={"type": "string"}), _object(b={"type": "integer"})]}, [{"a": "x", "b": 1}]),
    ({"allOf": [{"type": "string"}]}, ["x"]),
    (
        {
            "allOf": [{"$ref": "#/definitions/A"}, _object(b={"type": "integer"})],
            "definitions": {"A": _object(a={"type": "string"})},
        },
        [{"a": "x", "b": 1}],
    ),
    (
        {**_object(u={"oneOf": [{"type": "integer"}, {"type": "string"}, _object(x={"type": "integer"})]})},
        [{"u": 1}, {"u": "s"}, {"u": {"x": 1}}, {"u": True}],
    ),
    (
        {
            **_object(
                u={"anyOf": [_object(x={"type": "integer"}), _object(x={"type": "integer"}, y={"type": "string"})]}
            )
        },
        [{"u": {"x": 1}}, {"u": {"x": 1, "y": "s"}}],
    ),
    ({**_object(u={"oneOf": [{"type": "null"}, {"type": "integer"}, {"type": "string"}]})}, [{"u": None}, {"u": 1}]),
    (_logical("Date", "int32", "integer"), [5, "x", 1.5]),
    (_logical("Time", "int32", "integer"), [5000]),
    (_logical("Timestamp", "int64", "integer"), [1700000000000]),
    (_logical("Decimal", "bytes", "string", **{"connect.parameters": {"scale": "2"}}), ["AMg=", 5]),
    (_logical("Decimal", "bytes", "number", **{"connect.parameters": {"scale": "2"}}), [b"1.25", b"1.10", 7]),
    ({"type": "string", "connect.version": 3, "connect.parameters": {"a": "b"}, "title": "T"}, ["x"]),
    (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"a": {"type": "string", "format": "date-time"}, "b": {"type": "integer", "minimum": 1}},
        },
        [{"a": "2024-01-01T00:00:00Z", "b": 2}],
    ),
]
