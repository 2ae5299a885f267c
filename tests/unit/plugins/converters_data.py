"""Random schemas and values of all types for the tests of converters."""

from __future__ import annotations

import datetime
import decimal
import random
from typing import Any

from connectd.javanumbers import to_float32
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct


def random_schema(chance: random.Random, depth: int) -> Schema:
    types = [type for type in Type if type.is_primitive or depth > 0]
    builder = random_builder(chance, chance.choice(types), depth)
    if chance.random() < 0.4:
        builder.optional()
    if chance.random() < 0.1:
        builder.doc("doc")
    schema = builder.build()
    # Java compares neither a struct nor bytes within a list as one would think, so neither makes a default there.
    if schema.type.is_primitive and chance.random() < 0.2:
        return builder.default_value(random_value(chance, schema)).build()
    return schema


def random_builder(chance: random.Random, type: Type, depth: int) -> SchemaBuilder:
    match type:
        case Type.ARRAY:
            return SchemaBuilder.array(random_schema(chance, depth - 1))
        case Type.MAP:
            key_type = chance.choice([Type.STRING, Type.STRING, Type.INT8, Type.INT64, Type.FLOAT64, Type.BOOLEAN])
            return SchemaBuilder.map(Schema(key_type), random_schema(chance, depth - 1))
        case Type.STRUCT:
            builder = SchemaBuilder.struct()
            for index in range(chance.randint(0, 6)):
                builder.field(f"f{index}", random_schema(chance, depth - 1))
            return builder
        case Type.BYTES if chance.random() < 0.5:
            return Decimal.builder(chance.randint(0, 4))
        case Type.INT32 if chance.random() < 0.5:
            return chance.choice([Date.builder, Time.builder])()
        case Type.INT64 if chance.random() < 0.5:
            return Timestamp.builder()
    return SchemaBuilder(type)


def random_value(chance: random.Random, schema: Schema) -> Any:
    if schema.is_optional and chance.random() < 0.3:
        return None
    match schema.name:
        case Decimal.LOGICAL_NAME:
            scale = int((schema.parameters or {})["scale"])
            return decimal.Decimal(chance.randint(-(10**12), 10**12)).scaleb(-scale)
        case Date.LOGICAL_NAME:
            return datetime.date.fromordinal(chance.randint(1, 3_000_000))
        case Time.LOGICAL_NAME:
            return Time.to_logical(schema, chance.randrange(86_400_000))
        case Timestamp.LOGICAL_NAME:
            return Timestamp.to_logical(schema, chance.randrange(-(10**13), 10**14))
    match schema.type:
        case Type.ARRAY:
            assert schema.value_schema
            return [random_value(chance, schema.value_schema) for _ in range(chance.randint(0, 3))]
        case Type.MAP:
            assert schema.key_schema and schema.value_schema
            keys = [random_value(chance, schema.key_schema) for _ in range(chance.randint(0, 3))]
            return {key: random_value(chance, schema.value_schema) for key in keys}
        case Type.STRUCT:
            struct = Struct(schema)
            for field in schema.fields:
                struct.put(field, random_value(chance, field.schema))
            return struct
    return random_primitive(chance, schema.type)


def random_primitive(chance: random.Random, type: Type) -> Any:
    match type:
        case Type.BOOLEAN:
            return chance.random() < 0.5
        case Type.STRING:
            return "".join(chance.choices('abc "\\/\n\x1f\x7fäö€😀', k=chance.randint(0, 8)))
        case Type.BYTES:
            return chance.randbytes(chance.randint(0, 5))
        case Type.FLOAT64:
            return chance.choice(
                [chance.uniform(-10, 10), chance.uniform(-1, 1) * 10 ** chance.randint(-300, 300), 0.0, 5.0]
            )
        case Type.FLOAT32:
            number = chance.choice(
                [chance.uniform(-10, 10), chance.uniform(-1, 1) * 10 ** chance.randint(-37, 37), 0.0, 5.0]
            )
            return to_float32(number)
    bits = int(type.value[3:])
    return chance.choice([0, 7, chance.randrange(-(1 << (bits - 1)), 1 << (bits - 1))])
