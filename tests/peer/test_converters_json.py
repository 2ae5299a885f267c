"""JsonConverter writes the bytes that Java's writes and reads what Java's reads, errors included."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from connectd.javanumbers import wrap
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct
from plugins.converters.json import JsonConverter
from tests.peer.converters_peer import Case, JavaConverters, Read, Write
from tests.unit.plugins.converters_data import random_schema, random_value

UTC = datetime.UTC
PLAIN = {"schemas.enable": "false"}
NUMERIC = {"decimal.format": "numeric"}
KEEP_NULL = {"replace.null.with.default": "false"}

DOUBLES = [0.0, -0.0, 1.0, 0.1, 100.0, 1e7, 9999999.0, 1e-3, 9.99e-4, 1e16, 1e21, 1.5e300, 5e-324, 2e-323, 4.35, 1 / 3]
DOUBLES += [2e23, 8.41e21, 123456789.125, -12345678.9, 2.2250738585072014e-308, math.inf, -math.inf, math.nan, 9e15]
TEXTS = [
    "",
    "a",
    'quote " back \\ slash /',
    "\b\f\n\r\t\0\x0b\x1f\x7f",
    "grün €",
    "\u2028",
    "\U0001f600 x",
    "\ud83d",
    "\ude00",
]
DECIMALS = ["0", "0.00", "1.50", "-1.50", "1E+3", "1.5E-7", "0.0000001", "-0.0", "123456789012345678901234567890.12"]


@pytest.fixture(scope="module")
def java() -> Iterator[JavaConverters]:
    with JavaConverters() as java:
        yield java


def struct_schema(**fields: Schema) -> Schema:
    builder = SchemaBuilder.struct()
    for name, schema in fields.items():
        builder.field(name, schema)
    return builder.build()


def array_of(schema: Schema) -> Schema:
    return SchemaBuilder.array(schema).build()


def map_of(keys: Schema, values: Schema) -> Schema:
    return SchemaBuilder.map(keys, values).build()


def optional(builder: SchemaBuilder) -> Schema:
    return builder.optional().build()


def test_writes_numbers_and_text_without_a_schema(java: JavaConverters) -> None:
    cases: list[Case] = [Write(JsonConverter, None, value, PLAIN) for value in [*DOUBLES, *TEXTS, None, True, False]]
    cases += [
        Write(JsonConverter, None, value, PLAIN)
        for value in (0, -1, 2**63 - 1, -(2**63), b"", b"\0\xff", memoryview(b"abc"))
    ]
    cases += [
        Write(JsonConverter, None, value, config)
        for config in (PLAIN, {})
        for value in [
            [],
            {},
            [1, "a", None, [2.5, {}], {"b": [1e10]}],
            {"a": 1, "b": None, "\U0001f600 \x1f": "\U0001f600", "": {"c": [b"bytes"]}},
            {1: 2, "a": None},
            {None: 1},
            {1.5: [True]},
            decimal.Decimal("1.5"),
            datetime.date(2024, 1, 1),
            [datetime.datetime(2024, 1, 1, tzinfo=UTC)],
            {"a": decimal.Decimal(1)},
            Struct(struct_schema(a=Schema.INT8_SCHEMA), a=1),
            None,
            "text",
        ]
    ]
    java.assert_same_answers(cases)


def test_writes_random_doubles_and_floats(java: JavaConverters) -> None:
    chance = random.Random(5)
    doubles = [struct.unpack("d", chance.randbytes(8))[0] for _ in range(2000)]
    doubles += [chance.uniform(0, 10) ** chance.randint(-6, 9) for _ in range(2000)]
    doubles += [round(chance.uniform(-1e5, 1e5), chance.randint(0, 6)) for _ in range(2000)]
    floats = [struct.unpack("f", chance.randbytes(4))[0] for _ in range(2000)]
    floats += [chance.uniform(-2, 2) * 10 ** chance.randint(-8, 9) for _ in range(2000)]
    floats += [round(chance.uniform(-1e4, 1e4), chance.randint(0, 4)) for _ in range(2000)]
    double_list, float_list = array_of(Schema.FLOAT64_SCHEMA), array_of(Schema.FLOAT32_SCHEMA)
    java.assert_same_answers(
        [Write(JsonConverter, double_list, doubles[start : start + 50], PLAIN) for start in range(0, len(doubles), 50)]
        + [Write(JsonConverter, float_list, floats[start : start + 50], PLAIN) for start in range(0, len(floats), 50)]
    )


def test_writes_primitives_by_schema(java: JavaConverters) -> None:
    values: list[Any] = [0, 1, -1, 127, 128, -129, 32768, 2**31, 2**63 - 1, True, False, None]
    values += ["text", "\U0001f600", b"bytes", memoryview(b"abc"), [], {}, 1.5, *DOUBLES]
    schemas = [Schema(type, is_optional) for type in Type if type.is_primitive for is_optional in (True, False)]
    cases: list[Case] = []
    for schema in schemas:
        for value in values:
            is_int = isinstance(value, int) and not isinstance(value, bool)
            if is_int and schema.type in (Type.INT8, Type.INT16, Type.INT32) and not fits(schema.type, value):
                continue  # Java has no such value
            if schema.type is Type.FLOAT32 and isinstance(value, float) and abs(value) > 1e300 and math.isfinite(value):
                continue
            cases.append(Write(JsonConverter, schema, value, PLAIN if value == 1 else {}))
    java.assert_same_answers(cases)


def fits(type: Type, value: int) -> bool:
    bits = int(type.value[3:])
    return -(1 << (bits - 1)) <= value < 1 << (bits - 1)


def test_writes_logical_types(java: JavaConverters) -> None:
    cases: list[Case] = []
    for config in ({}, NUMERIC, PLAIN):
        for text in DECIMALS:
            value = decimal.Decimal(text)
            scale = -int(value.as_tuple().exponent)
            cases += [Write(JsonConverter, Decimal.schema(each), value, config) for each in (scale, scale + 1)]
        cases.append(
            Write(JsonConverter, SchemaBuilder.bytes().name(Decimal.LOGICAL_NAME).build(), decimal.Decimal(1), config)
        )
        days = [
            datetime.date(1970, 1, 1),
            datetime.date(1969, 12, 31),
            datetime.date(9999, 12, 31),
            datetime.date(1, 1, 1),
        ]
        cases += [Write(JsonConverter, Date.SCHEMA, day, config) for day in days]
        times = [datetime.time(), datetime.time(23, 59, 59, 999_999), datetime.time(1, 2, 3, 4_000)]
        cases += [Write(JsonConverter, Time.SCHEMA, time, config) for time in times]
        moments = [
            datetime.datetime(1970, 1, 1, tzinfo=UTC),
            datetime.datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        ]
        cases += [Write(JsonConverter, Timestamp.SCHEMA, moment, config) for moment in moments]
        for schema in (Date.SCHEMA, Time.SCHEMA, Timestamp.SCHEMA, Decimal.schema(0)):
            cases += [Write(JsonConverter, schema, value, config) for value in (None, 1, "1", b"1", 1.5)]
        # Not midnight: no Date for Java either.
        cases.append(Write(JsonConverter, Date.SCHEMA, datetime.datetime(2024, 1, 1, 1, tzinfo=UTC), config))
        keys = SchemaBuilder.string().name(Date.LOGICAL_NAME).build()
        cases.append(Write(JsonConverter, map_of(keys, Schema.INT8_SCHEMA), {datetime.date(2024, 1, 1): 1}, config))
    java.assert_same_answers(cases)


def test_writes_containers(java: JavaConverters) -> None:
    inner = struct_schema(x=Schema.INT32_SCHEMA, y=Schema.OPTIONAL_STRING_SCHEMA)
    outer = struct_schema(
        inner=inner,
        maybe=optional(SchemaBuilder.struct().field("z", array_of(Decimal.schema(1)))),
        floats=array_of(Schema.FLOAT32_SCHEMA),
        by_name=map_of(Schema.STRING_SCHEMA, inner),
        by_id=map_of(Schema.INT64_SCHEMA, Schema.OPTIONAL_BYTES_SCHEMA),
        when=optional(Timestamp.builder()),
    )
    value = Struct(
        outer,
        inner=Struct(inner, x=1),
        floats=[0.1, 1e8],
        by_name={"a": Struct(inner, x=2, y="ü"), "\U0001f600": Struct(inner, x=3)},
        by_id={1: b"abc", 2: None},
        when=datetime.datetime(2024, 1, 1, tzinfo=UTC),
    )
    optional_keys = map_of(Schema.OPTIONAL_STRING_SCHEMA, Schema.INT8_SCHEMA)
    default_keys = map_of(optional(SchemaBuilder.string().default_value("d")), Schema.OPTIONAL_INT8_SCHEMA)
    cases: list[Case] = []
    for config in ({}, PLAIN, NUMERIC):
        cases += [
            Write(JsonConverter, schema, each, config)
            for schema, each in [
                (outer, value),
                (inner, value),
                (Schema.STRING_SCHEMA, value),
                (outer, {"inner": 1}),
                (array_of(Schema.INT32_SCHEMA), [1, 2]),
                (array_of(Schema.INT32_SCHEMA), [1, None]),
                (array_of(Schema.INT32_SCHEMA), ["a"]),
                (array_of(Schema.OPTIONAL_INT32_SCHEMA), [1, None]),
                (array_of(array_of(Schema.STRING_SCHEMA)), [["a"], []]),
                (array_of(Schema.INT32_SCHEMA), {"a": 1}),
                (map_of(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA), {}),
                (map_of(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA), {"a": None}),
                (map_of(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA), [1]),
                (map_of(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA), {"a": "b"}),
                (map_of(Schema.STRING_SCHEMA, Schema.STRING_SCHEMA), {1: "b"}),
                (map_of(Schema.STRING_SCHEMA, Schema.STRING_SCHEMA), {None: "b"}),
                (map_of(Schema.INT8_SCHEMA, Schema.STRING_SCHEMA), {1: "b", 2: "c"}),
                (map_of(inner, Schema.STRING_SCHEMA), {Struct(inner, x=1): "b"}),
                (map_of(Schema.FLOAT64_SCHEMA, Schema.STRING_SCHEMA), {1e10: "b"}),
                (optional_keys, {None: 1, "a": 2}),
                (optional_keys, {"null": 1, None: 2, "b": 3}),
                (default_keys, {None: 1, "d": None}),
                (struct_schema(), Struct(struct_schema())),
            ]
        ]
    java.assert_same_answers(cases)


def test_writes_defaults_and_everything_about_schemas(java: JavaConverters) -> None:
    seven = SchemaBuilder.int32().default_value(7).build()
    text = optional(SchemaBuilder.string().default_value("d\U0001f600"))
    point = SchemaBuilder.struct().field("x", Schema.FLOAT32_SCHEMA).field("y", seven).build()
    described = (
        SchemaBuilder.struct()
        .name("a.\U0001f600.Name")
        .version(3)
        .doc('says "hi"\x1f')
        .parameters({"b": "1", "a": "\u2028"})
        .field("plain", Schema.INT8_SCHEMA)
        .field("seven", seven)
        .field("text", text)
        .field('odd "name"\n', Schema.OPTIONAL_BOOLEAN_SCHEMA)
        .field("decimal", optional(Decimal.builder(1).default_value(decimal.Decimal("1.5"))))
        .field("date", Date.builder().default_value(datetime.date(2024, 1, 1)).build())
        .field("list", SchemaBuilder.array(Schema.FLOAT64_SCHEMA).default_value([1e10]).build())
        .field("map", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).default_value({"k": 1}).build())
        .build()
    )
    cases: list[Case] = []
    for config in ({}, PLAIN, KEEP_NULL, NUMERIC):
        cases += [
            Write(JsonConverter, schema, value, config)
            for schema, value in [
                (seven, None),
                (text, None),
                (point, Struct(point, x=1.0)),
                (described, Struct(described, plain=1)),
                (described, Struct(described, plain=1, seven=8, text="t")),
                (described, Struct(described)),
                (array_of(text), [None, "x"]),
                (Schema(Type.INT32, default_value="no int"), 1),
                (struct_schema(a=Schema(Type.INT32, default_value="no int")), Struct(struct_schema())),
            ]
        ]
    java.assert_same_answers(cases)


SCHEMAS = """
{"type":"int8"} {"type":"int16"} {"type":"int32"} {"type":"int64"} {"type":"float"} {"type":"double"} {"type":"boolean"}
{"type":"string"} {"type":"bytes"} {"type":"int32","optional":true} {"type":"int32","optional":"true"} {"type":"float32"}
{"type":"array","items":{"type":"int32"}} {"type":"array","items":{"type":"double","optional":true}}
{"type":"array"} {"type":"array","items":null} {"type":"array","items":5} {"type":"map"} {"type":null} {} [] 5 "x" null
{"type":"map","keys":{"type":"string"}} {"type":"map","keys":null,"values":{"type":"int8"}}
{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}} {"type":"map","keys":{"type":"int8"},"values":{"type":"string"}}
{"type":"map","keys":{"type":"double"},"values":{"type":"string","optional":true}}
{"type":"map","keys":{"type":"string","default":"k"},"values":{"type":"double","default":1.5}}
{"type":"struct"} {"type":"struct","fields":{}} {"type":"struct","fields":[]} {"type":"struct","fields":[5]}
{"type":"struct","fields":[{"type":"int8"}]} {"type":"struct","fields":[{"field":"a"}]} {"type":"struct","fields":[null]}
{"type":"struct","fields":[{"type":"int8","field":""}]}
{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"int8","field":"a"}]}
{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","field":"b","optional":true}]}
{"type":"struct","fields":[{"type":"int32","field":"a","default":5},{"type":"float","field":"b","optional":true,"default":0.1}]}
{"type":"struct","name":"n","version":2,"doc":"d","parameters":{"p":"v"},"fields":[{"type":"int8","field":"a b \\"c\\""}]}
{"type":"struct","fields":[{"type":"string","field":"a"},{"type":"bytes","field":"b"}],"optional":true}
{"type":"int32","version":99999999999} {"type":"int32","version":"1"} {"type":"int32","version":1.5} {"type":"int32","name":5}
{"type":"int32","doc":5} {"type":"int32","parameters":{"a":1}} {"type":"int32","parameters":{}} {"type":"int32","parameters":[]}
{"type":"int32","default":7} {"type":"int32","default":null} {"type":"int32","default":"x"}
{"type":"int32","optional":true,"default":null}
{"type":"string","default":5} {"type":"string","optional":true,"default":5} {"type":"int8","default":300}
{"type":"array","items":{"type":"int32"},"default":[1,2]}
{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}
{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"x"},"optional":true}
{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"},"default":"AQA="}
{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"}
{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1}
{"type":"int32","name":"org.apache.kafka.connect.data.Date","default":3}
{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1}
{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1,"optional":true}
{"type":"nonsense"} {"type":"INT8"} {"type":"int8","unknown":true}
"""

PAYLOADS = r"""
null true false 0 -0 1 -1 127 128 -129 40000 2147483647 2147483648 -2147483649 9223372036854775807 9223372036854775808
-9223372036854775809 18446744073709551616 123456789012345678901234567890 1.0 -0.0 0.0 1.5 -1.5 1e2 1E400 -1e400 -1e-400 1e-400
0.1 3.4028235e38 3.4028236e39 1.00000005960464477539062 1.00000005960464477539063 16777217 1e-45 7e-46 1e999999999 1.50 1e5
"" "a" "AQ==" "AQ" "AQI=" "AQ==AQ==" " AQ==" "AQ==\n" "A-_=" "AR==" "\u0041Q==" "1234" "true" "1" "\ud83d\ude00" "\ud83d" "ü€😀"
[] [1] [1,2] [null] [1.5,null] ["a"] [[1,"a"]] [[1,2,3]] [1,[2]] [["a","b"],["a","c"]] [[1.5,null],[-0.0,"z"]] [[null,"n"]]
[[],[]] {} {"a":1} {"a":null} {"a":1,"b":"x"} {"a":1,"b":"x","c":[1,{"d":2}]} {"b":"AQ==","a":"s"} {"a":1,"a":2}
{"a":-0.0,"b":0.1} {"a b \"c\"":1} {"a":"x","b":null} {"a":1.0,"b":16777217} {"a":{"b":1}} {"a":12345678901,"b":1}
"""


def split_json(text: str) -> list[str]:
    """The texts of several JSON values with blanks between them."""
    decoder, texts, start = json.JSONDecoder(), [], 0
    while start < len(text.rstrip()):
        start += len(text[start:]) - len(text[start:].lstrip())
        _, end = decoder.raw_decode(text, start)
        texts.append(text[start:end])
        start = end
    return texts


def is_beyond_python(schema: str, payload: str) -> bool:
    """Whether Java reads a date that Python cannot: it ends with the year 9999."""
    if not payload.lstrip("-").isdigit():
        return False
    if "data.Date" in schema:
        return not -719_162 <= int(payload) <= 2_932_896
    return "data.Timestamp" in schema and not -62_135_596_800_000 <= wrap(int(payload), 64) <= 253_402_300_799_999


def test_reads_every_payload_by_every_schema(java: JavaConverters) -> None:
    payloads = split_json(PAYLOADS)
    cases: list[Case] = []
    for schema in split_json(SCHEMAS):
        cases += [
            Read(JsonConverter, f'{{"schema":{schema},"payload":{payload}}}'.encode())
            for payload in payloads
            if not is_beyond_python(schema, payload)
        ]
        cases.append(Read(JsonConverter, f'{{ "payload": 1, "schema": {schema} }}'.encode()))
        cases += [Read(JsonConverter, data, {"schema.content": schema}) for data in (b"5", b"", b"{}", b"null", None)]
        for payload in (b"null", b"{}", b"[null]", b'{"a":null}'):
            cases.append(Read(JsonConverter, b'{"schema":%b,"payload":%b}' % (schema.encode(), payload), KEEP_NULL))
    assert len(cases) > 5000
    java.assert_same_answers(cases)


GRAMMAR = rb"""
007 -007 00 -0 01.5 1. .5 +1 1e 1e+ 1e5 - 0x10 1_000 1,2 1]2 1x 1}2 NaN Infinity -Infinity nan true1 true] true, truex
nullx null] null, "a"b "a "\x" "\u12" "\u12g4" "\/" 'a' [1,] [,1] [1 [1]x {"a":1}x {"a":1,} {a:1} {'a':1} {"a" 1} {"a":01}
{"a":[00012.50]} [007,"007",{"b":-01}] {"a":1}{"b":2} // /**/1 [NaN] [1/**/] #1 undefined [tru] [nulll] "\ud83d\ud83d" {"":1}
{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":1}}}}}}}} [[[[[[[[[1.5]]]]]]]] {"a":1,"a":2} {"a":1,"\u0061":2} 0e5 00e5 1E-5 -0e0 -00.0
"""


def test_reads_the_grammar_that_jackson_reads(java: JavaConverters) -> None:
    datas: list[bytes] = GRAMMAR.split()
    datas += [
        b"",
        b" ",
        b"\t\r\n",
        b" 1 ",
        b"\x0b1",
        b"1\0",
        b"\0",
        b'"a\nb"',
        b'"a\tb"',
        b'"\x7f"',
        b"[1 2]",
        b'1 "x',
        b"[1]\xff",
    ]
    datas += [
        "\ufeff[1]".encode(),
        '"\u2028"'.encode(),
        b'"\xff"',
        b'"\xe2\x82"',
        b'"a',
        b'"\xed\xa0\xbd\xed\xb8\x80"',
        '["\ud83d"]'.encode("utf-16-le", "surrogatepass"),
    ]
    datas += [
        f'{{"a":"ü{text}"}}'.encode(code)
        for text in ("", "😀")
        for code in ("utf-16", "utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le")
    ]
    datas += [b'{"a":"' + bytes([lead]) + b'"}' for lead in range(0x20, 0x100)]
    datas += [
        b"1" * 1000,
        b"1" * 1001,
        b"-" + b"1" * 999,
        b"0." + b"1" * 998,
        b"0." + b"1" * 999,
        b"[" * 200 + b"]" * 200,
    ]
    datas += [b"1e2147483647", b"1e2147483648", b"1e-2147483647", b"1e99999999999", b"-1e-400", b"1e400", b"-1e400"]
    datas = [data for data in datas if data != b"[1]\xff"]
    cases: list[Case] = [Read(JsonConverter, data, PLAIN) for data in datas]
    cases += [Read(JsonConverter, data) for data in datas]
    cases += [Read(JsonConverter, b'{"schema":{"type":"double"},"payload":' + data + b"}") for data in datas]
    java.assert_same_answers(cases)


def test_reads_payloads_without_schema(java: JavaConverters) -> None:
    payloads = split_json(PAYLOADS)
    cases: list[Case] = [Read(JsonConverter, payload.encode("utf-8", "surrogatepass"), PLAIN) for payload in payloads]
    cases += [Read(JsonConverter, b'{"deep":[%b]}' % payload.encode(), PLAIN) for payload in payloads]
    cases += [Read(JsonConverter, data, PLAIN) for data in (b'{"schema":{"type":"int8"},"payload":1}', None)]
    java.assert_same_answers(cases)


def test_reads_envelopes_only(java: JavaConverters) -> None:
    schema = b'{"type":"struct","fields":[{"field":"a","type":"string"}]}'
    datas = [
        b'{"schema":%b,"payload":{"a":"x"}}',
        b' { "schema" : %b , "payload" : { "a" : "x" } } ',
        b'{"payload":{"a":"x"},"schema":%b}',
        b'{"schema":%b}',
        b'{"payload":{"a":"x"}}',
        b'{"schema":%b,"payload":{"a":"x"},"more":1}',
        b'{"schema":%b,"payload":{"a":"x"},"payload":{"a":"y"}}',
        b'{"schema":5,"schema":%b,"payload":{"a":"x"}}',
        b'{"sch\\u0065ma":%b,"payload":{"a":"x"}}',
        b'{"schema":%b,"payload":{"a":"x"}}}',
        b'{"schema":%b,"payload":{"a":"x"}} trailing',
        b'{"schema":%b,"payload":{"a":"x"}',
        b'{"schema":%b,"payload":{"a":"x","skipped":[1,{"b":"\xff"}]}}',
        b'{"schema":%b,"payload":{"a":"x","skipped":[1,{"b":"\\ud83d"}]}}',
        b'{"schema":%b,"payload":{"a":"x","skipped":007}}',
        b'{"schema":%b,"payload":{"a":"\\ud83d"}}',
        b'{"schema":%b,"payload":{"a":"x"},}',
        b'{"schema":%b,"payload":}',
        b'{"schema":null,"payload":{"a":[1.5,"x"]}}',
        b'{"schema":null,"payload":null}',
        b"[1,2]",
        b'"x"',
        b"null",
        b"",
        None,
    ]
    # Each after a good one, too: from then on, what begins alike takes a shorter way.
    good = Read(JsonConverter, datas[0] and datas[0] % schema)
    cases: list[Case] = []
    for data in datas:
        cases += [good, Read(JsonConverter, data % schema if data and b"%b" in data else data)]
    java.assert_same_answers(cases)


def test_round_trips_of_random_data(java: JavaConverters) -> None:
    """Everything that Java writes is read alike, and everything that is read is written alike."""
    chance = random.Random(11)
    writes: list[Case] = []
    for _ in range(400):
        schema = random_schema(chance, depth=3)
        for _ in range(3):
            config = chance.choice([{}, PLAIN, NUMERIC, KEEP_NULL])
            writes.append(Write(JsonConverter, schema, random_value(chance, schema), config))
    java.assert_same_answers(writes)
    written = [
        (case, answer) for case, answer in zip(writes, java.answers(writes), strict=True) if isinstance(answer, bytes)
    ]
    assert len(written) > 1000
    java.assert_same_answers([Read(JsonConverter, data, case.config) for case, data in written])
