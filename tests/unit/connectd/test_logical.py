"""Logical types: exact to the byte and to the millisecond, and errors outside what a type holds."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder, Type

UTC = datetime.UTC
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


class TestSchemas:
    @pytest.mark.parametrize(
        ("schema", "type", "name"),
        [
            (Decimal.schema(3), Type.BYTES, "org.apache.kafka.connect.data.Decimal"),
            (Date.SCHEMA, Type.INT32, "org.apache.kafka.connect.data.Date"),
            (Time.SCHEMA, Type.INT32, "org.apache.kafka.connect.data.Time"),
            (Timestamp.SCHEMA, Type.INT64, "org.apache.kafka.connect.data.Timestamp"),
        ],
    )
    def test_as_in_java(self, schema: Schema, type: Type, name: str) -> None:
        assert (schema.type, schema.name, schema.version, schema.is_optional) == (type, name, 1, False)

    def test_scale(self) -> None:
        assert Decimal.schema(3).parameters == {"scale": "3"}
        assert Decimal.builder(-2).optional().build().parameters == {"scale": "-2"}

    @pytest.mark.parametrize(
        ("kind", "stored", "value"),
        [
            (Date, 1, datetime.date(1970, 1, 2)),
            (Time, 1, datetime.time()),
            (Timestamp, 1, datetime.datetime(1970, 1, 1, tzinfo=UTC)),
        ],
    )
    def test_other_schemas_are_refused(self, kind: Any, stored: int, value: Any) -> None:
        with pytest.raises(
            DataException, match=rf"{kind.__name__} object but the schema does not match: Schema\{{INT32"
        ):
            kind.to_logical(Schema.INT32_SCHEMA, stored)
        with pytest.raises(DataException, match="does not match"):
            kind.from_logical(Schema.INT32_SCHEMA, value)


class TestDecimal:
    @pytest.mark.parametrize(
        ("text", "stored"),
        [
            ("0", b"\x00"),
            ("0.00", b"\x00"),
            ("-0.00", b"\x00"),
            ("1.27", b"\x7f"),
            ("1.28", b"\x00\x80"),
            ("-1.28", b"\x80"),
            ("-1.29", b"\xff\x7f"),
            ("2.55", b"\x00\xff"),
            ("2.56", b"\x01\x00"),
            ("156E+2", b"\x00\x9c"),
        ],
    )
    def test_bytes(self, text: str, stored: bytes) -> None:
        value = decimal.Decimal(text)
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        schema = Decimal.schema(-exponent)
        assert Decimal.from_logical(schema, value) == stored
        assert Decimal.to_logical(schema, stored) == value
        assert Decimal.to_logical(schema, memoryview(stored)).as_tuple().exponent == exponent

    @given(st.integers(-(10**60), 10**60), st.integers(-20, 20))
    def test_round_trip(self, unscaled: int, scale: int) -> None:
        schema = Decimal.schema(scale)
        value = decimal.Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale))
        stored = Decimal.from_logical(schema, value)
        assert Decimal.to_logical(schema, stored).as_tuple() == value.as_tuple()
        # The shortest form: Java would not write a byte less or more.
        assert len(stored) == (unscaled if unscaled >= 0 else ~unscaled).bit_length() // 8 + 1

    def test_precision_of_the_context_does_not_matter(self) -> None:
        with decimal.localcontext(prec=3):
            value = decimal.Decimal("123456789012345678901234567890.12")
            schema = Decimal.schema(2)
            assert Decimal.to_logical(schema, Decimal.from_logical(schema, value)).as_tuple() == value.as_tuple()

    @pytest.mark.parametrize(
        ("schema", "text", "message"),
        [
            (Decimal.schema(2), "1.5", "Schema has scale 2, value has scale 1"),
            (Decimal.schema(2), "NaN", "expected a finite number"),
            (Decimal.schema(2), "-Infinity", "expected a finite number"),
            (Schema.BYTES_SCHEMA, "1.5", "scale parameter not found"),
            (SchemaBuilder.bytes().parameter("scale", "x").build(), "1.5", "Invalid scale parameter 'x'"),
        ],
    )
    def test_errors(self, schema: Schema, text: str, message: str) -> None:
        with pytest.raises(DataException, match=message):
            Decimal.from_logical(schema, decimal.Decimal(text))

    def test_no_bytes(self) -> None:
        with pytest.raises(DataException, match="at least one byte"):
            Decimal.to_logical(Decimal.schema(0), b"")


class TestDate:
    @pytest.mark.parametrize(
        ("days", "value"),
        [
            (0, datetime.date(1970, 1, 1)),
            (10_000, datetime.date(1997, 5, 19)),
            (-1, datetime.date(1969, 12, 31)),
            (-719_162, datetime.date.min),
            (2_932_896, datetime.date.max),
        ],
    )
    def test_days(self, days: int, value: datetime.date) -> None:
        assert Date.from_logical(Date.SCHEMA, value) == days
        assert Date.to_logical(Date.SCHEMA, days) == value

    @pytest.mark.parametrize("days", [-719_163, 2_932_897, 2**31 - 1, -(2**31), 2**80])
    def test_beyond_what_python_holds(self, days: int) -> None:
        with pytest.raises(DataException, match=f"Date {days} days .* not within the years 1 to 9999"):
            Date.to_logical(Date.SCHEMA, days)

    def test_midnight_is_a_date(self) -> None:
        assert Date.from_logical(Date.SCHEMA, datetime.datetime(1970, 1, 2, tzinfo=UTC)) == 1
        assert Date.from_logical(Date.SCHEMA, datetime.datetime(1970, 1, 2, 5, 30, tzinfo=EAST)) == 1
        assert Date.from_logical(Date.SCHEMA, datetime.datetime(1970, 1, 2)) == 1

    @pytest.mark.parametrize(
        "value", [datetime.datetime(1970, 1, 2, 0, 0, 1, tzinfo=UTC), datetime.datetime(1970, 1, 2, tzinfo=EAST)]
    )
    def test_other_times_are_not(self, value: datetime.datetime) -> None:
        with pytest.raises(DataException, match="should not have any time fields"):
            Date.from_logical(Date.SCHEMA, value)


class TestTime:
    @pytest.mark.parametrize(
        ("ms", "value"),
        [
            (0, datetime.time()),
            (1, datetime.time(0, 0, 0, 1000)),
            (3_723_004, datetime.time(1, 2, 3, 4000)),
            (86_399_999, datetime.time(23, 59, 59, 999_000)),
        ],
    )
    def test_ms(self, ms: int, value: datetime.time) -> None:
        assert Time.from_logical(Time.SCHEMA, value) == ms
        assert Time.to_logical(Time.SCHEMA, ms) == value

    def test_microseconds_are_cut_off(self) -> None:
        assert Time.from_logical(Time.SCHEMA, datetime.time.max) == 86_399_999

    @pytest.mark.parametrize("ms", [-1, 86_400_000])
    def test_only_one_day(self, ms: int) -> None:
        with pytest.raises(DataException, match=f"from 0 to 86399999 milliseconds, not {ms}"):
            Time.to_logical(Time.SCHEMA, ms)


class TestTimestamp:
    @pytest.mark.parametrize(
        ("ms", "value"),
        [
            (0, datetime.datetime(1970, 1, 1, tzinfo=UTC)),
            (-1, datetime.datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC)),
            (1_709_209_800_123, datetime.datetime(2024, 2, 29, 12, 30, 0, 123_000, UTC)),
            (-62_135_596_800_000, datetime.datetime(1, 1, 1, tzinfo=UTC)),
            (253_402_300_799_999, datetime.datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)),
        ],
    )
    def test_ms(self, ms: int, value: datetime.datetime) -> None:
        assert Timestamp.from_logical(Timestamp.SCHEMA, value) == ms
        assert Timestamp.to_logical(Timestamp.SCHEMA, ms) == value

    @given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
    def test_round_trip(self, ms: int) -> None:
        assert Timestamp.from_logical(Timestamp.SCHEMA, Timestamp.to_logical(Timestamp.SCHEMA, ms)) == ms

    def test_is_in_utc(self) -> None:
        assert Timestamp.to_logical(Timestamp.SCHEMA, 0).tzinfo is UTC

    def test_other_zones_are_the_same_instant(self) -> None:
        assert Timestamp.from_logical(Timestamp.SCHEMA, datetime.datetime(1970, 1, 1, 5, 30, tzinfo=EAST)) == 0

    @pytest.mark.parametrize(("microsecond", "ms"), [(999, 0), (1999, 1)])
    def test_microseconds_are_rounded_down(self, microsecond: int, ms: int) -> None:
        after = datetime.datetime(1970, 1, 1, 0, 0, 0, microsecond, UTC)
        before = datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)
        assert Timestamp.from_logical(Timestamp.SCHEMA, after) == ms
        assert Timestamp.from_logical(Timestamp.SCHEMA, before) == -1

    @pytest.mark.parametrize("ms", [-62_135_596_800_001, 253_402_300_800_000, 2**63 - 1, -(2**63), 2**100])
    def test_beyond_what_python_holds(self, ms: int) -> None:
        with pytest.raises(DataException, match=f"Timestamp {ms} ms .* not within the years 1 to 9999"):
            Timestamp.to_logical(Timestamp.SCHEMA, ms)

    def test_zone_is_required(self) -> None:
        with pytest.raises(DataException, match="expected an aware datetime"):
            Timestamp.from_logical(Timestamp.SCHEMA, datetime.datetime(1970, 1, 1))
