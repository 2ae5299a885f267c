"""Java's serialized map: what is written is read again, other writers' variants are understood, damage is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.storage.java_map import JavaFormatError, read_map, write_map
from tests.support.offset_vectors import EMPTY, ONE, TWICE

maps = st.dictionaries(st.none() | st.binary(max_size=40), st.none() | st.binary(max_size=40), max_size=30)


@given(maps)
def test_what_is_written_is_read(entries: dict[bytes | None, bytes | None]) -> None:
    assert read_map(write_map(entries)) == entries


def test_bytes_are_those_of_java() -> None:
    assert write_map({}) == EMPTY
    assert write_map({b"k": b"v"}) == ONE


def test_an_array_that_occurs_twice_is_a_reference() -> None:
    assert read_map(TWICE) == {b"k": b"k"}


@given(maps, st.data())
def test_a_torn_file_is_never_taken_for_a_whole_one(
    entries: dict[bytes | None, bytes | None], data: st.DataObject
) -> None:
    whole = write_map(entries)
    length = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(JavaFormatError):
        read_map(whole[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 a zip", "does not begin like a serialized Java object"),
        (b"\xac\xed\x00\x05\x74\x00\x01a", "holds no object"),
        (ONE.replace(b"java.util.HashMap", b"java.util.TreeMap"), "holds a java.util.TreeMap"),
        (ONE.replace(b"\x00\x02[B", b"\x00\x02[I"), r"a key or value is a \[I"),
        (ONE.replace(b"\x71\x00\x7e\x00\x02", b"\x71\x00\x7e\x00\x63"), "a reference points at nothing"),
        (ONE.replace(b"u\x71\x00\x7e\x00\x02", b"\x74\x00\x01a\x00\x00"), "a key or value is no byte array"),
        (ONE[:-1] + b"\x70", "more in the map than its size says"),
    ],
)
def test_what_is_no_such_map_is_named(data: bytes, message: str) -> None:
    with pytest.raises(JavaFormatError, match=message):
        read_map(data)
