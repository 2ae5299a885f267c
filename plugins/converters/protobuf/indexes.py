"""Which message of a file the data is of, in the bytes behind the schema's id (Confluent's `MessageIndexes`)."""

from __future__ import annotations

from collections.abc import Sequence

from connectd.errors import DataException


def write_indexes(indexes: Sequence[int]) -> bytes:
    """The first message, which is the most usual, is one byte."""
    if list(indexes) == [0]:
        return b"\0"
    return b"".join(map(_varint, (len(indexes), *indexes)))


def read_indexes(data: bytes, start: int = 0) -> tuple[list[int], int]:
    """The indexes and where they end. Raises DataException for bytes that are none."""
    count, position = _read_varint(data, start)
    if count < 0 or count > len(data):
        raise DataException("Expected the indexes of a Protobuf message behind the schema's id")
    indexes: list[int] = []
    for _ in range(count):
        index, position = _read_varint(data, position)
        indexes.append(index)
    return indexes or [0], position


def _varint(number: int) -> bytes:
    zigzag = number << 1 ^ number >> 31
    written = bytearray()
    while zigzag > 0x7F:
        written.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    written.append(zigzag)
    return bytes(written)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    zigzag = shift = 0
    while True:
        if position >= len(data):
            raise DataException("Expected the indexes of a Protobuf message behind the schema's id")
        byte = data[position]
        position += 1
        zigzag |= (byte & 0x7F) << shift
        if byte < 0x80:
            return zigzag >> 1 ^ -(zigzag & 1), position
        shift += 7
