"""The pool: a warm process at once, exits with their causes, a forkserver that dies, and nothing that leaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from multiprocess import forkserver

from supervisor.processes.exits import Cause
from supervisor.processes.pool import ProcessPool, ProcessStartError
from supervisor.processes.process import Child
from tasks.messages import ListPlugins, LogSettings, Plugins, Report, RunTask, Stop, Validate
from tasks.states import TargetState
from tests.support.processes import alive, open_descriptors, parent_of, threads, until

ENTRY = "tests.support.standin:main"
LOG = LogSettings(levels={})


@contextlib.asynccontextmanager
async def pool(entry: str = ENTRY, *, works: bool = True) -> AsyncIterator[ProcessPool]:
    pool = ProcessPool(entry)
    pool.start()
    pool.expect_work(works)
    try:
        yield pool
    finally:
        await pool.close()


def task(**config: str) -> RunTask:
    return RunTask(
        connector="c",
        task=0,
        generation=1,
        task_class="X",
        task_config=config,
        connector_config={},
        worker_config={},
        target_state=TargetState.STARTED,
        log=LOG,
    )


async def spares(pool: ProcessPool) -> set[Child]:
    """Those that are ready besides the ones that were taken, when they are: for a connector, and for its task."""
    await until(lambda: pool.spare_count == 2, "spares are warm")
    assert all(child.warm.done() for child in pool._spares[""])
    return set(pool._spares[""])


def forkserver_pid() -> int:
    pid: int = forkserver._forkserver._forkserver_pid
    return pid


async def test_a_warm_process_is_there_at_once_and_replaced() -> None:
    async with pool() as processes:
        ready = await spares(processes)
        taking = asyncio.ensure_future(processes.take())
        await asyncio.sleep(0)  # one turn of the loop: there was nothing to wait for
        assert taking.done()
        assert taking.result() in ready
        assert taking.result() not in await spares(processes)
        assert len(processes.living) == 3


async def test_an_order_is_answered_and_the_exit_told() -> None:
    async with pool() as processes:
        child = await processes.take()
        reports: list[Report] = []
        child.on_report = reports.append
        child.send(ListPlugins(worker_config={}, log=LOG))
        exit = await child.exited
        assert isinstance(reports[0], Plugins)
        assert (exit.code, exit.cause) == (0, Cause.EXIT)
        assert child not in processes.living


@pytest.mark.parametrize(
    ("misdeed", "cause", "words"),
    [
        ("exit 3", Cause.EXIT, "exit code 3"),
        ("exit 70", Cause.EXCEPTION, "exit code 70 (FAILED)"),
        ("kill", Cause.SIGNAL, "killed by SIGKILL"),
        ("raise", Cause.EXIT, "exit code 1"),
    ],
)
async def test_how_a_child_ended_is_known(misdeed: str, cause: Cause, words: str) -> None:
    async with pool() as processes:
        child = await processes.take()
        child.send(task(start=misdeed))
        exit = await child.exited
        assert (exit.cause, str(exit)) == (cause, words)


async def test_a_killed_child_says_why_and_takes_its_family_with_it(tmp_path: Path) -> None:
    async with pool() as processes:
        child = await processes.take()
        child.send(task(start=f"family {tmp_path / 'pid'}"))
        await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the family is there")
        relative = int((tmp_path / "pid").read_text())
        assert alive(relative)
        child.kill_hung("hung in put for 301 s")
        child.kill("a second reason")
        exit = await child.exited
        assert (exit.cause, str(exit)) == (Cause.HUNG, "killed by the supervisor: hung in put for 301 s")
        await until(lambda: not alive(relative), "the family is gone")


async def test_a_family_does_not_outlive_a_child_that_ends_well(tmp_path: Path) -> None:
    async with pool() as processes:
        child = await processes.take()
        child.send(task(start=f"family {tmp_path / 'pid'}"))
        child.send(Stop())
        assert (await child.exited).code == 0
        relative = int((tmp_path / "pid").read_text())
        await until(lambda: not alive(relative), "the family is gone")


async def test_a_child_whose_channel_is_closed_ends_by_itself() -> None:
    async with pool() as processes:
        child = await processes.take()
        child._channel.close()
        assert str(await child.exited) == "exit code 75 (ORPHANED)"


async def test_a_lost_forkserver_takes_its_children_and_is_replaced() -> None:
    async with pool() as processes:
        children = [await processes.take() for _ in range(3)]
        first = forkserver_pid()
        os.kill(first, signal.SIGKILL)
        exits = await asyncio.gather(*(child.exited for child in children))
        assert {exit.cause for exit in exits} == {Cause.LOST}
        for child in children:
            assert child.pid is not None
            pid = child.pid
            await until(lambda pid=pid: not alive(pid), "no child of the dead forkserver lives")  # type: ignore[misc]
        again = await processes.take()
        assert again.pid is not None
        assert parent_of(again.pid) == forkserver_pid() != first
        await spares(processes)


async def test_a_spare_that_dies_is_replaced() -> None:
    async with pool() as processes:
        first = min(await spares(processes), key=id)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        await first.exited
        assert first not in await spares(processes)
        assert first not in processes.living


async def test_processes_that_cannot_start_are_an_error_and_no_endless_wait(capfd: pytest.CaptureFixture[str]) -> None:
    async with pool("tests.support.no_such_module:main", works=False) as processes:
        with pytest.raises(ProcessStartError, match=r"could not be asked for|ended before it was ready: lost"):
            await processes.take()
    assert "No module named 'tests.support.no_such_module'" in capfd.readouterr().err


async def test_closing_kills_what_is_left() -> None:
    async with pool() as processes:
        children = [await processes.take() for _ in range(3)]
        children[0].send(task(stop="hang"))
        server = forkserver_pid()
    for child in children:
        assert child.exited.done()
        assert child.pid is not None
        assert not alive(child.pid)
    assert not alive(server)


async def test_a_cancelled_take_leaves_no_process_behind() -> None:
    async with pool(works=False) as processes:
        taking = asyncio.ensure_future(processes.take())
        await until(lambda: processes.living, "a process is being started")
        (child,) = processes.living
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert str(await child.exited) == "killed by the supervisor: its start was given up"


async def test_a_thousand_processes_leave_no_descriptor_and_no_thread() -> None:
    async with pool() as processes:

        async def one_life(number: int) -> Child:
            child = await processes.take()
            if number % 3 == 0:
                child.kill("enough")
            else:
                child.send(Validate(config={}, worker_config={}, log=LOG) if number % 3 == 1 else task(start="exit 1"))
            await child.exited
            return child

        await one_life(1)
        await spares(processes)
        before = open_descriptors(), threads()
        for number in range(1000):
            await one_life(number)
        await spares(processes)
        assert (open_descriptors(), threads()) == before


def test_a_deep_folder_for_temporary_files_does_no_harm(tmp_path: Path) -> None:
    """The forkserver listens on a socket, whose path may have 107 bytes."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    program = (
        "from supervisor.processes import forkserver; from multiprocess import util;"
        "forkserver.ensure_running('tests.support.standin:main'); print(util.get_temp_dir()); forkserver.stop()"
    )
    environment = {**os.environ, "TMPDIR": str(deep)}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert not Path(result.stdout.strip()).exists()


def test_what_killed_supervisors_left_behind_is_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, living = tmp_path / f"connectd-{dead.pid}-x", tmp_path / f"connectd-{os.getpid()}-x"
    for folder in (left, living):
        folder.mkdir()
    program = (
        "from supervisor.processes import forkserver; from multiprocess import util;"
        "forkserver.ensure_running('tests.support.standin:main'); print(util.get_temp_dir()); forkserver.stop()"
    )
    # Short enough for a socket, whatever pytest's own folder is called.
    link = Path(tempfile.mkdtemp()) / "t"
    link.symlink_to(tmp_path)
    try:
        environment = {**os.environ, "TMPDIR": str(link)}
        subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=True)
    finally:
        link.unlink()
        link.parent.rmdir()
    assert (left.exists(), living.exists()) == (False, True)
    assert list(tmp_path.iterdir()) == [living]


async def test_spares_are_for_where_connectors_run() -> None:
    async with pool(works=False) as processes:
        child = await processes.take()
        processes.expect_work(True)
        assert len(await spares(processes)) == 2
        processes.expect_work(False)
        assert processes.spare_count == 0
        await until(lambda: processes.living == {child}, "they are gone")
