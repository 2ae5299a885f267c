"""JSON text as Jackson reads it, which is in some ways looser than the standard: into a tree of Python values.

An object becomes a dict, an array a list, an integer an int, any other number a Decimal that keeps all of its digits
(`USE_BIG_DECIMAL_FOR_FLOATS`). Looser than the standard: numbers may begin with zeros; what follows the first value is
not looked at; UTF-16 and UTF-32 are recognised; an escape may be half a surrogate pair.

Stricter than Jackson: bytes that are UTF-8 in all but length or range are an error.
"""

from __future__ import annotations

import decimal
import json
import re
from typing import Any, Final, NoReturn

from connectd.errors import DataException
from connectd.javanumbers import parse_decimal

MAX_NUMBER_LENGTH: Final = 1000


class Missing:
    """What there is where there is no text: Jackson's MissingNode."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

_BLANK = re.compile(r"[ \t\n\r]*")
_MAYBE_LEADING_ZERO = re.compile(r"(?:^|[^0-9.eE+])0[0-9]")
_STRING_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|(-?)0+(?=[0-9])|[-+.0-9eE]+', re.DOTALL)
_WORD = re.compile(r"\w")
_BLANK_OR_END: Final = frozenset(("", " ", "\t", "\n", "\r"))


def parse(data: bytes) -> Any:
    """The first JSON value in `data`; MISSING when there is none.

    Raises DataException with the reason and the place, but without the data, which may be confidential.
    """
    text = _without_leading_zeros(_decode(data))
    start = _end_of_blank(text)
    if start == len(text):
        return MISSING
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise DataException(f"Not valid JSON: {error.msg} at character {error.pos}") from None
    except ValueError as error:
        raise DataException(f"Not valid JSON: {error}") from None
    except RecursionError:
        raise DataException("The JSON is nested too deeply") from None
    _check_end(text, value, end)
    return value


def parse_number(text: str) -> decimal.Decimal:
    """A number with all its digits. Raises ValueError for one that is longer than Jackson reads."""
    _check_length(text)
    return parse_decimal(text)


def _decode(data: bytes) -> str:
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataException(f"Not valid JSON: invalid {encoding.upper()} at byte {error.start}") from None


def _end_of_blank(text: str) -> int:
    blank = _BLANK.match(text)
    return blank.end() if blank else 0


def _without_leading_zeros(text: str) -> str:
    if not _MAYBE_LEADING_ZERO.search(text):
        return text
    return _STRING_OR_NUMBER.sub(lambda match: match[0] if match[1] is None else match[1], text)


def _check_end(text: str, value: Any, end: int) -> None:
    """What follows is not looked at, unless it could belong to the value itself."""
    is_literal = value is None or isinstance(value, bool)
    is_number = isinstance(value, (int, decimal.Decimal)) and not is_literal
    if (is_literal and _WORD.match(text, end)) or (is_number and text[end : end + 1] not in _BLANK_OR_END):
        raise DataException(f"Not valid JSON: unexpected {text[end]!r} at character {end}")


def _check_length(number: str) -> None:
    if len(number) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number of {len(number)} characters, expected at most {MAX_NUMBER_LENGTH}")


def _parse_int(text: str) -> int:
    _check_length(text)
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_DECODER: Final = json.JSONDecoder(parse_float=parse_number, parse_int=_parse_int, parse_constant=_refuse_constant)
