"""Which static members leave their groups: those whose tasks nobody takes over at once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import supervisor.units.memberships
from supervisor.units.lifecycle import UnitId
from tasks.states import State, TargetState
from tests.support.herder_world import World, world
from tests.support.processes import until

JOINING = {f"task_{number}_joins": f"g/g-{number}" for number in range(3)}
ALL = {"g/g-0", "g/g-1", "g/g-2"}


class Sinks:
    """A connector `c` with three tasks, static members of one group."""

    def __init__(self, here: World, left: Path) -> None:
        self.here = here
        self._file = left

    @property
    def calls(self) -> list[set[str]]:
        """The members that left together."""
        return [set(line.split()) for line in self._file.read_text().splitlines()] if self._file.exists() else []

    @property
    def left(self) -> list[str]:
        """All that left, in order."""
        return [member for call in self.calls for member in sorted(call)]

    async def put(self, **config: str) -> None:
        await self.here.put(**{"tasks": "3", **JOINING, **config})

    async def kill(self, task: str) -> None:
        """Kill its process; returns when that is known."""
        killed = self.here.pids()[task]
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until(lambda: self.here.pids()[task] != killed, f"{task} is dead")


@contextlib.asynccontextmanager
async def sinks(folder: Path, **worker_config: str) -> AsyncIterator[Sinks]:
    async with world(folder, left_file=str(folder / "left"), **worker_config) as here:
        found = Sinks(here, folder / "left")
        await found.put()
        await here.running("c-0", "c-1", "c-2")
        yield found


async def test_those_of_a_connector_that_is_removed(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        await c.here.herder.remove("c")
        await until(lambda: sorted(c.left) == sorted(ALL), "all have left")


async def test_those_of_a_connector_that_is_stopped(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        await c.here.herder.set_target_state("c", TargetState.STOPPED)
        await until(lambda: sorted(c.left) == sorted(ALL), "all have left")


async def test_those_that_are_too_many(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        await c.put(tasks="1")
        await until(lambda: sorted(c.left) == ["g/g-1", "g/g-2"], "two have left")
        await c.here.running("c-0")
    assert c.left[2:] == ["g/g-0"]


async def test_all_when_the_worker_stops_and_by_few_children(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        assert c.calls == []
    assert sorted(c.left) == sorted(ALL)
    assert len(c.calls) <= 2


async def test_one_whose_process_was_dead_when_its_connector_was_removed(tmp_path: Path) -> None:
    async with sinks(tmp_path, task_restart_backoff_ms="3600000", task_restart_backoff_max_ms="3600000") as c:
        await c.kill("c-1")
        await c.here.running("c-0", "c-1", "c-2")  # the first restart is immediate
        await c.kill("c-1")
        assert c.left == []
        await c.here.herder.remove("c")
        await until(lambda: sorted(c.left) == sorted(ALL), "all have left")


async def test_one_that_failed_for_good(tmp_path: Path) -> None:
    async with sinks(tmp_path, task_restart_policy="never") as c:
        await c.kill("c-1")
        await until(lambda: c.left == ["g/g-1"], "the others get its partitions")
        assert c.here.status("c", 1).state is State.FAILED


async def test_none_that_is_replaced_or_paused(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        await c.kill("c-1")
        await c.here.running("c-0", "c-1", "c-2")
        await c.here.herder.restart("c", include_tasks=True)
        await c.here.running("c-0", "c-1", "c-2")
        await c.put(each_key="another value")
        await until(lambda: c.here.states("c-2").count(State.RUNNING) == 3, "there are new processes")
        await c.here.herder.set_target_state("c", TargetState.PAUSED)
        await until(lambda: c.here.status("c", 2).state is State.PAUSED, "it is paused")
        assert c.left == []


async def test_one_that_joins_another_group(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        await c.put(task_1_joins="h/h-1")
        await until(lambda: c.left == ["g/g-1"], "the old member has left")
    assert sorted(c.left) == ["g/g-0", "g/g-1", "g/g-2", "h/h-1"]


async def test_a_successor_waits_until_its_predecessor_has_left(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        await c.here.herder.remove("c")
        await c.put()
        await until(lambda: c.here.states("c-0").count(State.RUNNING) == 2, "the successor runs")
        assert sorted(c.left) == sorted(ALL)


async def test_a_child_that_hangs_delays_the_end_but_does_not_prevent_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor.units.memberships, "INQUIRY_TIMEOUT_S", 0.1)
    with capture_logs() as logs:
        async with sinks(tmp_path, leaving="hang") as c:
            pass
    assert c.left == []
    assert {entry["why"][0] for entry in logs if "did not leave" in entry["event"]} == {
        "leaving groups hung: no answer after 0.1 s"
    }


async def test_what_kafka_refuses_is_said(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with sinks(tmp_path, leaving_problem="yes") as c:
            await c.put(tasks="2")
            await until(lambda: c.left == ["g/g-2"], "one has left")
    (first, *_) = [entry for entry in logs if "did not leave" in entry["event"]]
    assert (first["log_level"], first["why"]) == ("warning", ["g/g-2: stays"])


async def test_those_that_move_to_another_worker_leave_later_and_only_if_they_were_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor.units.memberships, "TAKEOVER_S", 0.2)
    joining = {f"task_{number}_joins": f"g/g-{number}/member-{number}" for number in range(3)}
    async with world(tmp_path, left_file=str(tmp_path / "left")) as here:
        c = Sinks(here, tmp_path / "left")
        await here.put(tasks="3", **joining)
        await here.running("c-0", "c-1", "c-2")
        worker = here.herder.worker
        connectors = {name: unit.spec for name, unit in worker.connectors.items()}
        tasks = {id: unit.spec for id, unit in worker.tasks.items() if id.task != 2}
        worker.apply(connectors, {}, moving=tasks.keys())
        await worker.ended([UnitId("c", number) for number in range(3)])
        assert c.left == ["g/g-2"]  # its number is gone for good, whoever has it
        await until(lambda: sorted(c.left[1:]) == ["g/g-0/member-0", "g/g-1/member-1"], "the others were asked for")


@pytest.mark.parametrize("returns", [False, True])
async def test_those_that_move_to_another_worker_leave_at_once_if_this_one_ends(tmp_path: Path, returns: bool) -> None:
    joining = {f"task_{number}_joins": f"g/g-{number}/member-{number}" for number in range(3)}
    async with world(tmp_path, left_file=str(tmp_path / "left")) as here:
        c = Sinks(here, tmp_path / "left")
        await here.put(tasks="3", **joining)
        await here.running("c-0", "c-1", "c-2")
        worker = here.herder.worker
        kept = {id: unit.spec for id, unit in worker.tasks.items() if id.task == 2}
        worker.apply({name: unit.spec for name, unit in worker.connectors.items()}, kept, moving=set(worker.tasks))
        await worker.ended([UnitId("c", 0)])  # the other may be on its way out
        await worker.stop(returns=returns)
        stays = [] if returns else ["g/g-2"]
        assert sorted(c.left) == sorted(["g/g-0/member-0", "g/g-1/member-1", *stays])


async def test_none_if_the_worker_comes_back_soon(tmp_path: Path) -> None:
    async with sinks(tmp_path) as c:
        await c.here.herder.worker.stop(returns=True)
    assert c.left == []
