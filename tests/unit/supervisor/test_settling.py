"""Files that somebody is writing are waited for, but not for ever."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from supervisor.configuration import settling
from supervisor.configuration.settling import read_settled


def none(result: object) -> list[str]:
    """Nothing is wrong."""
    return []


def nothing() -> None:
    """In the place of reading."""


async def test_old_files_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(seconds: float) -> None:
        raise AssertionError("it waits")

    path = tmp_path / "a"
    path.write_text("x")
    for each in (path, tmp_path):
        os.utime(each, (1, time.time() - 1))
    monkeypatch.setattr(asyncio, "sleep", never)
    paths = [str(path), str(tmp_path), str(tmp_path / "missing" / "file")]
    assert await read_settled(lambda: paths, path.read_text, none) == ("x", set())
    os.utime(path, (1, time.time() + 3600))  # by a machine with another clock
    assert await read_settled(lambda: paths, path.read_text, none) == ("x", set())


async def test_a_file_is_waited_for_until_nobody_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    pieces = iter("name=c")

    def write_on() -> list[str]:
        piece = next(pieces, None)
        if piece is not None:
            with path.open("a") as file:
                file.write(piece)
        return [str(path)]

    assert await read_settled(write_on, path.read_text, none) == ("name=c", set())


async def test_a_file_that_is_written_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    os.utime(path, (1, 1))
    writes = iter(["half", "whole"])

    def read() -> str:
        text = path.read_text()
        if (new := next(writes, None)) is not None:
            path.write_text(new)
        return text

    assert await read_settled(lambda: [str(path)], read, none) == ("whole", set())


async def test_what_makes_no_sense_may_be_half_of_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SETTLED_S", 0.0)
    path = tmp_path / "a"
    path.write_text("")
    texts = []

    def read() -> str:
        texts.append(path.read_text())
        if len(texts) == 3:
            path.write_text("whole")
        return texts[-1]

    def wrong(text: str) -> list[str]:
        return [] if text else [str(path)]

    assert await read_settled(lambda: [str(path)], read, wrong) == ("whole", set())
    path.write_text("")
    os.utime(path, (1, 1))  # it was empty all the time
    assert await read_settled(lambda: [str(path)], path.read_text, wrong) == ("", set())


async def test_a_file_that_was_just_deleted_may_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    path.unlink()
    reading = asyncio.ensure_future(read_settled(lambda: [str(path)], path.exists, none))
    await asyncio.sleep(0)
    path.write_text("y")
    assert await reading == (True, set())


async def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PATIENCE_S", 0.1)
    path = tmp_path / "a"

    def write_on() -> list[str]:
        path.write_text("x")
        return [str(path)]

    assert await read_settled(write_on, nothing, none) == (None, {str(path)})
