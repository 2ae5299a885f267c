"""Reads the head of a Java class file: its name, what it is derived from, and whether it can be instantiated.

The format is that of chapter 4 of the Java Virtual Machine Specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

_MAGIC: Final = b"\xca\xfe\xba\xbe"
UTF8, CLASS = 1, 7
# Of long and double, which have two numbers.
_WIDE: Final = (5, 6)
# Bytes after the tag, of each kind of constant but texts.
_SIZES: Final = {
    3: 4,
    4: 4,
    5: 8,
    6: 8,
    7: 2,
    8: 2,
    9: 4,
    10: 4,
    11: 4,
    12: 4,
    15: 3,
    16: 2,
    17: 4,
    18: 4,
    19: 2,
    20: 2,
}
_PUBLIC, _INTERFACE, _ABSTRACT = 0x0001, 0x0200, 0x0400


class ClassHead(NamedTuple):
    """Names are as in Java sources, a class within a class as `Outer$Inner`. `parents` are superclass and interfaces."""

    name: str
    parents: tuple[str, ...]
    concrete: bool


def read_head(data: bytes) -> ClassHead | None:
    """None for what is no class file."""
    if data[:4] != _MAGIC:
        return None
    try:
        return _head(data)
    except (struct.error, KeyError, IndexError, UnicodeDecodeError):
        return None


def constants(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, tag and place of each constant, and at last how many numbers there are, 0 and the place after all of them.

    Raises struct.error, KeyError or IndexError for what is no class file.
    """
    (count,) = struct.unpack_from(">H", data, 8)
    position, index = 10, 1
    while index < count:
        tag = data[position]
        yield index, tag, position
        size = 2 + int(struct.unpack_from(">H", data, position + 1)[0]) if tag == UTF8 else _SIZES[tag]
        position += 1 + size
        index += 2 if tag in _WIDE else 1
    yield count, 0, position


def _head(data: bytes) -> ClassHead:
    texts: dict[int, bytes] = {}
    classes: dict[int, int] = {}
    position = 0
    for index, tag, position in constants(data):
        if tag == UTF8:
            (length,) = struct.unpack_from(">H", data, position + 1)
            texts[index] = data[position + 3 : position + 3 + length]
        elif tag == CLASS:
            (classes[index],) = struct.unpack_from(">H", data, position + 1)
    flags, this, parent, interfaces = struct.unpack_from(">4H", data, position)
    numbers = struct.unpack_from(f">{interfaces}H", data, position + 8)

    def name(number: int) -> str:
        return texts[classes[number]].decode().replace("/", ".")

    parents = tuple(name(each) for each in (parent, *numbers) if each)
    return ClassHead(name(this), parents, bool(flags & _PUBLIC) and not flags & (_INTERFACE | _ABSTRACT))
