"""Programs run by the demo and the benchmarks: bound to this process, stopped in order, and nothing of them left."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil

STOP_TIMEOUT_S = 30.0
_CHILDREN_TIMEOUT_S = 5.0
_LOG_TAIL_LINES = 20
_PR_SET_PDEATHSIG = 1

CONNECTD = str(Path(sys.executable).with_name("connectd"))


class RunFailed(Exception):
    """What the demo or a benchmark waits for cannot come any more; the message is for a person."""


@dataclass
class Program:
    """A started program; `started_at` is the `time.monotonic()` just before its start."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started_at: float

    def check(self) -> None:
        """Raises RunFailed if the program has ended with an error."""
        # It is not waited for yet: the kernel keeps the CPU time of a process until then.
        ended = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None and ended.si_status != 0:
            how = "exit code" if ended.si_code == os.CLD_EXITED else "signal"
            raise RunFailed(f"{self.name} ended with {how} {ended.si_status}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LOG_TAIL_LINES:]) or "    (it wrote nothing)"

    def stop(self) -> int:
        """Ask the program to stop and return its exit code. Raises RunFailed, after killing, if anything of it goes on."""
        family = descendants(self.process.pid)
        self.process.terminate()
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
            left = psutil.wait_procs(family, timeout=_CHILDREN_TIMEOUT_S)[1]
        except BaseException as error:
            self.process.kill()
            kill_all(family)
            self.process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise RunFailed(
                    f"{self.name} still ran {STOP_TIMEOUT_S:.0f} s after SIGTERM:\n{self.log_tail()}"
                ) from None
            raise
        if left:
            kill_all(left)
            raise RunFailed(f"{self.name} ended and left processes behind: {', '.join(map(str, left))}")
        return code


@contextmanager
def running(
    name: str, command: Sequence[str], folder: Path, log: Path, stdout: Path | None = None
) -> Iterator[Program]:
    """Run a command in `folder`, its messages in `log`. To be entered on the main thread, whose end the program shares."""
    me = os.getpid()
    with log.open("ab") as messages, (stdout or log).open("ab") as output:
        started_at = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=messages,
            process_group=0,  # Ctrl+C is for this process, which then stops the others in order
            preexec_fn=lambda: _die_with(me),
        )
    program = Program(name, process, log, started_at)
    try:
        yield program
    finally:
        if process.poll() is None:
            program.stop()


def descendants(pid: int) -> list[psutil.Process]:
    """All processes that come from process `pid`, without itself; empty when it has ended."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """Kill those that still run."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _die_with(parent_pid: int) -> None:
    """Have the kernel kill this process with its parent, whatever ends that."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def end_on_signals() -> None:
    """Have SIGTERM and SIGHUP end this process as Ctrl+C does: by KeyboardInterrupt, so that everything is cleaned up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
