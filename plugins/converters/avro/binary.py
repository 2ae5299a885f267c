"""Single values as Avro's bytes ("Binary Encoding" in Avro's specification)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

Encode = Callable[[Any], bytes]
"""The bytes of a value that is not None. Raises what it likes for one that does not fit."""

BOOLEANS: Final = {True: b"\1", False: b"\0"}
encode_boolean: Final = BOOLEANS.__getitem__
encode_float: Final = struct.Struct("<f").pack
encode_double: Final = struct.Struct("<d").pack

_MOST_REMEMBERED: Final = 4096
_13_BITS: Final = (1 << 13) - 1
_14_BITS: Final = (1 << 14) - 1


class _Pairs(dict[int, bytes]):
    """Two groups of seven bits with more to come, by the number in them."""

    def __missing__(self, number: int) -> bytes:
        data = self[number] = bytes((number & 0x7F | 0x80, number >> 7 | 0x80))
        return data


class _Groups(dict[int, bytes]):
    """Numbers in groups of seven bits up to the last one; those that were asked for lately."""

    def __missing__(self, number: int) -> bytes:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        left, found = number, bytearray()
        while left > 0x7F:
            found.append(left & 0x7F | 0x80)
            left >>= 7
        found.append(left)
        data = self[number] = bytes(found)
        return data


_PAIRS: Final = _Pairs()
# Ids and moments that follow one another have the same upper bits.
_GROUPS: Final = _Groups()


def encode_long(number: int) -> bytes:
    """An int or long: zigzag, in groups of seven bits."""
    if number > _13_BITS:
        # As below, with fewer operations on a large number.
        return _PAIRS[(number & _13_BITS) << 1] + _GROUPS[number >> 13]
    number = number << 1 ^ number >> 63
    return _GROUPS[number] if number <= _14_BITS else _PAIRS[number & _14_BITS] + _GROUPS[number >> 14]


# From 0 up, then from the lowest to -1, so that Python finds those below zero from the end.
SMALLEST, BEYOND_SMALL = -1024, 1024
SMALL: Final = [encode_long(number) for number in (*range(BEYOND_SMALL), *range(SMALLEST, 0))]


def encode_text(value: str) -> bytes:
    """A text with its length before it."""
    return encode_bytes(value.encode())


def encode_bytes(value: bytes) -> bytes:
    """Bytes with their length before them."""
    size = len(value)
    return (SMALL[size] if size < BEYOND_SMALL else encode_long(size)) + value
