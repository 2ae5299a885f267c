"""Runs a command that must not outlive another process: `guard.py PID STARTED_AT FOLDER -- COMMAND ...`.

When process PID (which started at STARTED_AT) is gone, however it ended, the command is ended too. FOLDER, unless it is
`-`, is a throwaway folder: the command is then killed without ceremony and the folder removed. SIGTERM does the same.
A command that ends by itself leaves the folder, for somebody to look why.

PR_SET_PDEATHSIG in the command itself would not do: it fires when the *thread* that started the command ends, and the
process to watch need not be the one that starts it. Runs with `python -I -S`: the standard library only, 8 MB, 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from types import FrameType

_PR_SET_PDEATHSIG = 1
_CLEAN_STOP_S = 120


def main() -> int:
    """Run the command; returns its exit code, or 128 + the signal that ended it."""
    watched_pid, watched_start, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    signals, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGTERM, _wake_only)
    watched = _open(watched_pid, watched_start)
    if watched is None:
        return 1
    guard = os.getpid()
    # Open files pass on to the command: the lock of the data folder is held as long as the command runs.
    command = subprocess.Popen(sys.argv[5:], close_fds=False, preexec_fn=lambda: _die_with(guard))
    ended = os.pidfd_open(command.pid)
    ready, _, _ = select.select([watched, ended, signals], [], [])
    code = _stop(command, clean=folder == "-")
    if folder != "-" and ended not in ready:
        shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else 128 - code


def _open(pid: int, started_at: str) -> int | None:
    try:
        descriptor = os.pidfd_open(pid)
        with open(f"/proc/{pid}/stat") as file:
            same = file.read().rpartition(")")[2].split()[19] == started_at
    except OSError:
        return None
    return descriptor if same else None


def _stop(command: subprocess.Popen[bytes], *, clean: bool) -> int:
    if clean:
        command.terminate()
        try:
            return command.wait(_CLEAN_STOP_S)
        except subprocess.TimeoutExpired:
            pass
    command.kill()
    return command.wait()


def _die_with(guard: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(1)


def _wake_only(number: int, frame: FrameType | None) -> None:
    """The signal's work is done by the wakeup descriptor, which ends the wait."""


if __name__ == "__main__":
    sys.exit(main())
