"""The guard: its command never outlives the watched process, and throwaway folders go with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.embedded import guard
from supervisor.embedded.broker import Watched
from supervisor.embedded.errors import EmbeddedKafkaError
from supervisor.embedded.processes import started_at

# Says its pid; on SIGTERM it leaves a trace, as a broker that stops cleanly does.
COMMAND = """
import os, pathlib, signal, sys, time
def stop(*_):
    pathlib.Path(sys.argv[1]).write_text("clean")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print(os.getpid(), flush=True)
time.sleep(60)
"""


class Guarded:
    """A guard, its command's pid, and the process it watches."""

    def __init__(self, trace: Path, throwaway: Path | None) -> None:
        self.watched = subprocess.Popen(["sleep", "60"])
        command = [sys.executable, "-c", COMMAND, str(trace)]
        self.guard = subprocess.Popen(Watched(self.watched.pid, throwaway).guarded(command), stdout=subprocess.PIPE)
        assert self.guard.stdout
        self.command = int(self.guard.stdout.readline())

    def end(self) -> None:
        for process in (self.guard, self.watched):
            process.kill()
            process.wait()
        assert self.guard.stdout
        self.guard.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Guarded]]:
    started = []

    def run(throwaway: Path | None = None) -> Guarded:
        started.append(Guarded(tmp_path / "trace", throwaway))
        return started[-1]

    yield run
    for one in started:
        one.end()


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while started_at(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return started_at(pid) is None


def test_kill_9_of_the_watched_process_stops_the_command_cleanly(start: Callable[..., Guarded], tmp_path: Path) -> None:
    guarded = start()
    guarded.watched.send_signal(signal.SIGKILL)
    guarded.watched.wait()
    assert gone(guarded.command)
    assert guarded.guard.wait(20) == 0
    assert (tmp_path / "trace").read_text() == "clean"


def test_a_throwaway_folder_is_removed_without_ceremony(start: Callable[..., Guarded], tmp_path: Path) -> None:
    throwaway = tmp_path / "throwaway"
    (throwaway / "topics").mkdir(parents=True)
    guarded = start(throwaway)
    guarded.watched.kill()
    guarded.watched.wait()
    assert guarded.guard.wait(20) == 128 + signal.SIGKILL
    assert gone(guarded.command)
    assert not throwaway.exists()
    assert not (tmp_path / "trace").exists()


def test_sigterm_stops_the_command(start: Callable[..., Guarded], tmp_path: Path) -> None:
    guarded = start()
    guarded.guard.terminate()
    assert guarded.guard.wait(20) == 0
    assert gone(guarded.command)
    assert (tmp_path / "trace").read_text() == "clean"


def test_kill_9_of_the_guard_takes_the_command_along(start: Callable[..., Guarded]) -> None:
    guarded = start()
    guarded.guard.kill()
    assert gone(guarded.command)


def test_a_command_that_ends_by_itself_leaves_its_folder(tmp_path: Path) -> None:
    throwaway = tmp_path / "throwaway"
    throwaway.mkdir()
    watched = Watched(os.getpid(), throwaway)
    assert subprocess.run(watched.guarded([sys.executable, "-c", "raise SystemExit(9)"])).returncode == 9
    assert throwaway.exists()


def test_nothing_starts_when_the_pid_belongs_to_another_process_by_now(tmp_path: Path) -> None:
    command = [sys.executable, guard.__file__, str(os.getpid()), "1", "-", "--", "touch", str(tmp_path / "x")]
    assert subprocess.run(command).returncode == 1
    assert not (tmp_path / "x").exists()


def test_a_process_that_is_gone_cannot_be_watched() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(EmbeddedKafkaError, match=f"process {ended.pid}, which does not run"):
        Watched(ended.pid).guarded(["true"])
