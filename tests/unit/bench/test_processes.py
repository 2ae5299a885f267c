"""Programs are stopped in order, watched from outside, and nothing of them is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bench import processes
from bench.arrival import Arrival, follow
from bench.measuring import TreeSampler, file_counter, watch
from bench.processes import RunFailed, descendants, running

READY = "open('ready', 'w').close()"
# Starts a child that ignores the end of its parent.
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); {READY}; "


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_ends_with_the_block_also_when_that_raises(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyError),
        running("sleeper", python("import time; time.sleep(99)"), tmp_path, tmp_path / "log") as program,
    ):
        raise KeyError
    assert not psutil.pid_exists(program.process.pid)


def test_an_error_is_told_with_the_end_of_the_log(tmp_path: Path) -> None:
    code = "import sys; print('x\\n' * 50, 'the reason', file=sys.stderr); sys.exit(3)"
    with running("failing", python(code), tmp_path, tmp_path / "log") as program:
        with pytest.raises(RunFailed, match=r"(?s)failing ended with exit code 3:\n.*the reason"):
            follow(program, [Arrival("lines", 1, lambda: 0)], lambda state: None)
        assert len(program.log_tail().splitlines()) == 20


def test_processes_that_outlive_their_program_are_killed_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_CHILDREN_TIMEOUT_S", 0.1)
    code = PARENT + "import time; time.sleep(99)"
    with running("parent", python(code), tmp_path, tmp_path / "log") as program:
        wait_until((tmp_path / "ready").exists)
        (child,) = descendants(program.process.pid)
        with pytest.raises(RunFailed, match="parent ended and left processes behind"):
            program.stop()
    wait_until(lambda: not child.is_running())


def test_a_program_that_ignores_the_order_to_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_TIMEOUT_S", 0.1)
    code = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; time.sleep(99)"
    with running("deaf", python(code), tmp_path, tmp_path / "log") as program:
        wait_until((tmp_path / "ready").exists)
        with pytest.raises(RunFailed, match="deaf still ran"):
            program.stop()
    assert not psutil.pid_exists(program.process.pid)


def test_the_sampler_counts_children_that_have_ended(tmp_path: Path) -> None:
    burn = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {burn!r}]); {READY}; time.sleep(99)"
    with (
        running("parent", python(code), tmp_path, tmp_path / "log") as program,
        TreeSampler(program.process.pid).sampling() as sampler,
    ):
        wait_until((tmp_path / "ready").exists)
        assert sampler.cpu_s() > 0.15
        assert 0 < sampler.memory().pss_mib <= sampler.memory().rss_mib
        wait_until(lambda: sampler.peak().pss_mib > 0)


def test_a_transfer_is_timed_from_its_first_to_its_last_line(tmp_path: Path) -> None:
    code = "import time; f = open('out', 'wb', 0); f.write(b'x' * 30); time.sleep(0.5); f.write(b'x' * 170); time.sleep(99)"
    with (
        running("writer", python(code), tmp_path, tmp_path / "log") as program,
        TreeSampler(program.process.pid).sampling() as sampler,
    ):
        transfer = watch(program, sampler, file_counter(tmp_path / "out", 10), 20)
    assert (transfer.seen_first, transfer.records) == (3, 20)
    assert transfer.seconds >= 0.45
    assert transfer.records_per_s == pytest.approx(17 / transfer.seconds)
    assert transfer.startup_s > 0


def test_too_few_records_have_no_speed(tmp_path: Path) -> None:
    with (
        running(
            "writer",
            python("import time; open('out', 'w').write('x' * 20); time.sleep(99)"),
            tmp_path,
            tmp_path / "log",
        ) as program,
        TreeSampler(program.process.pid).sampling() as sampler,
        pytest.raises(RunFailed, match="all 2 records came at once"),
    ):
        watch(program, sampler, file_counter(tmp_path / "out", 10), 2)
