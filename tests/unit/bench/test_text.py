"""The demo's text: whole lines in UTF-8, from whatever the sources are written in."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from bench import text
from bench.processes import RunFailed


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    return tmp_path


def test_lines_end_alike_and_every_file_is_read_in_its_own_encoding(library: Path) -> None:
    (library / "a.py").write_bytes(b"one\r\ntwo\rthree")
    (library / "b.py").write_bytes("# coding: latin-1\nä\n".encode("latin-1"))
    (library / "broken.py").write_bytes(b"\xff\xfe\n")
    (library / "site-packages").mkdir()
    (library / "site-packages" / "other.py").write_text("not of the library\n")

    found = text.library_text(5)

    assert found.content.decode() == "one\ntwo\nthree\n# coding: latin-1\nä\n"
    assert (found.lines, found.files) == (5, 2)
    assert found.lines_in(len(b"one\ntwo\nth")) == 2


def test_a_small_library_is_read_again(library: Path) -> None:
    (library / "a.py").write_text("line\n")
    assert text.library_text(3).content == b"line\n" * 3


def test_a_python_without_sources_is_an_error(library: Path) -> None:
    (library / "broken.py").write_bytes(b"\xff\xfe\n")
    with pytest.raises(RunFailed, match="no Python sources"):
        text.library_text(1)


def test_this_machine_has_enough_of_it() -> None:
    found = text.library_text(1000)
    assert found.lines == found.content.count(b"\n") >= 1000
    assert b"\r" not in found.content
