"""The offset file: durable before acknowledged, whole at any instant, errors answered, one worker at a time."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pytest

from supervisor.storage.java_map import read_map, write_map
from supervisor.storage.offset_file import OffsetFile, OffsetFileError, OffsetFileLocked, OffsetStore, canonical

KEY = b'["c",{"filename":"a","part":1}]'
SAME_KEY = b'["c", {"part": 1, "filename": "a"}]'


class HeldFile(OffsetFile):
    """A file whose writes wait until they are let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.go = threading.Event()
        self.writes: list[dict[bytes | None, bytes | None]] = []

    def write(self, entries: Mapping[bytes | None, bytes | None]) -> None:
        assert self.go.wait(10)
        self.writes.append(dict(entries))
        super().write(entries)


def opened(path: Path) -> OffsetStore:
    store = OffsetStore(OffsetFile(path))
    store.open()
    return store


async def test_committed_offsets_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "offsets"
    store = opened(path)
    assert await store.read([KEY]) == [None]
    await store.commit([(KEY, b"1"), (b"other", b"2")])
    assert await store.read([KEY, b"other", b"none"]) == [b"1", b"2", None]
    await store.close()
    again = opened(path)
    assert await again.read([KEY, b"other"]) == [b"1", b"2"]
    await again.close()


async def test_one_partition_is_one_entry_however_its_key_is_written(tmp_path: Path) -> None:
    path = tmp_path / "offsets"
    path.write_bytes(write_map({SAME_KEY: b"1", b"foreign": b"x", None: b"y", b"gone": None}))
    store = opened(path)
    assert await store.read([KEY]) == [b"1"]
    await store.commit([(KEY, b"2")])
    assert await store.read([SAME_KEY]) == [b"2"]
    await store.close()
    assert read_map(path.read_bytes()) == {SAME_KEY: b"2", b"foreign": b"x", None: b"y"}


async def test_none_removes_a_key(tmp_path: Path) -> None:
    store = opened(tmp_path / "offsets")
    await store.commit([(KEY, b"1"), (b"other", b"2")])
    await store.commit([(SAME_KEY, None), (b"unknown", None)])
    assert await store.read([KEY, b"other"]) == [None, b"2"]
    await store.close()
    assert read_map((tmp_path / "offsets").read_bytes()) == {b"other": b"2"}


def test_keys_that_differ_are_different() -> None:
    keys = [
        b'["c",{"a":1}]',
        b'["c",{"a":1.5}]',
        b'["c",{"a":"1"}]',
        b'["c",{"a":12345678901234567890123}]',
        b'["c",{"a":12345678901234567890124}]',
        b"not json",
        b"[1",
        None,
    ]
    assert len({canonical(key) for key in keys}) == len(keys)


async def test_commits_that_arrive_during_a_write_share_the_next_one(tmp_path: Path) -> None:
    file = HeldFile(tmp_path / "offsets")
    store = OffsetStore(file)
    store.open()
    first = store.commit([(b"a", b"0")])
    await asyncio.sleep(0)  # the first write begins
    others = [store.commit([(b"a", str(number).encode()), (str(number).encode(), b"x")]) for number in range(1, 101)]
    assert not any(future.done() for future in (first, *others))
    assert await store.read([b"a"]) == [None]
    file.go.set()
    await asyncio.gather(first, *others)
    assert len(file.writes) == 2
    assert await store.read([b"a", b"57"]) == [b"100", b"x"]
    await store.close()


async def test_closing_waits_for_what_is_being_written(tmp_path: Path) -> None:
    file = HeldFile(tmp_path / "offsets")
    store = OffsetStore(file)
    store.open()
    commit = store.commit([(b"a", b"1")])
    closing = asyncio.ensure_future(store.close())
    await asyncio.sleep(0)
    assert not closing.done()
    file.go.set()
    await closing
    assert commit.done()
    assert OffsetFile(tmp_path / "offsets").read() == {b"a": b"1"}


async def test_a_full_disk_is_answered_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "offsets"
    store = opened(path)
    await store.commit([(b"a", b"1")])

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OffsetFileError, match=f"cannot write the offset file {path}: No space left on device"):
            await store.commit([(b"a", b"2"), (b"b", b"3")])
    assert await store.read([b"a", b"b"]) == [b"1", None]
    assert OffsetFile(path).read() == {b"a": b"1"}
    await store.commit([(b"b", b"3")])
    await store.close()
    assert OffsetFile(path).read() == {b"a": b"1", b"b": b"3"}


async def test_a_folder_that_is_missing_is_named_by_the_commit_and_may_come_later(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "offsets"
    store = opened(path)
    with pytest.raises(OffsetFileError, match=f"{path}: No such file or directory"):
        await store.commit([(b"a", b"1")])
    path.parent.mkdir()
    await store.commit([(b"a", b"1")])
    assert OffsetFile(path).read() == {b"a": b"1"}
    await store.close()


async def test_permissions_and_links_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(write_map({b"a": b"1"}))
    target.chmod(0o640)
    link.symlink_to(target)
    store = opened(link)
    await store.commit([(b"a", b"2")])
    await store.close()
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert OffsetFile(target).read() == {b"a": b"2"}


async def test_two_workers_cannot_share_a_file(tmp_path: Path) -> None:
    store = opened(tmp_path / "offsets")
    with pytest.raises(OffsetFileLocked, match=f"another worker uses the offset file {tmp_path / 'offsets'}"):
        opened(tmp_path / "offsets")
    await store.close()
    await opened(tmp_path / "offsets").close()


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "offsets"
    path.write_text("notes of somebody")
    with pytest.raises(OffsetFileError, match=f"{path} is not an offset file of Kafka Connect"):
        opened(path)
    assert path.read_text() == "notes of somebody"


def test_an_empty_file_is_a_beginning_as_in_java(tmp_path: Path) -> None:
    (tmp_path / "offsets").touch()
    assert OffsetFile(tmp_path / "offsets").read() == {}


# Forks a writer a round, so that the imports are paid for once; the next round begins when the writer was killed.
WRITERS = textwrap.dedent(
    """
    import asyncio, os, sys
    from pathlib import Path
    from supervisor.storage.offset_file import OffsetFile, OffsetStore

    async def write():
        store = OffsetStore(OffsetFile(Path(sys.argv[1])))
        store.open()
        number = int((await store.read([b"number"]))[0] or b"0")
        while True:
            number += 1
            padding = b"x" * (number * 997 % 5000)
            await store.commit([(b"number", str(number).encode()), (b"padding", padding)])
            print(number, flush=True)

    for _ in range(int(sys.argv[2])):
        pid = os.fork()
        if pid == 0:
            asyncio.run(write())
        print("pid", pid, flush=True)
        os.waitpid(pid, 0)
        print("dead", flush=True)
    """
)


def test_kill_9_at_any_instant_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path, rounds = tmp_path / "offsets", 20
    command = [sys.executable, "-c", WRITERS, str(path), str(rounds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writers:
        assert writers.stdout is not None
        for round in range(rounds):
            acknowledged = _killed_after(writers.stdout, 1 + round % 7)
            stored = OffsetFile(path).read()
            number = int(stored[b"number"] or 0)
            assert number >= acknowledged
            assert stored[b"padding"] == b"x" * (number * 997 % 5000)


def _killed_after(lines: IO[str], commits: int) -> int:
    """Kill the writer of this round after so many commits; the highest number that it said was durable."""
    pid, acknowledged = 0, 0
    for line in lines:
        words = line.split()
        if words[0] == "dead":
            break
        if words[0] == "pid":
            pid = int(words[1])
        else:
            acknowledged = max(acknowledged, int(words[0]))
            commits -= 1
        if pid and commits <= 0:
            os.kill(pid, signal.SIGKILL)
            commits = 1 << 30
    return acknowledged
