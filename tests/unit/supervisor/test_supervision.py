"""What supervision makes of children that die, hang and misbehave: causes, traces, counts, and who is left alone."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import supervisor.processes.pool
import supervisor.units.hangs
import supervisor.units.worker
from supervisor.inquiries.inquiry import InquiryFailed, ask
from supervisor.processes.exits import Cause
from supervisor.units.lifecycle import UnitId
from supervisor.units.worker import supervision_rules
from tasks.messages import LogSettings, Validate, Validated
from tasks.states import Call, State
from tests.support.processes import alive, until
from tests.support.supervised import supervised

TASK = UnitId("c", 0)
FAST = {"task_restart_backoff_ms": "10", "task_restart_backoff_max_ms": "10"}


@pytest.fixture(autouse=True)
def checked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor.units.worker, "CHECK_INTERVAL_S", 0.05)
    monkeypatch.setattr(supervisor.processes.pool, "CHECK_INTERVAL_S", 0.05)


@pytest.fixture
def said() -> Iterator[list[Any]]:
    """The events of the supervisor's log."""
    with structlog.testing.capture_logs() as events:
        yield events


# --- restarts ---------------------------------------------------------------------------------------------------------


async def test_the_first_restart_is_at_once_and_from_the_warm_process() -> None:
    async with supervised() as worker:
        worker.run()
        await worker.until(State.RUNNING)
        # Not that of the connector, which is about to end.
        await until(lambda: worker.pool.spare_count == 2 and len(worker.pool.living) == 3, "there are spares")
        before = worker.pid()
        spares = {child.pid for child in worker.pool.living if child.pid != before}
        os.kill(before, signal.SIGKILL)
        await until(lambda: worker.is_in(State.RUNNING) and worker.pid() != before, "it runs again")
        assert worker.pid() in spares
        assert ("c-0", State.RESTARTING, "The process of c-0 ended: killed by SIGKILL\nRestart at once.") in (
            worker.history
        )


async def test_what_is_given_up_tells_all_failures_with_their_causes(tmp_path: Path) -> None:
    misdeeds = tmp_path / "misdeeds"
    misdeeds.write_text("exit 3\nkill\nexit 70\nexit 5\n")
    async with supervised() as worker:
        worker.run(each_start=f"next {misdeeds}", task_restart_max="3", **FAST)
        await worker.until(State.FAILED)
        first, given_up, title, *failures = worker.trace(task=0).splitlines()
        assert first == "The process of c-0 ended: exit code 5"
        assert given_up == "Given up after 3 restarts within 600 s (task.restart.max, task.restart.window.ms)."
        assert title == "Failures before this one:"
        assert [failure.split(" ", 4)[4] for failure in failures] == [
            "exit: exit code 3",
            "signal: killed by SIGKILL",
            "exception: exit code 70 (FAILED)",
        ]
        assert worker.states("c-0") == [State.UNASSIGNED, *[State.RESTARTING] * 3, State.FAILED]
        assert worker.counts.failures == {
            (TASK, Cause.EXIT): 2,
            (TASK, Cause.SIGNAL): 1,
            (TASK, Cause.EXCEPTION): 1,
        }
        assert worker.counts.restarts.total() == 3
        worker.remove("c")
        assert not worker.counts.failures
        assert not worker.counts.restarts


async def test_what_ran_well_for_long_begins_anew() -> None:
    async with supervised() as worker:
        worker.run(task_restart_max="1", task_restart_healthy_ms="1")
        for lives in range(1, 5):
            await until(lambda lives=lives: worker.states("c-0").count(State.RUNNING) == lives, "it runs")  # type: ignore[misc]
            healthy = time.monotonic() + 0.002
            await until(lambda healthy=healthy: time.monotonic() > healthy, "it counts as healthy")  # type: ignore[misc]
            os.kill(worker.pid(), signal.SIGKILL)
        await until(lambda: worker.counts.restarts.total() == 4, "all restarts")
        traces = [trace for name, state, trace in worker.history if name == "c-0" and state is State.RESTARTING]
        assert all(trace and trace.endswith("\nRestart at once.") for trace in traces)


async def test_the_workers_policy_holds_unless_a_connector_has_its_own() -> None:
    async with supervised(task_restart_policy="on-crash") as worker:
        failing = {"each_fails": "ValueError: boom"}
        worker.run("plain", **failing)
        worker.run("own", **failing, task_restart_policy="on-failure", task_restart_max="1")
        worker.run("crashing", each_start="exit 3", task_restart_max="1")
        for name in ("plain", "own", "crashing"):
            await worker.until(State.FAILED, name)
        assert worker.states("plain-0") == [State.UNASSIGNED, State.FAILED]
        assert worker.trace("plain", 0) == "ValueError: boom"
        assert (
            worker.states("own-0")
            == worker.states("crashing-0")
            == [
                State.UNASSIGNED,
                State.RESTARTING,
                State.FAILED,
            ]
        )


async def test_a_crash_says_where(said: list[Any]) -> None:
    async with supervised() as worker:
        worker.run(each_start="segfault", task_restart_max="0")
        await worker.until(State.FAILED)
        lines = worker.trace(task=0).splitlines()
        assert lines[:2] == ["The process of c-0 ended: killed by SIGSEGV", "Fatal Python error: Segmentation fault"]
        assert any("in _misbehave" in line for line in lines)
        assert lines[-1] == "Not restarted: task.restart.max is 0."


async def test_what_a_task_writes_is_kept_with_its_name_also_when_it_has_crashed(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("INFO", "output")
    misdeeds = tmp_path / "misdeeds"
    misdeeds.write_text("say out of ink\nkill\n")
    async with supervised(task_restart_policy="never") as worker:
        worker.run(each_start=f"next {misdeeds}")
        await worker.until(State.RUNNING)
        await until(lambda: "out of ink" in worker.log(), "it is kept")
        (event,) = [event for event in worker.events() if event["message"] == "out of ink"]
        assert (event["connector"], event["task"], event["logger"]) == ("c", 0, "output")
        assert event["pid"] == worker.pid()
        worker.worker.tasks[UnitId("c", 0)].restart()
        await worker.until(State.FAILED)
        assert "out of ink" in worker.log()
        worker.run(each_start="", task_log_lines="0")
        await until(lambda: worker.log() == [], "none are to be kept any more")
        worker.remove("c")
        assert not worker.worker.surroundings.tails.lines("c")


# --- hanging ----------------------------------------------------------------------------------------------------------


async def test_what_hangs_is_marked_dumped_counted_and_replaced(tmp_path: Path, said: list[Any]) -> None:
    misdeeds = tmp_path / "misdeeds"
    misdeeds.write_text("hang\n")
    async with supervised(task_hang_timeout_ms="300") as worker:
        worker.run(each_start=f"next {misdeeds}")
        await worker.until(State.RUNNING)
        traces = [trace for name, _, trace in worker.history if name == "c-0"]
        assert traces == [
            None,
            "Stalled: hung in import for 0 s.",
            "The process of c-0 ended: killed by the supervisor: hung in import for 0 s\nRestart at once.",
            None,
        ]
        assert worker.counts.hangs == {(TASK, Call.IMPORT): 1}
        assert worker.counts.restarts == {(TASK, Cause.HUNG): 1}
        (dump,) = [event for event in said if event["event"].startswith("where the threads are:\n")]
        assert (dump["connector"], dump["task"]) == ("c", 0)
        assert "in _misbehave" in dump["event"]


async def test_a_child_that_was_stopped_by_a_signal_hangs_too(said: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor.units.hangs, "SILENCE_S", 0.05)
    async with supervised(task_hang_timeout_ms="300") as worker:
        worker.run()
        await worker.until(State.RUNNING)
        before = worker.pid()
        os.kill(before, signal.SIGSTOP)
        await until(lambda: worker.is_in(State.RUNNING) and worker.pid() != before, "it is replaced")
        assert not alive(before)
        assert worker.counts.hangs == {(TASK, None): 1}
        traces = [trace for name, _, trace in worker.history if name == "c-0" and trace]
        assert traces[0] == "Stalled: no sign of life for 0 s."
        (dump,) = [event for event in said if event["event"].startswith("where the threads are:\n")]
        assert "in receive" in dump["event"]


async def test_without_restarts_a_task_that_hangs_is_left_alone_and_may_go_on(tmp_path: Path) -> None:
    async with supervised(task_hang_timeout_ms="300", task_restart_policy="never") as worker:
        worker.run(each_start=f"wait {tmp_path / 'go'}")
        await until(lambda: worker.trace(task=0) == "Stalled: hung in import for 0 s.", "it is marked")
        before = worker.pid()
        (tmp_path / "go").touch()
        await worker.until(State.RUNNING)
        await until(lambda: not worker.trace(task=0), "it is not marked any more")
        assert worker.pid() == before
        assert worker.counts.hangs == {(TASK, Call.IMPORT): 1}


async def test_a_connector_that_hangs_is_killed_whatever_the_policy() -> None:
    async with supervised(connector_hang_timeout_ms="300", task_restart_policy="never") as worker:
        worker.run(connector="hang")
        await worker.until(State.FAILED, task=None)
        assert worker.trace() == "The process of c ended: killed by the supervisor: hung in import for 0 s"


# --- limits -----------------------------------------------------------------------------------------------------------


async def test_who_uses_too_much_memory_is_killed_for_it(tmp_path: Path) -> None:
    misdeeds = tmp_path / "misdeeds"
    misdeeds.write_text("leak 300\n")
    async with supervised() as worker:
        worker.run("modest", task_memory_max=str(200 << 20))
        worker.run(each_start=f"next {misdeeds}", task_memory_max=str(200 << 20))
        await worker.until(State.RUNNING)
        await worker.until(State.RUNNING, "modest")
        (trace,) = [trace for name, state, trace in worker.history if name == "c-0" and state is State.RESTARTING]
        assert re.fullmatch(
            r"The process of c-0 ended: killed by the supervisor: it used [23]\d\d MiB of memory, task.memory.max allows "
            r"200 MiB\nRestart at once\.",
            str(trace),
        )
        assert worker.counts.restarts == {(TASK, Cause.OUT_OF_MEMORY): 1}
        assert worker.states("modest-0") == [State.UNASSIGNED, State.RUNNING]


async def test_a_limit_that_is_lowered_holds_for_what_runs() -> None:
    async with supervised() as worker:
        worker.run()
        await worker.until(State.RUNNING)
        worker.worker.tasks[TASK].supervise_by(supervision_rules({}, {"task.memory.max": "1000"}))
        await until(lambda: worker.counts.restarts == {(TASK, Cause.OUT_OF_MEMORY): 1}, "it is killed")


async def test_a_validation_that_leaks_ends_with_the_cause() -> None:
    async with supervised() as worker:
        order = Validate(
            config={"name": "c", "validate": "leak 300", "task.memory.max": str(200 << 20)},
            worker_config={},
            log=LogSettings(levels={}),
        )
        with pytest.raises(InquiryFailed, match=r"validation ended its process: .* task.memory.max allows 200 MiB"):
            await ask(worker.pool, order, Validated)
