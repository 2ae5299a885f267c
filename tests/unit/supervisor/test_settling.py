"""Files that somebody is writing are waited for, but not for ever."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from supervisor import settling
from supervisor.settling import settle


async def test_old_files_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(seconds: float) -> None:
        raise AssertionError("it waits")

    path = tmp_path / "a"
    path.write_text("x")
    for each in (path, tmp_path):
        os.utime(each, (1, time.time() - 1))
    monkeypatch.setattr(asyncio, "sleep", never)
    assert await settle(lambda: [str(path), str(tmp_path), str(tmp_path / "missing" / "file")]) == set()
    os.utime(path, (1, time.time() + 3600))  # by a machine with another clock
    assert await settle(lambda: [str(path)]) == set()


async def test_a_file_is_waited_for_until_nobody_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    pieces = iter("name=c")

    def write_on() -> list[str]:
        piece = next(pieces, None)
        if piece is not None:
            with path.open("a") as file:
                file.write(piece)
        return [str(path)]

    assert await settle(write_on) == set()
    assert path.read_text() == "name=c"


async def test_a_file_that_was_just_deleted_may_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    path.unlink()
    waiting = asyncio.ensure_future(settle(lambda: [str(path)]))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await waiting == set()


async def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PATIENCE_S", 0.1)
    path = tmp_path / "a"

    def write_on() -> list[str]:
        path.write_text("x")
        return [str(path)]

    assert await settle(write_on) == {str(path)}
