"""The standalone herder with real processes that only pretend to be tasks: who runs, who is restarted, who is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from multiprocess import forkserver

from connectd.errors import AlreadyExistsException, NotFoundException
from supervisor.herder.errors import InvalidConnector
from supervisor.inquiries.inquiry import InquiryFailed
from supervisor.processes.process import Child
from supervisor.storage.offset_file import OffsetFile
from supervisor.units.lifecycle import UnitId
from tasks.states import State, TargetState
from tests.support.herder_world import world
from tests.support.processes import alive, until

FAST = {"task_restart_backoff_ms": "20", "task_restart_backoff_max_ms": "20"}


async def test_a_connector_is_planned_and_its_tasks_run(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        assert await here.herder.submit({"name": "c", "tasks": "3"})
        await here.running("c-0", "c-1", "c-2")
        status = here.herder.status("c")
        assert (status.connector.state, status.type) == (State.RUNNING, "source")
        assert [task.id for task in status.tasks] == [0, 1, 2]
        assert all(pid is not None and alive(pid) for pid in here.pids().values())
        # Nothing is left of a connector that does not watch its source.
        await until(lambda: here.status("c").pid is None, "the connector's process is released")


async def test_what_is_wrong_is_refused_and_starts_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        with pytest.raises(
            InvalidConnector, match=r"connector c is invalid: wrong.key: it is wrong; task.restart.max: "
        ):
            await here.put(wrong_key="x", task_restart_max="many")
        with pytest.raises(InquiryFailed, match="validation ended its process: exit code 7"):
            await here.put(validate="exit 7")
        assert not here.herder.connectors()
        assert not here.history


async def test_a_validation_that_hangs_has_a_deadline(tmp_path: Path) -> None:
    async with world(tmp_path, connector_hang_timeout_ms="60000") as here:
        here.pool.expect_work(True)
        await until(lambda: here.pool.spare_count, "a process is warm")
        with pytest.raises(InquiryFailed, match=r"validation hung: no answer after 0\.1 s"):
            await here.put(validate="hang", connector_hang_timeout_ms="100")


async def test_a_killed_task_is_replaced_and_its_siblings_notice_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(tasks="3")
        await here.put("other")
        await here.running("c-0", "c-1", "c-2", "other-0")
        before = here.pids()
        killed = before["c-1"]
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until(
            lambda: here.pids()["c-1"] not in (killed, None) and here.status("c", 1).state is State.RUNNING,
            "c-1 is back",
        )
        assert {**here.pids(), "c-1": killed} == before
        (trace,) = [trace for unit, state, trace in here.history if unit == "c-1" and state is State.RESTARTING]
        assert trace == "The process of c-1 ended: killed by SIGKILL\nRestart at once."


async def test_a_lost_forkserver_costs_no_task(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(tasks="3")
        await here.running("c-0", "c-1", "c-2")
        before = here.pids()
        os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
        await until(lambda: not set(here.pids().values()) & {*before.values(), None}, "all tasks have new processes")
        await here.running("c-0", "c-1", "c-2")
        assert not any(pid is not None and alive(pid) for pid in before.values())


async def test_a_task_that_always_fails_is_given_up_with_its_history(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(
            each_fails="Traceback\nValueError: boom",
            task_restart_max="2",
            **FAST,
        )
        await until(lambda: here.herder.worker.tasks and here.status("c", 0).state is State.FAILED, "it is given up")
        assert here.states("c-0") == [State.UNASSIGNED, State.RESTARTING, State.RESTARTING, State.FAILED]
        trace = here.status("c", 0).trace
        assert trace is not None
        assert trace.startswith("Traceback\nValueError: boom\nGiven up after 2 restarts within 600 s")
        assert trace.count("ValueError: boom") == 3


@pytest.mark.parametrize(
    "config", [{"each_config_error": "yes"}, {"task_restart_policy": "never"}, {"task_restart_policy": "on-crash"}]
)
async def test_some_failures_are_not_tried_again(tmp_path: Path, config: dict[str, str]) -> None:
    async with world(tmp_path) as here:
        await here.put(each_fails="ValueError: boom", **config)
        await until(lambda: here.herder.worker.tasks and here.status("c", 0).state is State.FAILED, "it has failed")
        assert here.states("c-0") == [State.UNASSIGNED, State.FAILED]
        assert here.status("c", 0).trace == "ValueError: boom"
        assert here.status("c").state is State.RUNNING


async def test_a_failed_task_is_restarted_on_request(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(tasks="2", task_1_start="exit 5", task_restart_policy="never")
        await until(
            lambda: here.statuses.get(UnitId("c", 1)) and here.status("c", 1).state is State.FAILED, "c-1 failed"
        )
        await until(lambda: here.status("c", 0).state is State.RUNNING, "c-0 runs")
        pid = here.pids()["c-0"]
        await here.herder.restart("c", include_tasks=True, only_failed=True)
        assert here.status("c", 1).state is State.RESTARTING
        await until(lambda: here.status("c", 1).state is State.FAILED, "c-1 failed again")
        assert here.pids()["c-0"] == pid
        await here.herder.restart_task("c", 0)
        await until(lambda: here.pids()["c-0"] not in (pid, None), "c-0 has a new process")


async def test_pausing_keeps_the_processes(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(tasks="2")
        await here.running("c-0", "c-1")
        before = here.pids()
        await here.herder.set_target_state("c", TargetState.PAUSED)
        await until(
            lambda: {status.state for status in here.statuses.all.values()} == {State.PAUSED}, "everything is paused"
        )
        await here.herder.set_target_state("c", TargetState.STARTED)
        await here.running("c-0", "c-1")
        await until(lambda: here.status("c").state is State.RUNNING, "the connector runs")
        assert here.pids() == before


async def test_stopping_ends_the_tasks_until_it_resumes(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(watching="true")
        await here.running("c-0")
        watching, task = here.status("c").pid, here.pids()["c-0"]
        assert watching is not None
        assert task is not None
        await here.herder.set_target_state("c", TargetState.STOPPED)
        await until(lambda: here.status("c").state is State.STOPPED, "it is stopped")
        assert here.herder.status("c").tasks == []
        await until(lambda: not alive(watching) and not alive(task), "its processes are gone")
        await here.herder.set_target_state("c", TargetState.STARTED)
        await here.running("c-0")


async def test_a_connector_may_be_created_stopped(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.herder.submit({"name": "c"}, TargetState.STOPPED)
        await until(lambda: here.status("c").state is State.STOPPED, "it is stopped")
        assert here.states("c") == [State.UNASSIGNED, State.STOPPED]
        await here.put(tasks="2")  # a new configuration leaves it stopped
        await until(lambda: here.status("c").state is State.STOPPED, "it is stopped")
        assert not here.herder.worker.tasks


async def test_a_new_plan_restarts_only_the_tasks_that_it_changes(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        go = tmp_path / "go"
        await here.put(tasks="2", watching="true", replan_when=str(go), replan_tasks="3")
        await here.running("c-0", "c-1")
        before = here.pids()
        go.touch()
        await here.running("c-0", "c-1", "c-2")
        assert {id: here.pids()[id] for id in before} == before


async def test_a_changed_configuration_restarts_its_own_tasks(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(tasks="2")
        await here.put("other")
        await here.running("c-0", "c-1", "other-0")
        before = here.pids()
        assert not (await here.herder.submit({"name": "c", "tasks": "1", "new": "key"})).created
        await until(
            lambda: here.pids().keys() == {"c-0", "other-0"} and here.pids()["c-0"] != before["c-0"],
            "c has one new task",
        )
        await here.running("c-0", "other-0")
        assert here.pids()["other-0"] == before["other-0"]
        await until(lambda: not any(alive(before[id] or 0) for id in ("c-0", "c-1")), "the old processes are gone")


async def test_submitting_the_same_again_changes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(tasks="2")
        await here.running("c-0", "c-1")
        before, count = here.pids(), len(here.history)
        await here.put(tasks="2")
        assert here.pids() == before
        assert len(here.history) == count
        with pytest.raises(AlreadyExistsException, match="Connector c already exists"):
            await here.herder.submit({"name": "c"}, replace=False)


async def test_removing_and_creating_again_never_runs_twice(tmp_path: Path) -> None:
    async with world(tmp_path, graceful_stop_s=2) as here:
        await here.put(each_stop="hang")
        await here.running("c-0")
        first = here.pids()["c-0"]
        assert first is not None
        await here.herder.remove("c")
        assert not here.statuses.all
        await here.put()
        assert alive(first)
        await here.running("c-0")
        assert not alive(first)
        with pytest.raises(NotFoundException, match="Connector d not found"):
            await here.herder.remove("d")


async def test_a_connector_that_fails_shows_its_trace_and_recovers_by_policy(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(connector_fails="ValueError: no source", task_restart_policy="never")
        await until(lambda: here.status("c").state is State.FAILED, "it has failed")
        assert here.status("c").trace == "ValueError: no source"
        await here.put()
        await here.running("c-0")


async def test_a_connector_and_a_task_that_hang_are_killed_with_the_cause(tmp_path: Path) -> None:
    async with world(
        tmp_path, task_hang_timeout_ms="200", connector_hang_timeout_ms="200", task_restart_max="0"
    ) as here:
        await here.put(connector="hang")
        await here.put("d", tasks="1", each_start="hang")
        await until(lambda: here.status("c").state is State.FAILED, "the connector has failed")
        await until(
            lambda: here.herder.worker.tasks and here.status("d", 0).state is State.FAILED, "the task has failed"
        )
        for status in (here.status("c"), here.status("d", 0)):
            assert status.trace is not None
            assert "killed by the supervisor: hung in import for" in status.trace


async def test_what_does_not_stop_is_killed_after_the_graceful_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(tmp_path, graceful_stop_s=0.2) as here:
        await here.put(tasks="3", task_1_stop="hang")
        await here.running("c-0", "c-1", "c-2")
        pids = here.pids()
        await here.herder.stop()
        assert not any(alive(pid or 0) for pid in pids.values())
        assert {status.state for status in here.statuses.all.values()} == {State.UNASSIGNED}
    said = capsys.readouterr().out
    assert "c-1 was killed: it did not stop within 0.2 s (task.shutdown.graceful.timeout.ms)" in said
    assert "c-0 was killed" not in said


async def test_stopping_while_everything_starts_leaves_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.herder.put({"name": "c", "tasks": "5"})
        await asyncio.sleep(0)
        await asyncio.wait_for(here.herder.stop(), 5)
        assert {status.state for status in here.statuses.all.values()} == {State.UNASSIGNED}


async def test_source_offsets_are_stored_and_zombies_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put(each_commit="42")
        await here.running("c-0")
        assert OffsetFile(tmp_path / "offsets").read() == {b'["standin",{"a":1}]': b"42"}
        await here.put("z", each_commits_as_zombie="yes", task_restart_policy="never")
        await until(
            lambda: here.statuses.get(UnitId("z", 0)) and here.status("z", 0).state is State.FAILED, "it is refused"
        )
        trace = here.status("z", 0).trace
        assert trace is not None
        assert "may not commit" in trace
        assert b"zombie" not in OffsetFile(tmp_path / "offsets").read()


async def test_offsets_that_cannot_be_written_are_answered_with_the_file(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        (tmp_path / "offsets").mkdir()  # nothing can be renamed over it
        await here.put(each_commit="42")
        await here.running("c-0")
        assert list((tmp_path / "offsets").iterdir()) == []


async def test_a_connector_that_is_paused_while_its_process_is_awaited_stays_paused(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        await it.put("c")
        await it.running("c-0")
        begun, may_go_on, take = asyncio.Event(), asyncio.Event(), it.pool.take

        async def slow_take(*python: str | None) -> Child:
            child = await take(*python)
            begun.set()
            await may_go_on.wait()
            return child

        it.pool.take = slow_take  # type: ignore[method-assign]
        it.herder.worker.connectors["c"].restart()
        await begun.wait()
        await it.herder.set_target_state("c", TargetState.PAUSED)
        may_go_on.set()
        await until(lambda: it.status("c").state is State.PAUSED, "it is paused")
        await until(lambda: it.status("c", 0).state is State.PAUSED, "so is its task")
        assert State.RUNNING not in it.states("c")[it.states("c").index(State.RESTARTING) :]
