"""Cases for ProtobufConverter."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct
from plugins.converters.protobuf import ProtobufConverter
from plugins.converters.protobuf.constants import LOGICAL
from plugins.converters.protobuf.indexes import write_indexes
from plugins.converters.protobuf.kinds import parameter
from plugins.converters.protobuf.pool import Pool
from tests.peer.registry_cases_avro import schemas_and_values
from tests.peer.registry_peer import Case, ReadCase, WriteCase
from tests.support.registry_store import compiled
from tests.unit.plugins.converters_data import random_schema, random_value

ENHANCED = {"enhanced.protobuf.schema.support": "true"}
OPTIONAL = {"optional.for.nullables": "true"}
WRAPPERS = {"wrapper.for.nullables": "true"}
NO_RAW = {"wrapper.for.raw.primitives": "false"}
INTS = {"int.for.enums": "true"}
NO_INDEX = {"generate.index.for.unions": "false"}
FLAT = {"flatten.unions": "true"}
GENERALIZED = {"generalized.sum.type.support": "true"}
NULL_STRUCTS = {"generate.struct.for.nulls": "true"}
SCRUB = {"scrub.invalid.names": "true"}
WRITING: list[dict[str, str]] = [{}, OPTIONAL, WRAPPERS, SCRUB, GENERALIZED]
READING: list[dict[str, str]] = [
    {},
    ENHANCED,
    OPTIONAL,
    WRAPPERS,
    NO_RAW,
    INTS,
    NO_INDEX,
    FLAT,
    GENERALIZED,
    NULL_STRUCTS,
]


def protobuf_cases() -> list[Case]:
    """All cases."""
    return [*_written(), *_random(), *_read()]


def _written() -> Iterator[Case]:
    for schema, value in schemas_and_values():
        # What is of a logical type alone Java writes as a message that its schema does not have.
        if schema is not None and value is not None and schema.name not in LOGICAL:
            if parameter(schema, "org.apache.kafka.connect.data.Union") is not None:
                continue  # Java finds no message for a union alone, and writes null for such an enum
            for config in WRITING if schema.type is Type.STRUCT else WRITING[:4]:
                yield WriteCase(ProtobufConverter, schema, value, config)
    for schema, value in _protobuf_kinds():
        for config in WRITING:
            yield WriteCase(ProtobufConverter, schema, value, config)


def _protobuf_kinds() -> Iterator[tuple[Schema, Any]]:
    enum = SchemaBuilder.string().name("Colour").parameter("io.confluent.connect.protobuf.Enum", "Colour")
    for tag, symbol in enumerate(("RED", "BLUE")):
        enum.parameter(f"io.confluent.connect.protobuf.Enum.{symbol}", str(tag))
    tagged = SchemaBuilder.int64().parameter("io.confluent.connect.protobuf.Tag", "7").optional().build()
    union = (
        SchemaBuilder.struct()
        .name("io.confluent.connect.protobuf.Union.choice")
        .field("a", SchemaBuilder.string().optional().parameter("io.confluent.connect.protobuf.Tag", "3").build())
        .field("b", SchemaBuilder.int32().optional().parameter("io.confluent.connect.protobuf.Tag", "4").build())
        .optional()
        .build()
    )
    wide = SchemaBuilder.int64().parameter("io.confluent.connect.protobuf.Type", "uint64").build()
    schema = (
        SchemaBuilder.struct()
        .name("my.pkg.All")
        .field("colour", enum.build())
        .field("tagged", tagged)
        .field("choice_0", union)
        .field("wide", wide)
        .field("named", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT64_SCHEMA).name("my_map").build())
        .field("list", SchemaBuilder.array(Schema.INT32_SCHEMA).build())
        .build()
    )
    value = Struct(schema, colour="BLUE", tagged=9, wide=-1, named={"a": 1}, list=[1, 2])
    yield schema, value
    chosen = Struct(schema, colour="RED", wide=1, named={}, list=[])
    chosen.put("choice_0", Struct(union, a="x"))
    yield schema, chosen


def _random() -> Iterator[Case]:
    chance = random.Random(22)
    for index in range(250):
        schema = random_schema(chance, 2)
        while schema.type is not Type.STRUCT:
            schema = random_schema(chance, 2)
        value = random_value(chance, schema)
        if value is not None and not _has_default_in_list(schema) and not _has_julian_date(value):
            yield WriteCase(ProtobufConverter, schema, value, WRITING[index % 3])


def _has_default_in_list(schema: Schema | None) -> bool:
    """Java gives the default to the list, and fails."""
    if schema is None or schema.type.is_primitive:
        return False
    if schema.type is Type.STRUCT:
        return any(_has_default_in_list(field.schema) for field in schema.fields)
    element = schema.value_schema
    has_default = schema.type is Type.ARRAY and element is not None and element.default_value is not None
    return has_default or _has_default_in_list(element)


def _has_julian_date(value: Any) -> bool:
    """Java's calendar changes in 1582; that of the dates in Protobuf, and Python's, does not."""
    if isinstance(value, Struct):
        return _has_julian_date(value.field_values)
    if isinstance(value, dict):
        return _has_julian_date([*value, *value.values()])
    if isinstance(value, list):
        return any(map(_has_julian_date, value))
    return type(value) is datetime.date and value < datetime.date(1582, 10, 15)


def _read() -> Iterator[Case]:
    for text, indexes, values in _FILES:
        message = Pool(FileDescriptorProto.FromString(compiled(text, {}))).at(indexes)
        for value in values:
            parsed = json_format.ParseDict(value, message_factory.GetMessageClass(message)())
            data = write_indexes(indexes) + parsed.SerializeToString(deterministic=True)
            for config in READING:
                yield ReadCase(ProtobufConverter, text, data, config)


_FILES: list[tuple[str, list[int], list[dict[str, Any]]]] = [
    (
        """syntax = "proto3";
package p;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/type/date.proto";
import "google/type/timeofday.proto";
message First { string s = 1; }
message All {
  int32 i = 1; sint32 si = 2; uint32 u = 3; fixed64 f = 4; uint64 w = 5; double d = 6; float e = 7; bool b = 8;
  string s = 9; bytes y = 10; Colour c = 11; repeated int32 r = 12; map<string, int64> m = 13; Inner n = 14;
  google.protobuf.Timestamp t = 15; google.type.Date dt = 16; google.type.TimeOfDay tm = 17;
  oneof choice { string a = 18; Inner o = 19; int32 z = 20; google.protobuf.StringValue ws = 25; }
  google.protobuf.StringValue wrapped = 21; optional string maybe = 22; repeated Inner many = 23;
  map<int32, Inner> by_id = 24;
  enum Colour { RED = 0; BLUE = 5; }
  message Inner { int32 x = 1; }
}
""",
        [1],
        [
            {},
            {
                "i": 1,
                "si": -1,
                "u": 4294967295,
                "f": "18446744073709551615",
                "w": "18446744073709551615",
                "d": 1.5,
                "e": 0.1,
                "b": True,
                "s": "x",
                "y": "AAE=",
                "c": "BLUE",
                "r": [1, 2],
                "m": {"k": "1"},
                "n": {"x": 3},
                "t": "2024-01-01T00:00:00.123Z",
                "dt": {"year": 2024, "month": 2, "day": 29},
                "tm": {"hours": 1, "minutes": 2, "seconds": 3, "nanos": 4000000},
                "a": "chosen",
                "wrapped": "w",
                "maybe": "",
                "many": [{"x": 1}, {}],
                "by_id": {"7": {"x": 7}},
            },
            {"o": {"x": 2}},
            {"z": 0},
            {"ws": "w"},
            {"c": 7},
        ],
    ),
    (
        'syntax = "proto3"; message A { message B { string s = 1; } B b = 1; } message C { A.B b = 1; }',
        [0, 0],
        [{"s": "x"}],
    ),
    (
        'syntax = "proto3"; message A { message B { string s = 1; } B b = 1; } message C { A.B b = 1; }',
        [1],
        [{"b": {"s": "x"}}, {}],
    ),
    (
        'syntax = "proto2"; package q; message P { optional int32 a = 1; required string b = 2; optional string c = 3 '
        '[default = "d"]; repeated string r = 4; }',
        [0],
        [{"b": "x"}, {"a": 1, "b": "x", "c": "y", "r": ["z"]}],
    ),
]
