"""The last lines: bounded in number and bytes, in order, of the units that are asked for; and those who follow."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator

import pytest

from supervisor.logs.followers import MAX_WAITING_BYTES, Followers
from supervisor.logs.lines import in_order, make_line, shown
from supervisor.logs.tails import MAX_BYTES, Tail, Tails
from supervisor.rest.log_streams import Merged, Rows
from supervisor.units.lifecycle import UnitId

TASK = UnitId("c", 0)


@pytest.mark.parametrize("keep", [1, 10, 63, 64, 65, 200, 1000])
def test_of_any_number_of_lines_the_last_ones_are_kept(keep: int) -> None:
    tail, lines = Tail(keep), [b"line %d" % number for number in range(1500)]
    for number, line in enumerate(lines):
        tail.add(line)
        if number % 97 == 0:
            assert tail.lines() == lines[max(0, number + 1 - keep) : number + 1]
    assert tail.lines() == lines[-keep:]


def test_long_lines_are_bounded_in_bytes() -> None:
    tail, noise = Tail(10_000), random.Random(1)
    for _ in range(2000):
        tail.add(noise.randbytes(3000).replace(b"\n", b""))
    kept = tail.lines()
    assert 0.8 * MAX_BYTES < sum(map(len, kept)) <= MAX_BYTES
    tail.add(b"x" * MAX_BYTES)  # one that is longer than all that may be kept is not
    assert tail.lines() == kept


def test_lines_about_a_unit_are_its_own_whoever_logs_them() -> None:
    tails = Tails()
    for unit in (UnitId("c"), TASK, UnitId("d")):
        tails.set_size(unit, 5)
    tails.listen(make_line("info", "supervisor", "of the task", connector="c", task=0))
    tails.listen(make_line("info", "supervisor", "of the connector", connector="c"))
    tails.listen(make_line("info", "supervisor", "of nothing"))
    tails.listen(make_line("info", "supervisor", "of what is not known", connector="e"))
    tails.listen(b'{"connector":["not", "a", "name"]}')
    tails.add(TASK, make_line("info", "x", "by the task"))
    assert messages(tails, "c", 0) == ["of the task", "by the task"]
    assert sorted(messages(tails, "c")) == ["by the task", "of the connector", "of the task"]
    assert messages(tails, "d") == messages(tails, "e") == []


def test_tasks_that_are_gone_are_remembered_as_long_as_their_connector() -> None:
    tails = Tails()
    for unit in (UnitId("c"), TASK):
        tails.set_size(unit, 5)
    tails.add(TASK, make_line("info", "x", "said"))
    tails.forget(TASK)
    assert messages(tails, "c") == ["said"]
    tails.forget(UnitId("c"))
    assert not tails.lines("c")
    tails.set_size(TASK, 5)  # of a connector that another worker runs
    tails.forget(TASK)
    assert not tails.lines("c")


def messages(tails: Tails, connector: str, task: int | None = None) -> list[str]:
    return [json.loads(line)["message"] for tail in tails.lines(connector, task) for line in tail]


def test_lines_of_one_stay_in_their_order() -> None:
    assert in_order([["b1", "a2", "c3"], ["b4", "d5"]], lambda line: line[0]) == ["b1", "a2", "b4", "c3", "d5"]


def test_a_line_is_shown_with_log4js_level_and_what_else_it_says() -> None:
    line = shown(json.loads(make_line("critical", "x", "m", connector="c", task=1, pid=5, queue="q")), "w:1")
    assert (line.level, line.task, line.pid, line.worker_id, line.fields) == ("FATAL", 1, 5, "w:1", {"queue": "q"})


# --- following --------------------------------------------------------------------------------------------------------


async def test_who_follows_a_task_gets_its_lines_and_no_others() -> None:
    followers = Followers()
    of_task, of_all = followers.open("c", 0), followers.open("c", None)
    for unit, line in ((TASK, b"0"), (UnitId("c", 1), b"1"), (UnitId("c"), b"c"), (UnitId("d"), b"d")):
        followers.add(unit, line)
    assert await of_task.take(5) == [b"0"]
    assert await of_all.take(5) == [b"0", b"1", b"c"]
    assert await of_task.take(0.01) == []
    followers.close(of_task)
    followers.add(TASK, b"2")
    assert await of_all.take(5) == [b"2"]
    assert await of_task.take(0.01) == []
    followers.end_all()
    assert await of_all.take(5) is None


async def test_who_reads_too_slowly_is_told_how_many_lines_were_left_out() -> None:
    followers = Followers()
    follower = followers.open("c", 0)
    for _ in range(100):
        followers.add(TASK, b"x" * (MAX_WAITING_BYTES // 10))
    *lines, note = await follower.take(5) or []
    assert len(lines) == 10
    assert json.loads(note)["message"] == "90 lines were left out: they were not read in time"
    assert (json.loads(note)["connector"], json.loads(note)["task"]) == ("c", 0)
    followers.add(TASK, b"fresh")
    assert await follower.take(5) == [b"fresh"]


async def test_streams_of_workers_are_one_that_ends_with_our_own() -> None:
    end = asyncio.Event()

    async def own(lines: int) -> AsyncGenerator[Rows]:
        yield [b'{"timestamp":"2026-01-01T00:00:02.000000Z"}']
        yield []
        await end.wait()
        yield [b"ours"]

    async def other(lines: int) -> AsyncGenerator[Rows]:
        yield [b'{"timestamp":"2026-01-01T00:00:01.000000Z"}', b'{"timestamp":"2026-01-01T00:00:03.000000Z"}']
        yield [b"theirs"]
        await asyncio.sleep(60)

    async def broken(lines: int) -> AsyncGenerator[Rows]:
        raise ConnectionError
        yield []

    chunks = Merged(2, own, lambda: {"other": other, "broken": broken}).chunks()
    first = (await anext(chunks)).splitlines()
    assert [line and json.loads(line)["timestamp"][17:19] for line in first] == ["02", "03", b""]
    assert {await anext(chunks), await anext(chunks)} == {b"", b"theirs\n"}
    end.set()
    assert [chunk async for chunk in chunks] == [b"ours\n"]
