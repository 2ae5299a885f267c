"""Numbers as Java reads, narrows and prints them."""

from __future__ import annotations

import decimal
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.javanumbers import (
    double_to_string,
    float_to_string,
    parse_decimal,
    to_double,
    to_float32,
    to_long,
    wrap,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-12.5, "-12.5"),
        (0.001, "0.001"),
        (0.000999, "9.99E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12345678.9, "1.23456789E7"),
        (1e10, "1.0E10"),
        (1e-5, "1.0E-5"),
        (1e23, "1.0E23"),
        (5e-324, "4.9E-324"),
        (1e-323, "9.9E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
    ],
)
def test_double_to_string(number: float, text: str) -> None:
    assert double_to_string(number) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0.1", "0.1"),
        ("3.14", "3.14"),
        ("16777216", "1.6777216E7"),
        ("33554432", "3.3554432E7"),
        ("1e10", "1.0E10"),
        ("3.4028235e38", "3.4028235E38"),
        ("1.17549435e-38", "1.1754944E-38"),
        ("1e-45", "1.4E-45"),
        ("-0.0", "-0.0"),
    ],
)
def test_float_to_string(text: str, printed: str) -> None:
    assert float_to_string(to_float32(float(text))) == printed


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_float_to_string_of_specials(number: float) -> None:
    assert float_to_string(to_float32(number)) == double_to_string(number)


@given(st.floats(allow_nan=False))
def test_double_text_reads_back(number: float) -> None:
    assert float(double_to_string(number).replace("Infinity", "inf")) == number


@given(st.floats(allow_nan=False, width=32))
def test_float_text_reads_back_and_is_short(number: float) -> None:
    text = float_to_string(number)
    assert to_float32(float(text.replace("Infinity", "inf"))) == number
    assert sum(character.isdigit() for character in text.partition("E")[0].lstrip("-0.")) <= 10


@given(st.floats(allow_nan=False))
def test_to_float32_of_doubles(number: float) -> None:
    try:
        expected = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        expected = math.copysign(math.inf, number)
    assert to_float32(number) == expected


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        # 2**24 + 1 is halfway between two floats; so are the doubles nearest to these decimals.
        ("16777217", 16777216.0),
        ("16777216.99999999999999999999", 16777216.0),
        ("16777217.00000000000000000001", 16777218.0),
        ("-16777217.00000000000000000001", -16777218.0),
        ("340282356779733661637539395458142568447.9", 3.4028234663852886e38),
        ("340282356779733661637539395458142568448", math.inf),
        ("1e400", math.inf),
        ("-1e400", -math.inf),
        ("1e-400", 0.0),
    ],
)
def test_to_float32_rounds_once(text: str, nearest: float) -> None:
    assert to_float32(decimal.Decimal(text)) == nearest


@pytest.mark.parametrize(("number", "nearest"), [(10**400, math.inf), (-(10**400), -math.inf), (2**53 + 1, 2.0**53)])
def test_to_double(number: int, nearest: float) -> None:
    assert to_double(number) == nearest


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"),
        ("+1.", "1"),
        (".5", "0.5"),
        ("-0.0", "0.0"),
        ("1.50e3", "1.50E+3"),
        ("1E-0000000000007", "1E-7"),
        ("٣", "3"),
    ],
)
def test_parse_decimal(text: str, number: str) -> None:
    assert parse_decimal(text).as_tuple() == decimal.Decimal(number).as_tuple()


@pytest.mark.parametrize(
    "text",
    ["", ".", "-", "e5", "1e", " 1", "1_0", "nan", "inf", "0x1", "1e99999999999", "1e2147483649", "1e-2147483648"],
)
def test_parse_decimal_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number|out of range"):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("number", "bits", "wrapped"), [(127, 8, 127), (128, 8, -128), (300, 8, 44), (-129, 8, 127), (2**64 + 5, 64, 5)]
)
def test_wrap(number: int, bits: int, wrapped: int) -> None:
    assert wrap(number, bits) == wrapped


@pytest.mark.parametrize(
    ("number", "long"),
    [
        (2**63, -(2**63)),
        (1e30, 2**63 - 1),
        (-math.inf, -(2**63)),
        (math.nan, 0),
        (-1.9, -1),
        (decimal.Decimal("-1.9"), -1),
        (decimal.Decimal("1e19"), 10**19 - 2**64),
        (decimal.Decimal("1e999999999"), 0),
        (decimal.Decimal("1e-999999999"), 0),
    ],
)
def test_to_long(number: int | float | decimal.Decimal, long: int) -> None:
    assert to_long(number) == long


def test_to_long_of_no_number() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        to_long(decimal.Decimal("NaN"))
