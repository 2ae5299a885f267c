"""Cgroups: what is written where, on files that stand for the kernel's; and the kernel's own where one is delegated to us."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import structlog

import supervisor.processes.cgroups
from supervisor.processes.cgroups import Cgroups, delegated_cgroup
from tasks.settings import Limits
from tasks.states import State
from tests.support.supervised import supervised


def limits(**config: str) -> Limits:
    return Limits.of({}, {f"task.{key.replace('_', '.')}": value for key, value in config.items()})


def cgroup(path: Path, controllers: str = "cpuset cpu io memory pids", processes: str = "") -> Path:
    path.mkdir()
    (path / "cgroup.controllers").write_text(controllers)
    (path / "cgroup.procs").write_text(processes)
    (path / "cgroup.subtree_control").write_text("")
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return cgroup(tmp_path / "connectd.service")


def test_a_process_gets_a_cgroup_with_its_limits(base: Path) -> None:
    confined = Cgroups(base).confine(42, limits(memory_max="1000000", cpu_weight="50"))
    assert confined is not None
    assert confined.limits_memory
    written = {path.name: path.read_text() for path in (base / "process-42").iterdir()}
    assert written == {"memory.max": "1000000", "memory.oom.group": "1", "cpu.weight": "50", "cgroup.procs": "42"}


def test_what_is_not_limited_is_as_in_any_cgroup(base: Path) -> None:
    confined = Cgroups(base).confine(42, limits(cpu_weight="50"))
    assert confined is not None
    assert not confined.limits_memory
    assert (base / "process-42" / "memory.max").read_text() == "max"


def test_limits_that_are_taken_back_are_lifted(base: Path) -> None:
    cgroups, given = Cgroups(base), limits(memory_max="1000000", cpu_weight="50")
    confined = cgroups.confine(42, given)
    assert cgroups.confine(42, limits(), confined) is confined
    assert confined is not None
    assert not confined.limits_memory
    folder = base / "process-42"
    assert (folder / "memory.max").read_text() == "max"
    assert (folder / "cpu.weight").read_text() == "100"
    cgroups.confine(42, limits(memory_max="2000000"), confined)
    assert confined.limits_memory
    assert (folder / "memory.max").read_text() == "2000000"


def test_a_limit_that_the_kernel_refuses_leaves_the_one_before(base: Path) -> None:
    cgroups = Cgroups(base)
    confined = cgroups.confine(42, limits(memory_max="1000000"))
    assert confined is not None
    (base / "process-42" / "memory.max").unlink()
    (base / "process-42" / "memory.max").mkdir()
    with structlog.testing.capture_logs() as said:
        assert cgroups.confine(42, limits(), confined) is confined
    assert [event["event"] for event in said] == ["the limits of a process cannot be changed"]
    assert confined.limits_memory


async def test_the_limits_of_a_running_task_are_changed_and_lifted(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor.processes.cgroups, "delegated_cgroup", lambda: base)
    async with supervised(task_memory_max=str(1 << 30)) as worker:
        worker.run()
        await worker.until(State.RUNNING)
        memory_max = base / f"process-{worker.pid()}" / "memory.max"
        for settings, expected in (({"task.memory.max": str(1 << 31)}, str(1 << 31)), ({}, "max")):
            worker.worker.configure(settings, 5.0)
            assert memory_max.read_text() == expected


def test_the_worker_itself_makes_room(base: Path) -> None:
    (base / "cgroup.procs").write_text("1234\n")
    Cgroups(base).confine(42, limits(cpu_weight="50"))
    assert (base / "supervisor" / "cgroup.procs").read_text() == "1234"
    assert (base / "cgroup.subtree_control").read_text() in ("+cpu", "+memory")  # each written by itself


def test_without_such_limits_nothing_is_touched(base: Path) -> None:
    assert Cgroups(base).confine(42, limits(cpu_nice="5", open_files_max="100")) is None
    assert sorted(path.name for path in base.iterdir()) == [
        "cgroup.controllers",
        "cgroup.procs",
        "cgroup.subtree_control",
    ]


def test_controllers_that_are_not_delegated_are_left_out(tmp_path: Path) -> None:
    base = cgroup(tmp_path / "service", controllers="cpu pids")
    confined = Cgroups(base).confine(42, limits(memory_max="1000000", cpu_weight="50"))
    assert confined is not None
    assert not confined.limits_memory
    assert not (base / "process-42" / "memory.max").exists()


def test_a_weight_that_has_no_effect_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor.processes.cgroups, "delegated_cgroup", lambda: None)
    cgroups = Cgroups()
    with structlog.testing.capture_logs() as said:
        for pid in (1, 2):
            assert cgroups.confine(pid, limits(cpu_weight="50", memory_max="1000000")) is None
    assert [event["event"].partition(":")[0] for event in said] == ["task.cpu.weight has no effect"]


def test_what_cannot_be_confined_is_said_and_goes_on(base: Path) -> None:
    (base / "process-42").write_text("in the way")
    with structlog.testing.capture_logs() as said:
        assert Cgroups(base).confine(42, limits(memory_max="1000000")) is None
    assert [event["event"] for event in said] == ["a process cannot be confined in a cgroup"]


def test_out_of_memory_is_known_by_the_cgroup(base: Path) -> None:
    confined = Cgroups(base).confine(42, limits(memory_max="1000000"))
    assert confined is not None
    assert not confined.was_out_of_memory
    (base / "process-42" / "memory.events").write_text("low 0\nmax 3\noom 1\noom_kill 0\n")
    assert not confined.was_out_of_memory
    (base / "process-42" / "memory.events").write_text("low 0\nmax 3\noom 1\noom_kill 2\n")
    assert confined.was_out_of_memory
    assert not confined.remove()  # a folder with files is like a cgroup with processes
    for path in (base / "process-42").iterdir():
        path.unlink()
    assert confined.remove()
    assert confined.remove()


@pytest.mark.parametrize("marked", ["connectd.service", "connectd.service/supervisor", None])
def test_only_what_systemd_has_marked_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marked: str | None
) -> None:
    base = cgroup(tmp_path / "connectd.service")
    own = cgroup(base / "supervisor")
    monkeypatch.setattr(supervisor.processes.cgroups, "_own_cgroup", lambda: own)
    if marked is not None:
        try:
            os.setxattr(tmp_path / marked, "user.delegate", b"1")
        except OSError as error:
            pytest.skip(f"no extended attributes in {tmp_path}: {error.strerror}")
    assert delegated_cgroup() == (None if marked is None else tmp_path / marked)


async def test_the_kernel_kills_who_uses_too_much(tmp_path: Path) -> None:
    base = delegated_cgroup()
    if base is None or "memory" not in (base / "cgroup.controllers").read_text().split():
        pytest.skip("no cgroup (v2) with the memory controller is delegated to this process: run it with Delegate=yes")
    misdeeds = tmp_path / "misdeeds"
    misdeeds.write_text("leak 300\n")
    config: dict[str, Any] = {"task_memory_max": str(200 << 20), "task_restart_max": "0"}
    async with supervised() as worker:
        worker.run(each_start=f"next {misdeeds}", **config)
        await worker.until(State.FAILED)
        assert "killed by SIGKILL (out of memory)" in worker.trace(task=0)
