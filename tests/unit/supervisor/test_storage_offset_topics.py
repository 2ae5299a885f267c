"""Offsets of connectors with a topic for themselves: where they are looked for, and in which order they are written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from connectd.errors import ConnectException
from supervisor.storage.offset_file import Entries
from supervisor.storage.offset_topics import OffsetTopics
from tests.support.processes import until

OWN = {"name": "c", "offsets.storage.topic": "own"}
KEY, OTHER = b'["c",{"p":1}]', b'["c",{"p":2}]'


class Topic:
    """Keeps what is written; `may_start` and `may_write` hold it up, `error` makes it fail."""

    def __init__(self, name: str, journal: list[tuple[str, str]]) -> None:
        self.name = name
        self.values: dict[bytes, bytes] = {}
        self.may_start, self.may_write = asyncio.Event(), asyncio.Event()
        self.may_start.set()
        self.may_write.set()
        self.error: ConnectException | None = None
        self._journal = journal

    async def start(self) -> None:
        self._journal.append((self.name, "started"))
        await self.may_start.wait()
        self._raise()

    async def stop(self) -> None:
        self._journal.append((self.name, "stopped"))

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self._raise()
        return [self.values.get(key) for key in keys]

    async def entries_of(self, connector: str) -> Sequence[tuple[bytes, bytes]]:
        self._raise()
        return [*self.values.items()]

    def commit(self, entries: Entries) -> asyncio.Future[None]:
        self._journal.append(
            (self.name, ",".join(f"{key.decode()[-3]}={(value or b'-').decode()}" for key, value in entries))
        )
        return asyncio.ensure_future(self._write(entries))

    async def _write(self, entries: Entries) -> None:
        await self.may_write.wait()
        self._raise()
        for key, value in entries:
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error


class Topics:
    """The worker's topic and those of connectors, with what happened to them."""

    def __init__(self) -> None:
        self.journal: list[tuple[str, str]] = []
        self.shared, self.own = Topic("shared", self.journal), Topic("own", self.journal)
        self.all = OffsetTopics("shared", self.shared, self._open)
        self.offsets = self.all.of(OWN)

    def _open(self, topic: str) -> Topic:
        assert topic == "own"
        return self.own

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [each for each in self.journal if "=" in each[1]]


@pytest.mark.parametrize("config", [{}, {"offsets.storage.topic": "shared"}, {"offsets.storage.topic": " "}])
async def test_without_a_topic_for_itself_a_connector_has_the_workers(config: dict[str, str]) -> None:
    it = Topics()
    assert it.all.of(config) is it.shared


async def test_its_own_topic_comes_first_and_then_the_workers() -> None:
    it = Topics()
    it.shared.values = {KEY: b"old", OTHER: b"other"}
    it.own.values = {KEY: b"new"}
    assert await it.offsets.read([OTHER, KEY, b'["c",{}]']) == [b"other", b"new", None]
    it.own.values = {b'["c", {"p":1}]': b"new"}
    assert sorted(await it.offsets.entries_of("c")) == [(b'["c", {"p":1}]', b"new"), (OTHER, b"other")]


async def test_offsets_are_written_to_both_and_those_that_are_removed_are_removed_from_the_workers_first() -> None:
    it = Topics()
    await it.offsets.commit([(KEY, b"1"), (OTHER, b"2")])
    assert it.writes == [("own", "1=1,2=2"), ("shared", "1=1,2=2")]
    await it.offsets.commit([(KEY, None), (OTHER, b"3")])
    assert it.writes[2:] == [("shared", "1=-"), ("own", "1=-,2=3"), ("shared", "2=3")]


async def test_what_is_not_in_its_own_topic_is_not_committed_and_not_in_the_workers() -> None:
    it = Topics()
    it.own.error = ConnectException("full")
    with pytest.raises(ConnectException, match="full"):
        await it.offsets.commit([(KEY, b"1")])
    assert "shared" not in dict(it.writes)


async def test_what_is_not_removed_from_the_workers_topic_stays_in_its_own() -> None:
    it = Topics()
    it.shared.error = ConnectException("full")
    with pytest.raises(ConnectException, match="full"):
        await it.offsets.commit([(KEY, None)])
    assert "own" not in dict(it.writes)


async def test_that_the_workers_topic_does_not_have_them_is_only_logged() -> None:
    it = Topics()
    it.shared.error = ConnectException("full")
    with capture_logs() as logs:
        await it.offsets.commit([(KEY, b"1")])
        await until(lambda: logs, "it is said")
    assert logs[0]["event"] == "offsets of a connector with a topic for itself are not in the worker's topic, too: full"


async def test_commits_keep_their_order_while_the_topic_is_being_read() -> None:
    it = Topics()
    it.own.may_start.clear()
    commits = [it.offsets.commit([(KEY, str(number).encode())]) for number in range(3)]
    await until(lambda: it.journal == [("own", "started")], "it is being read, once")
    it.own.may_start.set()
    await asyncio.gather(*commits)
    assert [what for name, what in it.writes if name == "own"] == ["1=0", "1=1", "1=2"]


async def test_a_topic_that_could_not_be_read_is_tried_again() -> None:
    it = Topics()
    it.own.error = ConnectException("refused")
    with pytest.raises(ConnectException, match="refused"):
        await it.offsets.read([KEY])
    it.own.error = None
    assert await it.offsets.read([KEY]) == [None]


async def test_a_topic_is_closed_when_no_connector_has_it_any_more_and_nobody_waits_for_it() -> None:
    it = Topics()
    it.own.may_write.clear()
    commit = it.offsets.commit([(KEY, b"1")])
    await until(lambda: it.writes, "it is being written")
    it.all.close_unused([])
    it.own.may_write.set()
    await commit
    assert ("own", "stopped") not in it.journal
    it.all.close_unused([OWN])
    await asyncio.sleep(0)
    assert ("own", "stopped") not in it.journal
    it.all.close_unused([{}])
    await until(lambda: ("own", "stopped") in it.journal, "it is closed")
    await it.offsets.read([KEY])
    assert [what for name, what in it.journal if name == "own" and what == "started"] == ["started"] * 2
    await it.all.stop()
    assert it.journal[-2:] == [("shared", "stopped"), ("own", "stopped")]
