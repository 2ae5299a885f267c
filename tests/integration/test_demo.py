"""`python -m bench.demo` as `make demo` runs it: it proves what it says, and leaves nothing behind, also when interrupted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120
# A look at all processes of the machine costs more than what it looks at.
LOOK_S = 0.1


class Demo:
    """The demo as a process of its own, with its temporary files in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._output = folder / "output.txt"
        self._seen: set[psutil.Process] = set()
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bench.demo"],
                cwd=REPOSITORY,
                env={**os.environ, "TMPDIR": str(self.temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait, noting every process that comes from the demo meanwhile."""
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, f"not within {TIMEOUT_S} s:\n{self.output}"
            self.look()
            time.sleep(LOOK_S)

    def look(self) -> None:
        try:
            self._seen.update(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return

    def find(self, title: str) -> psutil.Process | None:
        """The process with this title, as `ps` shows it."""
        for process in self._seen:
            try:
                if " ".join(process.cmdline()).startswith(title):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def ended(self) -> bool:
        return self.process.poll() is not None

    def assert_nothing_runs(self) -> None:
        assert self._seen, "the demo started no process"
        _, left = psutil.wait_procs(list(self._seen), timeout=5)
        assert not left

    def files(self) -> list[str]:
        return [path.name for path in self.temporary.iterdir()]

    def kill(self) -> None:
        self.look()
        self.process.kill()
        self.process.wait()
        for process in self._seen:
            if process.is_running():
                process.kill()


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    started = Demo(folder)
    try:
        yield started
    finally:
        started.kill()


def test_moves_the_text_and_proves_that_it_is_the_same(tmp_path: Path) -> None:
    with demo(tmp_path) as run:
        run.wait_until(run.ended)
        assert run.process.returncode == 0, run.output

        proof = re.search(
            r"^ +identical +source and sink have ([\d,]+) lines and sha256 [0-9a-f]{64}$", run.output, re.M
        )
        assert proof, run.output
        assert int(proof[1].replace(",", "")) >= 200_000
        for name in ("source", "sink"):
            assert re.search(rf"^ +{name} .* {proof[1]} records in [\d.]+ s, [\d,]+ records/s$", run.output, re.M), (
                run.output
            )
        run.assert_nothing_runs()
        assert run.files() == []


def kafka_is_starting(run: Demo) -> bool:
    return bool(psutil.Process(run.process.pid).children())


def lines_are_arriving(run: Demo) -> bool:
    return any(sink.stat().st_size for sink in run.temporary.glob("connectd-demo-*/test.sink.txt"))


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, kafka_is_starting),
        (signal.SIGTERM, kafka_is_starting),
        (signal.SIGINT, lines_are_arriving),
        pytest.param(signal.SIGTERM, lines_are_arriving, marks=pytest.mark.long),
    ],
)
def test_interrupted_it_stops_everything(
    tmp_path: Path, moment: Callable[[Demo], bool], number: signal.Signals
) -> None:
    with demo(tmp_path) as run:
        run.wait_until(lambda: moment(run) or run.ended())
        run.look()
        run.process.send_signal(number)
        run.wait_until(run.ended)

        assert run.process.returncode == 130, run.output
        assert "Interrupted: everything that was started has been stopped." in run.output
        assert "Traceback" not in run.output
        run.assert_nothing_runs()
        assert run.files() == []


def test_a_worker_that_dies_is_reported_and_nothing_is_left(tmp_path: Path) -> None:
    with demo(tmp_path) as run:
        run.wait_until(lambda: run.find("connectd: supervisor") is not None or run.ended())
        supervisor = run.find("connectd: supervisor")
        assert supervisor is not None, run.output
        supervisor.kill()
        run.wait_until(run.ended)

        assert run.process.returncode == 1, run.output
        assert "The demo failed: connectd ended with signal 9" in run.output
        run.assert_nothing_runs()
        # What was killed with -9 could not remove the folder of its sockets.
        assert [name for name in run.files() if not re.match(r"connectd-\d+-", name)] == []
