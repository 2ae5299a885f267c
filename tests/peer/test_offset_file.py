"""The offset file goes from Java's worker to ours and back without losing an offset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from supervisor.storage.offset_file import OffsetFile
from tests.peer.jvm import compile_java, run_java
from tests.support.offset_vectors import EMPTY, ONE, TWICE

ENTRIES = {
    f'["connector-{number}",{{"filename":"ä/{number}","table":null}}]'.encode(): b'{"position":%d}' % number
    for number in range(1000)
}


def java(file: Path, what: str, lines: list[str]) -> list[str]:
    classes = compile_java(Path(__file__).with_name("OffsetFile.java"))
    return run_java("OffsetFile", str(file), what, stdin="\n".join(lines).encode(), classes=[classes]).decode().split()


def as_lines(entries: Mapping[bytes, bytes]) -> list[str]:
    return [f"{key.hex()} {value.hex()}" for key, value in entries.items()]


def test_java_reads_what_we_write(tmp_path: Path) -> None:
    file = OffsetFile(tmp_path / "offsets")
    file.write(ENTRIES)
    keys = [key.hex() for key in (*ENTRIES, b"missing")]
    assert java(file.path, "read", keys) == [*(value.hex() for value in ENTRIES.values()), "null"]


def test_we_read_what_java_writes_and_java_goes_on_with_it(tmp_path: Path) -> None:
    file = OffsetFile(tmp_path / "offsets")
    java(file.path, "write", as_lines(ENTRIES))
    ours = file.read()
    assert ours == ENTRIES
    changed = next(iter(ENTRIES))
    file.write({**ours, changed: b'{"position":-1}'})
    java(file.path, "write", as_lines({b'["new",{}]': b"{}"}))
    assert file.read() == {**ENTRIES, changed: b'{"position":-1}', b'["new",{}]': b"{}"}


def test_our_bytes_are_javas_bytes() -> None:
    classes = compile_java(Path(__file__).with_name("OffsetFile.java"))
    assert run_java("OffsetFile", "vectors", classes=[classes]).decode().split() == [
        vector.hex() for vector in (EMPTY, ONE, TWICE)
    ]
