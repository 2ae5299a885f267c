"""Numbers as Java reads, narrows and prints them, where Python does it otherwise.

Printing follows `Double.toString` and `Float.toString` since Java 19: the fewest digits that still give the number.
"""

from __future__ import annotations

import decimal
import math
import re
import struct

# The grammar of java.math.BigDecimal; Python's own would also take "nan", underscores and blanks.
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?")
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_FLOAT32_MIN_NORMAL = 2.0**-126
_FLOAT64_MIN_NORMAL = 2.0**-1022
# A double has 29 bits more than a float; these are how it lies half way between two floats.
_FLOAT64, _BITS = struct.Struct("<d"), struct.Struct("<Q")
_BEYOND_FLOAT32, _HALF_WAY = (1 << 29) - 1, 1 << 28


def parse_decimal(text: str) -> decimal.Decimal:
    """The number in `text`, exactly, as `new BigDecimal(text)`.

    Raises ValueError for anything else, also for an exponent that does not fit Java's scale of 32 bits.
    """
    match = _DECIMAL.fullmatch(text)
    exponent = match[1] if match else None
    if match is None or (exponent is not None and len(exponent.lstrip("+-0")) > 10):
        raise ValueError(f"{text!r} is not a number")
    number = decimal.Decimal(text)
    if not _INT32_MIN <= scale_of(number) <= _INT32_MAX:
        raise ValueError(f"{text!r} has an exponent out of range")
    # Java has no negative zero here.
    return number if number else number.copy_abs()


def scale_of(number: decimal.Decimal) -> int:
    """How many digits after the point the number has; negative when it ends in zeros that are not kept.

    Raises ValueError for NaN and infinities.
    """
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is not a finite number")
    return -exponent


def wrap(number: int, bits: int) -> int:
    """The lowest `bits` bits as a signed number: Java's narrowing cast between integer types."""
    half = 1 << (bits - 1)
    return (number + half) % (1 << bits) - half


def to_long(number: int | float | decimal.Decimal) -> int:
    """`Number.longValue`: cuts off the fraction; a float stops at the limits of 64 bits, other numbers wrap around.

    Raises ValueError for a decimal that is NaN or infinite.
    """
    if isinstance(number, int):
        return wrap(number, 64)
    if isinstance(number, float):
        if math.isnan(number):
            return 0
        return _INT64_MIN if number <= _INT64_MIN else _INT64_MAX if number >= _INT64_MAX else int(number)
    # 10**64 and all beyond is a multiple of 2**64; computing it could take all memory.
    return wrap(int(number), 64) if scale_of(number) > -64 else 0


def to_double(number: int | float | decimal.Decimal) -> float:
    """`Number.doubleValue`: the nearest 64 bit float, infinite beyond its range."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def to_float32(number: int | float | decimal.Decimal) -> float:
    """The 32 bit float nearest to the exact number, infinite beyond its range."""
    double = to_double(number)
    rounded = _round_to_float32(double)
    if isinstance(number, float) or math.isinf(double) or double == number:
        return rounded
    # Rounding twice goes wrong only where the double lies exactly between two floats: step off to the right side.
    above = _round_to_float32(math.nextafter(double, math.inf))
    below = _round_to_float32(math.nextafter(double, -math.inf))
    if above == below:
        return rounded
    return above if double < number else below


def double_to_string(number: float) -> str:
    """`Double.toString`: `1.0`, `1.0E10`, `1.0E-5`, `NaN`, `-Infinity`."""
    if not math.isfinite(number) or number == 0:
        return _special(number)
    if abs(number) < _FLOAT64_MIN_NORMAL:
        # Java never looks for fewer than two digits: the smallest double is 4.9E-324 there and 5e-324 here.
        two_digits = f"{number:.1e}"
        if float(two_digits) == number:
            return _java_form(two_digits)
    return _java_form(repr(number))


def float_to_string(number: float) -> str:
    """`Float.toString` for a float that has been rounded to 32 bits (`to_float32`)."""
    if not math.isfinite(number) or number == 0:
        return _special(number)
    # Up to six digits survive a 32 bit float, unless it is so small that it has fewer bits.
    fewest = 6 if abs(number) >= _FLOAT32_MIN_NORMAL else 2
    texts = (f"{number:.{digits - 1}e}" for digits in range(fewest, 10))
    return _java_form(next(text for text in texts if _parse_float32(text) == number))


def _round_to_float32(double: float) -> float:
    try:
        rounded: float = struct.unpack("f", struct.pack("f", double))[0]
    except OverflowError:
        return math.copysign(math.inf, double)
    return rounded


def _parse_float32(text: str) -> float:
    double = float(text)
    is_half_way = _BITS.unpack(_FLOAT64.pack(double))[0] & _BEYOND_FLOAT32 == _HALF_WAY
    # Only there, and where a float has fewer bits, is it wrong to round twice.
    is_certain = not is_half_way and abs(double) >= _FLOAT32_MIN_NORMAL
    return _round_to_float32(double) if is_certain else to_float32(decimal.Decimal(text))


def _special(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    sign = "-" if math.copysign(1, number) < 0 else ""
    return f"{sign}Infinity" if math.isinf(number) else f"{sign}0.0"


def _java_form(text: str) -> str:
    sign = "-" if text.startswith("-") else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The number is 0.digits times ten to the power of `point`.
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    if 0 < point <= 7:
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    if -3 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"
