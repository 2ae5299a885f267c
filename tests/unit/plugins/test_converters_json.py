"""JsonConverter by itself: its fast ways equal the slow ones, its caches, its errors; tests/peer compares it with Java's."""

from __future__ import annotations

import datetime
import decimal
import math
import random
from typing import Any

import pytest

from connectd.errors import ConfigException, DataException
from connectd.javanumbers import to_float32
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaAndValue, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.json import JsonConverter
from plugins.converters.json.encoder import JsonEncoder
from plugins.converters.json.fast_reading import fast_reader
from plugins.converters.json.grammar import parse
from plugins.converters.json.reading import ValueReader
from plugins.converters.json.writing import ValueWriter
from tests.unit.plugins.converters_data import random_schema, random_value

INNER = SchemaBuilder.struct().field("x", Schema.INT32_SCHEMA).field("y", Schema.OPTIONAL_STRING_SCHEMA).build()
USER = (
    SchemaBuilder.struct()
    .name("User")
    .field("id", Schema.INT64_SCHEMA)
    .field("name", Schema.STRING_SCHEMA)
    .field("score", Schema.FLOAT64_SCHEMA)
    .field("level", SchemaBuilder.int8().default_value(3))
    .field("inner", INNER)
    .build()
)
USER_JSON = (
    '{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},'
    '{"type":"string","optional":false,"field":"name"},{"type":"double","optional":false,"field":"score"},'
    '{"type":"int8","optional":false,"default":3,"field":"level"},'
    '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"x"},'
    '{"type":"string","optional":true,"field":"y"}],"optional":false,"field":"inner"}],"optional":false,"name":"User"}'
)


def converter(**configs: str) -> JsonConverter:
    made = JsonConverter()
    made.configure({name.replace("_", "."): value for name, value in configs.items()}, False)
    return made


def user(id: int, name: str = "a", score: float = 1.5) -> Struct:
    return Struct(USER, id=id, name=name, score=score, inner=Struct(INNER, x=id))


def envelope(payload: str, schema: str = USER_JSON) -> bytes:
    return f'{{"schema":{schema},"payload":{payload}}}'.encode()


def test_an_envelope_byte_for_byte() -> None:
    written = converter().from_connect_data("topic", USER, user(7, 'ü"\U0001f600\x1f', 1e10))
    payload = '{"id":7,"name":"ü\\"\\uD83D\\uDE00\\u001F","score":1.0E10,"level":3,"inner":{"x":7,"y":null}}'
    assert written == envelope(payload)


def test_a_batch_there_and_back() -> None:
    made = converter()
    users = [user(1, "ü", 1e-9), user(2, "", -0.5), user(3, "\U0001f600\x1f", math.inf)]
    written = made.from_connect_batch("topic", USER, users)
    assert written == [made.from_connect_data("topic", USER, each) for each in users]
    schema, values = made.to_connect_batch("topic", written[:2])
    assert schema == USER
    # Java reads the default value that it wrote.
    assert values == [each.put("level", 3) for each in users[:2]]
    assert made.to_connect_data("topic", written[0]) == SchemaAndValue(USER, users[0])


def test_batches_of_several_schemas_and_of_nothing() -> None:
    made = converter()
    one, two = envelope("1", '{"type":"int8"}'), envelope('"a"', '{"type":"string"}')
    schemas, values = made.to_connect_batch("topic", [one, None, two, one, envelope("5", "null")])
    assert schemas == [Schema.INT8_SCHEMA, None, Schema.STRING_SCHEMA, Schema.INT8_SCHEMA, None]
    assert values == [1, None, "a", 1, 5]
    assert made.to_connect_batch("topic", [None, None]) == (None, [None, None])
    assert made.to_connect_batch("topic", []) == (None, [])
    assert made.from_connect_batch("topic", None, [None, 1]) == [None, b'{"schema":null,"payload":1}']
    assert made.from_connect_batch("topic", Schema.OPTIONAL_INT8_SCHEMA, [None])[0] is not None


@pytest.mark.parametrize(
    "odd",
    [None, b"-0", b'{"a":-0.0}', b"[1, -0e5]", b'"at 2024-02-09, -0:30"', b"18446744073709551617", b" 7", b"null"],
)
def test_a_batch_without_schemas_is_read_as_its_messages_are_alone(odd: bytes | None) -> None:
    made = converter(schemas_enable="false")
    messages = [b'{"id":1,"day":"2024-02-09"}', odd, b"-0.5", b"[]"]
    alone = [made.to_connect_data("topic", each).value for each in messages]
    assert repr(made.to_connect_batch("topic", messages)) == repr((None, alone))
    with pytest.raises(DataException):
        made.to_connect_batch("topic", [b"[1", b"2]"])


def test_a_schema_for_all_messages() -> None:
    made = converter(schema_content='{"type":"int8","optional":true}')
    schema = Schema.OPTIONAL_INT8_SCHEMA
    assert made.to_connect_batch("topic", [b"1", b"null"]) == (schema, [1, None])
    assert made.to_connect_batch("topic", [b"1", None]) == ([schema, None], [1, None])
    assert converter(schema_content="").to_connect_data("topic", envelope("1", "null")).value == 1


@pytest.mark.parametrize("content", ["{", "5", '{"type":"none"}'])
def test_a_schema_for_all_messages_that_is_none(content: str) -> None:
    with pytest.raises(DataException, match=r"schema\.content is no schema: "):
        converter(schema_content=content)


def test_configuration_is_checked() -> None:
    with pytest.raises(ConfigException, match=r"hex for configuration decimal\.format.*BASE64, NUMERIC"):
        converter(decimal_format="hex")
    with pytest.raises(ConfigException, match=r"maybe for configuration schemas\.enable"):
        converter(schemas_enable="maybe")
    with pytest.raises(ConfigException, match=r"many for configuration schemas\.cache\.size"):
        converter(schemas_cache_size="many")


@pytest.mark.parametrize("cache_size", ["0", "1", "1000"])
def test_equal_schemas_are_read_once_if_they_are_kept(cache_size: str) -> None:
    made = converter(schemas_cache_size=cache_size)
    messages = [envelope("1", f'{{"type":"int8","version":{index % 2}}}') for index in range(4)]
    read = [made.to_connect_data("topic", message).schema for message in messages]
    assert [schema.version for schema in read if schema] == [0, 1, 0, 1]
    assert (read[0] is read[2]) is (cache_size == "1000")


@pytest.mark.parametrize("seed", range(40))
def test_the_fast_ways_equal_the_slow_ones(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(5):
        schema = random_schema(chance, depth=3)
        numeric, replace = chance.random() < 0.5, chance.random() < 0.5
        writer, reader = ValueWriter(replace, numeric), ValueReader(replace)
        encoder, read_fast = JsonEncoder(schema, writer, with_envelope=False), fast_reader(schema, replace)
        for _ in range(5):
            value = random_value(chance, schema)
            try:
                expected = writer.write(schema, value).encode()
            except DataException:
                with pytest.raises(DataException):
                    encoder.encode(value)
                continue
            assert encoder.encode(value) == expected
            slowly = outcome(lambda: reader.read(schema, parse(expected)))  # noqa: B023
            fast = outcome(lambda: read_fast(expected))  # noqa: B023
            assert slowly != "refused"
            assert fast in (slowly, "refused")


def outcome(read: Any) -> Any:
    try:
        return read()
    except Exception:
        return "refused"


def test_usual_data_goes_the_fast_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("the slow way was taken")

    schema = (
        SchemaBuilder.struct()
        .field("int", Schema.INT32_SCHEMA)
        .field("text", SchemaBuilder.string().optional().default_value("x"))
        .field("double", Schema.FLOAT64_SCHEMA)
        .field("float", Schema.FLOAT32_SCHEMA)
        .field("bytes", Schema.OPTIONAL_BYTES_SCHEMA)
        .field("decimal", Decimal.schema(2))
        .field("date", Date.SCHEMA)
        .field("time", Time.SCHEMA)
        .field("timestamp", Timestamp.builder().optional())
        .field("list", SchemaBuilder.array(SchemaBuilder.array(Schema.FLOAT64_SCHEMA)))
        .field("by_name", SchemaBuilder.map(Schema.STRING_SCHEMA, INNER))
        .field("by_id", SchemaBuilder.map(Schema.INT64_SCHEMA, Decimal.schema(0)).optional())
        .build()
    )
    value = Struct(
        schema,
        int=1,
        text="ü\U0001f600",
        double=1e300,
        float=to_float32(0.1),
        bytes=b"abc",
        decimal=decimal.Decimal("1.50"),
        date=datetime.date(2024, 2, 29),
        time=datetime.time(1, 2, 3),
        timestamp=datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC),
        list=[[1.5], []],
        by_name={"a": Struct(INNER, x=1)},
        by_id={1: decimal.Decimal(5)},
    )
    for configs in ({}, {"decimal_format": "NUMERIC"}):
        made = converter(**configs)
        with monkeypatch.context() as patch:
            patch.setattr(JsonEncoder, "_encode_slowly", refuse)
            written = made.from_connect_data("topic", schema, value)
            patch.setattr(ValueReader, "read", refuse)
            patch.setattr("plugins.converters.json.decoder.schema_from_json", lambda *args: schema)
            assert made.to_connect_data("topic", written) == SchemaAndValue(schema, value)
    plain = converter(schemas_enable="false")
    data = {"a": [1, 1.5, None, True, {"b": "ü\U0001f600"}], "c": 1e300, "d": -0.5}
    with monkeypatch.context() as patch:
        patch.setattr(JsonEncoder, "_encode_slowly", refuse)
        patch.setattr(ValueReader, "read", refuse)
        written = plain.from_connect_data("topic", None, data)
        assert plain.to_connect_data("topic", written) == SchemaAndValue(None, data)


def test_default_values_of_structs() -> None:
    schema = SchemaBuilder.struct().field("x", Schema.INT32_SCHEMA).build()
    point = SchemaBuilder.struct().field("x", Schema.INT32_SCHEMA).default_value(Struct(schema, x=5)).build()
    made = converter()
    written = made.from_connect_data("topic", point, None)
    assert written == envelope(
        '{"x":5}',
        '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"x"}],"optional":false,"default":{"x":5}}',
    )
    assert made.to_connect_data("topic", written) == SchemaAndValue(point, point.default_value)


def test_names_that_need_escapes_take_the_slow_way() -> None:
    schema = SchemaBuilder.struct().field('"a"\n', Schema.INT8_SCHEMA).build()
    made = converter(schemas_enable="false")
    value = Struct(schema).put('"a"\n', 1)
    written = made.from_connect_data("topic", schema, value)
    assert written == b'{"\\"a\\"\\n":1}'
    content = '{"type":"struct","fields":[{"type":"int8","field":"\\"a\\"\\n"}]}'
    assert converter(schema_content=content).to_connect_data("topic", written).value == value


def test_errors_name_the_field() -> None:
    made = converter()
    with pytest.raises(DataException, match="inner: x: Conversion error: null value for field that is required"):
        made.from_connect_data("topic", USER, Struct.of_checked(USER, [1, "a", 1.5, None, Struct(INNER)]))
    with pytest.raises(DataException, match="inner: x: Invalid null value for required INT32 field"):
        made.to_connect_data("topic", envelope('{"id":1,"name":"a","score":1,"inner":{}}'))
    with pytest.raises(DataException, match="inner: Structs should be encoded as JSON objects, but found NUMBER"):
        made.to_connect_data("topic", envelope('{"id":1,"name":"a","score":1,"inner":5}'))


def test_errors_do_not_show_the_data() -> None:
    for data in (b'{"password": secret}', b'"secret', b"\xffsecret", b"secret"):
        with pytest.raises(DataException) as caught:
            converter(schemas_enable="false").to_connect_data("topic", data)
        assert "secret" not in str(caught.value)
        assert "Not valid JSON" in str(caught.value)
    with pytest.raises(DataException, match="Invalid type for INT8: str") as caught:
        converter().from_connect_data("topic", Schema.INT8_SCHEMA, "secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("data", [b'"\xc0\x80"', b'"\xf0\x80\x80\x80"', b'"\xf4\x90\x80\x80"', b'"\xed\xa0\x80"'])
def test_bytes_that_are_almost_utf8_are_refused(data: bytes) -> None:
    with pytest.raises(DataException, match="invalid UTF-8 at byte 1"):
        converter(schemas_enable="false").to_connect_data("topic", data)


def test_what_python_cannot_hold_is_an_error() -> None:
    made = converter()
    with pytest.raises(DataException, match="not within the years 1 to 9999"):
        made.to_connect_data("topic", envelope("9999999", f'{{"type":"int32","name":"{Date.LOGICAL_NAME}"}}'))
    keys = '{"type":"map","keys":{"type":"array","items":{"type":"int8"}},"values":{"type":"int8"}}'
    with pytest.raises(DataException, match="hashable"):
        made.to_connect_data("topic", envelope("[[[1],2]]", keys))
    plain = converter(schemas_enable="false")
    with pytest.raises(DataException, match="nested too deeply"):
        plain.to_connect_data("topic", b"[" * 10_000 + b"]" * 10_000)
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(DataException, match="nested too deeply"):
        plain.from_connect_data("topic", None, deep)
    with pytest.raises(DataException, match="int need a schema, or are out of range"):
        plain.from_connect_data("topic", None, [2**63])


def test_subclasses_of_floats_are_floats() -> None:
    class Metres(float):
        pass

    schema = SchemaBuilder.struct().field("m", Schema.FLOAT64_SCHEMA).field("n", Schema.FLOAT32_SCHEMA).build()
    written = converter(schemas_enable="false").from_connect_data(
        "topic", schema, Struct(schema, m=Metres(1.5), n=Metres(0.1))
    )
    assert written == b'{"m":1.5,"n":0.1}'
    assert converter(schemas_enable="false").from_connect_data("topic", None, {"m": Metres(1e9)}) == b'{"m":1.0E9}'
