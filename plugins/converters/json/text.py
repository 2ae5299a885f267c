"""JSON text as Jackson writes it: escapes and numbers, where other writers choose another of JSON's ways."""

from __future__ import annotations

import decimal
import math
import re
from typing import Final

from connectd.javanumbers import double_to_string, float_to_string, to_float32

_SHORT_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_ESCAPED = re.compile(r'["\\\x00-\x1f\ud800-\udfff\U00010000-\U0010ffff]')

# The same in the bytes that msgspec wrote: an escape, or a character outside of the basic plane.
_ESCAPE_OR_WIDE = re.compile(rb"\\(?:u00..|.)|[\xf0-\xf4]...", re.DOTALL)
_BACKSLASH = ord("\\")


def quote(text: str) -> str:
    """A JSON string. Characters outside of the basic plane become two escapes, as in JavaScript's oldest days."""
    return f'"{_ESCAPED.sub(lambda match: _escape(match[0]), text)}"'


def with_jackson_escapes(data: bytes) -> bytes:
    """The JSON that msgspec wrote, with Jackson's escapes.

    They differ in the digits of control characters and in characters outside of the basic plane: not at all where
    there is neither a backslash nor a byte beyond ASCII.
    """
    # Five searches for a byte are much faster than one regular expression, and mostly find nothing.
    is_wide = 0xF0 in data or 0xF1 in data or 0xF2 in data or 0xF3 in data or 0xF4 in data
    if not is_wide and data.find(b"\\u00") < 0:
        return data
    return _ESCAPE_OR_WIDE.sub(_as_jackson, data)


def double_text(number: float) -> str:
    """A FLOAT64; what JSON has no number for becomes a string."""
    text = double_to_string(number)
    return text if math.isfinite(number) else f'"{text}"'


def float_text(number: float) -> str:
    """A FLOAT32; what JSON has no number for becomes a string."""
    rounded = to_float32(number)
    text = float_to_string(rounded)
    return text if math.isfinite(rounded) else f'"{text}"'


def decimal_text(number: decimal.Decimal) -> str:
    """A finite decimal, as `BigDecimal.toString`."""
    return _TO_STRING.to_sci_string(number if number else number.copy_abs())


# Of its own, since the program's context may ask for small exponent letters.
_TO_STRING = decimal.Context(capitals=1)


def _escape(character: str) -> str:
    short = _SHORT_ESCAPES.get(character)
    if short is not None:
        return short
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[start : start + 2].hex().upper()}" for start in range(0, len(units), 2))


def _as_jackson(match: re.Match[bytes]) -> bytes:
    found: bytes = match[0]
    if len(found) == 2:
        return found
    if found[0] == _BACKSLASH:
        return found[:2] + found[2:].upper()
    return _escape(found.decode()).encode()
