"""The method that Kafka 4 has taken away is put into the class file of its interface."""

from __future__ import annotations

import struct

import pytest

from plugins.java.classfiles import read_head
from tasks.java.compatibility import with_poll_of_milliseconds


def interface(fields: int = 0) -> bytes:
    """An interface with one constant of 64 bits and no methods."""
    constants = struct.pack(">Bq", 6, 0)
    for number, name in enumerate((b"a/Consumer", b"java/lang/Object", b"java/io/Closeable")):
        constants += struct.pack(">BH", 1, len(name)) + name + struct.pack(">BH", 7, 3 + 2 * number)
    head = struct.pack(">IHHH", 0xCAFEBABE, 0, 55, 9)
    return head + constants + struct.pack(">HHHHH", 0x0601, 4, 6, 1, 8) + struct.pack(">HHH", fields, 0, 0)


def test_one_more_method_and_all_else_as_it_was() -> None:
    before, after = interface(), with_poll_of_milliseconds(interface())
    assert read_head(after) == read_head(before)
    assert (after[:8], after[-2:]) == (before[:8], before[-2:])
    assert b"(J)Lorg/apache/kafka/clients/consumer/ConsumerRecords;" in after and b"ofMillis" in after
    code = bytes.fromhex("2a1fb8")
    position = after.index(code)
    (length,) = struct.unpack_from(">I", after, position - 4)
    assert after[position + length - 1] == 0xB0  # areturn


def test_an_interface_with_fields_is_not_expected() -> None:
    with pytest.raises(ValueError, match="fields"):
        with_poll_of_milliseconds(interface(fields=1))
