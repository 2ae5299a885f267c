"""The JSON form of schemas and values in `ValuesVectors.java`'s cases, and connectd's answers to the same cases."""

from __future__ import annotations

import base64
import datetime
import decimal
from collections.abc import Callable
from typing import Any

from connectd.errors import DataException
from connectd.javanumbers import to_float32
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.projector import SchemaProjector
from connectd.schema import Schema, SchemaAndValue, SchemaBuilder, Type
from connectd.struct import Struct
from connectd.values import Values

Json = Any
Case = dict[str, Json]
Answer = dict[str, Json]

_CONVERSIONS: dict[str, Callable[[Schema | None, Any], Any]] = {
    "boolean": Values.convert_to_boolean,
    "byte": Values.convert_to_byte,
    "short": Values.convert_to_short,
    "integer": Values.convert_to_integer,
    "long": Values.convert_to_long,
    "float": Values.convert_to_float,
    "double": Values.convert_to_double,
    "string": Values.convert_to_string,
    "list": Values.convert_to_list,
    "map": Values.convert_to_map,
    "date": Values.convert_to_date,
    "time": Values.convert_to_time,
    "timestamp": Values.convert_to_timestamp,
}


def answer(case: Case) -> Answer:
    """What connectd makes of a case, in the form of `ValuesVectors.java`; an error is only said to be one."""
    try:
        result = _answer(case)
    except DataException:
        return {"error": True}
    return {"schema": encode_schema(result.schema), "value": encode(result.value)}


def _answer(case: Case) -> SchemaAndValue:
    schema = decode_schema(case.get("schema"))
    value = decode(case.get("value"))
    match case["op"]:
        case "parse":
            return Values.parse_string(case["text"])
        case "infer":
            return SchemaAndValue(Values.infer_schema(value), None)
        case "project":
            target = decode_schema(case["target"])
            assert schema is not None and target is not None
            return SchemaAndValue(None, SchemaProjector.project(schema, value, target))
        case "decimal":
            assert schema is not None
            return SchemaAndValue(None, Decimal.from_logical(schema, value))
        case "to_decimal":
            return SchemaAndValue(None, Values.convert_to_decimal(schema, value, case["scale"]))
        case op:
            return SchemaAndValue(None, _CONVERSIONS[op](schema, value))


def decode_schema(json: Json) -> Schema | None:
    if json is None:
        return None
    parts = {key: decode_schema(json[key]) for key in ("keys", "values") if key in json}
    fields = [(name, decode_schema(schema)) for name, schema in json.get("fields", ())]
    match Type(json["type"]):
        case Type.ARRAY:
            builder = SchemaBuilder.array(parts["values"])  # type: ignore[arg-type]
        case Type.MAP:
            builder = SchemaBuilder.map(parts["keys"], parts["values"])  # type: ignore[arg-type]
        case type:
            builder = SchemaBuilder(type)
    for name, schema in fields:
        builder.field(name, schema)  # type: ignore[arg-type]
    if json.get("optional"):
        builder.optional()
    if "name" in json:
        builder.name(json["name"])
    if "version" in json:
        builder.version(json["version"])
    if "doc" in json:
        builder.doc(json["doc"])
    builder.parameters(json.get("parameters", {}))
    if "default" in json:
        builder.default_value(decode(json["default"]))
    return builder.build()


def encode_schema(schema: Schema | None) -> Json:
    if schema is None:
        return None
    json: dict[str, Json] = {"type": schema.type.value}
    if schema.is_optional:
        json["optional"] = True
    if schema.name is not None:
        json["name"] = schema.name
    if schema.version is not None:
        json["version"] = schema.version
    if schema.doc is not None:
        json["doc"] = schema.doc
    if schema.parameters is not None:
        json["parameters"] = dict(schema.parameters)
    if schema.default_value is not None:
        json["default"] = encode(schema.default_value)
    if schema.type is Type.MAP:
        json["keys"] = encode_schema(schema.key_schema)
    if schema.type in (Type.MAP, Type.ARRAY):
        json["values"] = encode_schema(schema.value_schema)
    if schema.type is Type.STRUCT:
        json["fields"] = [[field.name, encode_schema(field.schema)] for field in schema.fields]
    return json


def decode(json: Json) -> Any:
    if json is None:
        return None
    kind, value = json
    match kind:
        case "array":
            return [decode(element) for element in value]
        case "map":
            return {decode(key): decode(element) for key, element in value}
        case "struct":
            schema = decode_schema(value[0])
            assert schema is not None
            struct = Struct(schema)
            for name, element in value[1]:
                struct.put(name, decode(element))
            return struct
        case _:
            return _DECODERS.get(kind, lambda plain: plain)(value)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "float32": lambda text: to_float32(float(text)),
    "float64": float,
    "bytes": base64.b64decode,
    "decimal": decimal.Decimal,
    "date": lambda days: Date.to_logical(Date.SCHEMA, days),
    "time": lambda ms: Time.to_logical(Time.SCHEMA, ms),
    "timestamp": lambda ms: Timestamp.to_logical(Timestamp.SCHEMA, ms),
}


def encode(value: Any) -> Json:
    if value is None:
        return None
    return next([kind, write(value)] for type, kind, write in _ENCODERS if isinstance(value, type))


_ENCODERS: tuple[tuple[type, str, Callable[[Any], Json]], ...] = (
    (bool, "boolean", lambda value: value),
    (int, "int", lambda value: value),
    (float, "float", repr),
    (str, "string", lambda value: value),
    (bytes, "bytes", lambda value: base64.b64encode(value).decode()),
    (decimal.Decimal, "decimal", str),
    (datetime.datetime, "instant", lambda value: Timestamp.from_logical(Timestamp.SCHEMA, value)),
    (datetime.date, "instant", lambda value: Date.from_logical(Date.SCHEMA, value) * 86_400_000),
    (datetime.time, "instant", lambda value: Time.from_logical(Time.SCHEMA, value)),
    (list, "array", lambda value: [encode(element) for element in value]),
    (dict, "map", lambda value: [[encode(key), encode(element)] for key, element in value.items()]),
    (
        Struct,
        "struct",
        lambda value: [[field.name, encode(value.get_without_default(field))] for field in value.schema.fields],
    ),
)


def normalized(case: Case, json: Json) -> Json:
    """An answer in a form that compares: Java's and Python's spellings of one float are the same, so are all errors.

    What is projected are HashMaps in Java, so their order says nothing.
    """
    if isinstance(json, dict):
        return {"error": True} if "error" in json else {key: normalized(case, value) for key, value in json.items()}
    if not isinstance(json, list):
        return json
    match json:
        case ["float", text]:
            return ["float", repr(float(text))]
        case ["map", entries] if case["op"] == "project":
            return ["map", sorted((normalized(case, entry) for entry in entries), key=repr)]
    return [normalized(case, element) for element in json]
