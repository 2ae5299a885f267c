"""Values: parsing, writing and converting. `test_values_vectors.py` compares many more cases with Java's."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.errors import DataException
from connectd.javanumbers import to_float32
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaAndValue, SchemaBuilder, Type
from connectd.struct import Struct
from connectd.values import Values

UTC = datetime.UTC
DAY = datetime.date(2024, 2, 29)
NOON = datetime.time(12, 30, 1, 7000)
INSTANT = datetime.datetime.combine(DAY, NOON, UTC)
MIDNIGHT = datetime.datetime(2024, 2, 29, tzinfo=UTC)
NO_ARRAY, NO_MAP = Schema(Type.ARRAY), Schema(Type.MAP)


def array(schema: Schema) -> Schema:
    return SchemaBuilder.array(schema).build()


def map_of(keys: Schema, values: Schema) -> Schema:
    return SchemaBuilder.map(keys, values).build()


class TestParse:
    @pytest.mark.parametrize(
        ("text", "schema", "value"),
        [
            ("", Schema.STRING_SCHEMA, ""),
            ("  ", Schema.STRING_SCHEMA, "  "),
            ("abc", Schema.STRING_SCHEMA, "abc"),
            (" a b ", Schema.STRING_SCHEMA, " a b "),
            ("true", Schema.BOOLEAN_SCHEMA, True),
            (" false ", Schema.BOOLEAN_SCHEMA, False),
            ("True", Schema.STRING_SCHEMA, "True"),
            ("true}", Schema.STRING_SCHEMA, "true}"),
            ("null", None, None),
            ("null,", Schema.STRING_SCHEMA, "null,"),
            ('"quoted"', Schema.STRING_SCHEMA, '"quoted"'),
            ("0", Schema.INT8_SCHEMA, 0),
            ("-128", Schema.INT8_SCHEMA, -128),
            ("128", Schema.INT16_SCHEMA, 128),
            ("+32768", Schema.INT32_SCHEMA, 32768),
            ("-2147483649", Schema.INT64_SCHEMA, -2147483649),
            ("1.0", Schema.INT8_SCHEMA, 1),
            ("1e3", Schema.INT16_SCHEMA, 1000),
            (f"1.{'0' * 60}", Schema.INT8_SCHEMA, 1),
            ("1.5", Schema.FLOAT32_SCHEMA, 1.5),
            ("0.1", Schema.FLOAT32_SCHEMA, to_float32(0.1)),
            ("1.5e39", Schema.FLOAT64_SCHEMA, 1.5e39),
            ("9223372036854775808", Decimal.schema(0), decimal.Decimal(2**63)),
            ("1e400", Decimal.schema(-400), decimal.Decimal("1e400")),
            ("1_000", Schema.STRING_SCHEMA, "1_000"),
            ("0x10", Schema.STRING_SCHEMA, "0x10"),
            ("-", Schema.STRING_SCHEMA, "-"),
            ("2024-02-29", Date.SCHEMA, DAY),
            ("12:30:01.007Z", Time.SCHEMA, NOON),
            ("2024-02-29T12:30:01.007Z", Timestamp.SCHEMA, INSTANT),
            ("2024-02-29T12\\:30\\:01.007Z", Timestamp.SCHEMA, INSTANT),
            # As lenient as java.text.SimpleDateFormat: the 30th of February is the 1st of March.
            ("2024-02-30", Date.SCHEMA, datetime.date(2024, 3, 1)),
            ("123-45-678", Date.SCHEMA, datetime.date(128, 7, 9)),
            # Java reads the first token and forgets the rest.
            ("1,2", Schema.INT8_SCHEMA, 1),
            ("12:abc", Schema.INT8_SCHEMA, 12),
            ("[]", NO_ARRAY, []),
            ("[null, null]", NO_ARRAY, [None, None]),
            ("[1, 2, 300]", array(Schema.INT16_SCHEMA), [1, 2, 300]),
            ("[1, 2.5]", array(Schema.FLOAT32_SCHEMA), [1.0, 2.5]),
            ("[1, 1.5e39]", array(Schema.FLOAT64_SCHEMA), [1.0, 1.5e39]),
            ('["a", "b,c", "d\\"e"]', array(Schema.STRING_SCHEMA), ["a", "b,c", 'd\\"e']),
            ('["2024-02-29"]', array(Date.SCHEMA), [DAY]),
            ("[2024-02-29, 2024-02-29T12:30:01.007Z]", array(Timestamp.SCHEMA), [MIDNIGHT, INSTANT]),
            ('[1, "a", null]', NO_ARRAY, [1, "a", None]),
            ("[[1], [2]]", array(array(Schema.INT8_SCHEMA)), [[1], [2]]),
            ("[1, 2,]", array(Schema.INT8_SCHEMA), [1, 2]),
            ("[,1]", Schema.STRING_SCHEMA, "[,1]"),
            ("[1 2]", Schema.STRING_SCHEMA, "[1 2]"),
            ("[1, 2", Schema.STRING_SCHEMA, "[1, 2"),
            ("[a]", Schema.STRING_SCHEMA, "[a]"),
            ("[1, null]", Schema.STRING_SCHEMA, "[1, null]"),
            ("{}", NO_MAP, {}),
            ('{"a": 1, "b": 300}', map_of(Schema.STRING_SCHEMA, Schema.INT16_SCHEMA), {"a": 1, "b": 300}),
            ("{1: true}", map_of(Schema.INT8_SCHEMA, Schema.BOOLEAN_SCHEMA), {1: True}),
            ('{"a": null}', Schema(Type.MAP, key_schema=Schema.STRING_SCHEMA), {"a": None}),
            ('{"a": 1, "b": "c"}', Schema(Type.MAP, key_schema=Schema.STRING_SCHEMA), {"a": 1, "b": "c"}),
            ('{"a": 1, 2: 3}', NO_MAP, {"a": 1, 2: 3}),
            ("{null: 1}", Schema.STRING_SCHEMA, "{null: 1}"),
            ('{"a" 1}', Schema.STRING_SCHEMA, '{"a" 1}'),
            ('{"a": 1', Schema.STRING_SCHEMA, '{"a": 1'),
            ("{,}", Schema.STRING_SCHEMA, "{,}"),
        ],
    )
    def test_text(self, text: str, schema: Schema | None, value: Any) -> None:
        assert Values.parse_string(text) == SchemaAndValue(schema, value)

    def test_none(self) -> None:
        assert Values.parse_string(None) == SchemaAndValue.NULL

    @pytest.mark.parametrize(
        "text",
        [
            # Java holds these in one class of dates and keeps what does not fit its schema.
            "0000-01-01",
            "99:00:00.000Z",
            "[2024-02-29, 12:30:01.007Z]",
            # Java tells these keys apart.
            '{1: "a", true: "b"}',
            "{[1]: 2}",
        ],
    )
    def test_what_python_cannot_hold_stays_text(self, text: str) -> None:
        assert Values.parse_string(text) == SchemaAndValue(Schema.STRING_SCHEMA, text)

    @pytest.mark.parametrize("text", ["[" * 100_000, "{1:" * 100_000])
    def test_deep_nesting_stays_text(self, text: str) -> None:
        assert Values.parse_string(text) == SchemaAndValue(Schema.STRING_SCHEMA, text)

    @given(st.text(alphabet=' \\:,{}[]"tru123.-eZ\n', max_size=12))
    def test_never_raises(self, text: str) -> None:
        parsed = Values.parse_string(text)
        assert (parsed.schema is None) == (parsed.value is None)


class TestToString:
    @pytest.mark.parametrize(
        ("schema", "value", "text"),
        [
            (None, None, None),
            (None, True, "true"),
            (None, 12, "12"),
            (None, 1e10, "1.0E10"),
            (Schema.FLOAT32_SCHEMA, to_float32(0.1), "0.1"),
            (Schema.FLOAT64_SCHEMA, to_float32(0.1), "0.10000000149011612"),
            (None, decimal.Decimal("1.20"), "1.20"),
            (None, decimal.Decimal("1E+5"), "1E+5"),
            (None, 'a"b', 'a"b'),
            (None, b"\x00\x01", "AAE="),
            (None, memoryview(b"\x00\x01"), "AAE="),
            (None, DAY, "2024-02-29"),
            (None, NOON, "12:30:01.007Z"),
            (None, INSTANT, "2024-02-29T12:30:01.007Z"),
            (None, INSTANT.astimezone(datetime.timezone(datetime.timedelta(hours=-9))), "2024-02-29T12:30:01.007Z"),
            # Java does not know a timestamp at midnight from a date.
            (None, MIDNIGHT, "2024-02-29"),
            # Java writes these as the time of day alone.
            (None, datetime.date(1969, 7, 20), "1969-07-20"),
            (None, datetime.datetime(1969, 7, 20, 20, 17, tzinfo=UTC), "1969-07-20T20:17:00.000Z"),
            (None, [1, None, 'a\\b"c', b"\x00", False], '[1,null,"a\\\\b\\"c","AA==",false]'),
            (None, {"a": [1.5], 2: {}}, '{"a":[1.5],2:{}}'),
            (array(Schema.FLOAT32_SCHEMA), [to_float32(0.1)], "[0.1]"),
            (map_of(Schema.FLOAT32_SCHEMA, Schema.FLOAT32_SCHEMA), {to_float32(0.1): to_float32(0.2)}, "{0.1:0.2}"),
        ],
    )
    def test_text(self, schema: Schema | None, value: Any, text: str | None) -> None:
        assert Values.convert_to_string(schema, value) == text

    def test_struct_with_defaults(self) -> None:
        builder = SchemaBuilder.struct().field("a", Schema.FLOAT32_SCHEMA).field("b", Schema.OPTIONAL_STRING_SCHEMA)
        schema = builder.field("c", SchemaBuilder.int8().default_value(3)).build()
        assert Values.convert_to_string(None, Struct(schema, a=to_float32(0.1))) == '{"a":0.1,"b":null,"c":3}'

    def test_unknown_type(self) -> None:
        with pytest.raises(DataException, match="unexpected value type object"):
            Values.convert_to_string(None, [object()])


PLAIN = st.one_of(
    st.booleans(),
    st.integers(),
    st.dates(),
    st.times().map(lambda at: at.replace(microsecond=5000)),
    st.datetimes().map(lambda at: at.replace(microsecond=5000, tzinfo=UTC)),
)


class TestRoundTrip:
    @given(PLAIN | st.lists(st.integers()) | st.lists(st.dates()) | st.dictionaries(st.dates(), st.booleans()))
    def test_text_is_stable(self, value: Any) -> None:
        text = Values.convert_to_string(None, value)
        parsed = Values.parse_string(text)
        assert Values.convert_to_string(parsed.schema, parsed.value) == text

    @given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
    def test_lists_of_integers(self, numbers: list[int]) -> None:
        assert Values.parse_string(Values.convert_to_string(None, numbers)).value == numbers

    @given(st.dictionaries(st.text("abc", min_size=1), st.dates(), min_size=1))
    def test_maps_of_dates(self, dates: dict[str, datetime.date]) -> None:
        parsed = Values.parse_string(Values.convert_to_string(None, dates))
        assert parsed == SchemaAndValue(map_of(Schema.STRING_SCHEMA, Date.SCHEMA), dates)

    @given(st.floats(width=32, allow_nan=False, allow_infinity=False))
    def test_floats(self, number: float) -> None:
        parsed = Values.parse_string(Values.convert_to_string(Schema.FLOAT32_SCHEMA, number))
        assert Values.convert_to_float(parsed.schema, parsed.value) == number


class TestConvert:
    @pytest.mark.parametrize(
        ("convert", "schema", "value", "expected"),
        [
            (Values.convert_to_boolean, None, True, True),
            (Values.convert_to_boolean, None, 2, True),
            (Values.convert_to_boolean, None, "false", False),
            (Values.convert_to_boolean, None, "0", False),
            (Values.convert_to_byte, None, 300, 44),
            (Values.convert_to_byte, None, "12.9", 12),
            (Values.convert_to_short, None, 2**16 + 1, 1),
            (Values.convert_to_integer, None, -1.9, -1),
            (Values.convert_to_integer, Date.SCHEMA, datetime.date(1970, 1, 3), 2),
            (Values.convert_to_long, Timestamp.SCHEMA, INSTANT, 1_709_209_801_007),
            (Values.convert_to_long, Time.SCHEMA, datetime.time(0, 0, 1), 1000),
            (Values.convert_to_long, None, decimal.Decimal("1e3"), 1000),
            (Values.convert_to_float, None, 0.1, to_float32(0.1)),
            (Values.convert_to_float, None, 1e300, float("inf")),
            (Values.convert_to_double, None, "1e3", 1000.0),
            (Values.convert_to_double, Date.SCHEMA, datetime.date(1970, 1, 3), 2.0),
            (Values.convert_to_list, None, "[1]", [1]),
            (Values.convert_to_list, None, [1], [1]),
            (Values.convert_to_map, None, '{"a": 1}', {"a": 1}),
            (Values.convert_to_date, None, "2024-02-29", DAY),
            (Values.convert_to_date, Schema.STRING_SCHEMA, "2024-02-29", DAY),
            (Values.convert_to_date, None, 1, datetime.date(1970, 1, 2)),
            (Values.convert_to_date, Timestamp.SCHEMA, INSTANT, DAY),
            (
                Values.convert_to_date,
                None,
                datetime.datetime(1969, 12, 31, 12, tzinfo=UTC),
                datetime.date(1969, 12, 31),
            ),
            (Values.convert_to_time, None, "12:30:01.007Z", NOON),
            (Values.convert_to_time, None, 1000, datetime.time(0, 0, 1)),
            (Values.convert_to_time, None, INSTANT, NOON),
            (Values.convert_to_timestamp, None, "2024-02-29T12:30:01.007Z", INSTANT),
            (Values.convert_to_timestamp, None, DAY, MIDNIGHT),
            (Values.convert_to_timestamp, None, NOON, datetime.datetime(1970, 1, 1, 12, 30, 1, 7000, UTC)),
            (Values.convert_to_timestamp, None, 1, datetime.datetime(1970, 1, 1, 0, 0, 0, 1000, UTC)),
        ],
    )
    def test_converts(
        self, convert: Callable[[Any, Any], Any], schema: Schema | None, value: Any, expected: Any
    ) -> None:
        converted = convert(schema, value)
        assert converted == expected
        assert type(converted) is type(expected)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (b"\x7d", "1.25"),
            (decimal.Decimal("1.2"), "1.2"),
            (5, "5.0"),
            (0.1, "0.1"),
            ("1.230", "1.230"),
        ],
    )
    def test_to_decimal(self, value: Any, expected: str) -> None:
        assert str(Values.convert_to_decimal(None, value, 2)) == expected

    @pytest.mark.parametrize(
        "convert",
        [
            Values.convert_to_boolean,
            Values.convert_to_byte,
            Values.convert_to_short,
            Values.convert_to_integer,
            Values.convert_to_long,
            Values.convert_to_float,
            Values.convert_to_double,
            Values.convert_to_string,
        ],
    )
    def test_none_stays_none(self, convert: Callable[[Any, Any], Any]) -> None:
        assert convert(None, None) is None

    @pytest.mark.parametrize(
        "convert",
        [
            Values.convert_to_list,
            Values.convert_to_map,
            Values.convert_to_struct,
            Values.convert_to_date,
            Values.convert_to_time,
            Values.convert_to_timestamp,
            lambda schema, value: Values.convert_to_decimal(schema, value, 0),
        ],
    )
    def test_none_is_refused(self, convert: Callable[[Any, Any], Any]) -> None:
        with pytest.raises(DataException, match="Unable to convert a null value"):
            convert(None, None)

    @pytest.mark.parametrize(
        ("convert", "schema", "value", "message"),
        [
            (Values.convert_to_boolean, None, "abc", r"Unable to convert 'abc' \(str\) to a number"),
            (Values.convert_to_integer, None, True, r"True \(bool\) to a number"),
            (Values.convert_to_integer, None, " 5 ", "to a number"),
            (Values.convert_to_integer, None, DAY, "to a number"),
            (Values.convert_to_integer, Time.SCHEMA, DAY, "to a number"),
            (Values.convert_to_long, None, [1], "to a number"),
            (Values.convert_to_double, None, "x" * 1000, "x[.]{3}x"),
            (Values.convert_to_list, None, "abc", "to a list"),
            (Values.convert_to_map, None, [1], "to a map"),
            (Values.convert_to_struct, None, {}, "to a struct"),
            (Values.convert_to_date, None, NOON, "to a number"),
            (Values.convert_to_date, None, 2**31 - 1, "not within the years 1 to 9999"),
            (Values.convert_to_time, None, DAY, "to a number"),
            (Values.convert_to_time, None, -1, "from 0 to 86399999"),
            (Values.convert_to_timestamp, None, "null", "to a number"),
        ],
    )
    def test_refuses(self, convert: Callable[[Any, Any], Any], schema: Schema | None, value: Any, message: str) -> None:
        with pytest.raises(DataException, match=message):
            convert(schema, value)

    @pytest.mark.parametrize("value", [True, "abc", [1], float("nan")])
    def test_to_decimal_refuses(self, value: Any) -> None:
        with pytest.raises(DataException, match="to a decimal"):
            Values.convert_to_decimal(None, value, 2)

    def test_struct_stays_itself(self) -> None:
        struct = Struct(SchemaBuilder.struct())
        assert Values.convert_to_struct(None, struct) is struct


class TestInfer:
    @pytest.mark.parametrize(
        ("value", "schema"),
        [
            (None, None),
            ("x", Schema.STRING_SCHEMA),
            (1, Schema.INT64_SCHEMA),
            (2**63, None),
            (1.5, Schema.FLOAT64_SCHEMA),
            (True, Schema.BOOLEAN_SCHEMA),
            (b"x", Schema.BYTES_SCHEMA),
            (DAY, None),
            ([], None),
            ([1, 2], array(Schema.INT64_SCHEMA)),
            ([1, None], array(Schema.OPTIONAL_INT64_SCHEMA)),
            ([1, "a"], None),
            ([DAY], None),
            ([None], None),
            ([[1]], array(NO_ARRAY)),
            ({}, None),
            ({"a": 1}, map_of(Schema.STRING_SCHEMA, Schema.INT64_SCHEMA)),
            ({"a": 1, "b": None}, map_of(Schema.STRING_SCHEMA, Schema.OPTIONAL_INT64_SCHEMA)),
            ({"a": 1, 2: 2}, None),
        ],
    )
    def test_schema(self, value: Any, schema: Schema | None) -> None:
        assert Values.infer_schema(value) == schema

    def test_struct_has_its_own(self) -> None:
        schema = SchemaBuilder.struct().field("a", Schema.INT8_SCHEMA).build()
        assert Values.infer_schema(Struct(schema)) is schema
