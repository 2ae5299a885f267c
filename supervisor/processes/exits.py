"""How a child ended, in words that an operator understands."""

from __future__ import annotations

import enum
import signal
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from tasks.states import ExitCode

# The end of a child is handled within a moment of its death; more than that lies between the oldest note and now.
_NOTES: Final = 3


class Cause(enum.StrEnum):
    """Why a connector or task ended although nobody told it to."""

    EXCEPTION = "exception"  # plugin code raised; there is a trace
    CONFIG = "configuration error"
    EXIT = "exit"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out of memory"
    HUNG = "hung"
    LOST = "lost"  # the forkserver died, and the child with it


_CAUSES: Final[Mapping[int, Cause]] = {
    ExitCode.FAILED: Cause.EXCEPTION,
    ExitCode.CONFIG: Cause.CONFIG,
    ExitCode.OUT_OF_MEMORY: Cause.OUT_OF_MEMORY,
}


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one child. `killed_for` is why the supervisor killed it, where it did, and `killed_as` what that counts as.

    `last_words` is the end of what it wrote to its standard error, or where it was when it crashed.
    """

    code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    killed_for: str | None = None
    killed_as: Cause | None = None
    last_words: str = ""

    @property
    def cause(self) -> Cause:
        """The cause as far as the exit alone tells."""
        if self.killed_as is not None:
            return self.killed_as
        if self.out_of_memory:
            return Cause.OUT_OF_MEMORY
        if self.signal is not None:
            return Cause.SIGNAL
        if self.code is None:
            return Cause.LOST
        return _CAUSES.get(self.code, Cause.EXIT)

    @property
    def account(self) -> str:
        """How it ended and, unless the supervisor ended it, its last words."""
        words = self.last_words if self.killed_for is None else ""
        return f"{self}\n{words}" if words else str(self)

    def __str__(self) -> str:
        if self.killed_for is not None:
            return f"killed by the supervisor: {self.killed_for}"
        if self.signal is not None:
            return f"killed by {signal_name(self.signal)}{' (out of memory)' if self.out_of_memory else ''}"
        if self.code is None:
            return "lost: the forkserver died, and with it all of its children"
        return f"exit code {self.code}{_exit_code_name(self.code)}"


def signal_name(number: int) -> str:
    """For example SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


def _exit_code_name(code: int) -> str:
    try:
        return f" ({ExitCode(code).name})"
    except ValueError:
        return ""


class OutOfMemoryKills:
    """Tells whether the kernel's out-of-memory killer was at work just now: in our cgroup (v2), else on this machine."""

    def __init__(self, events: Path | None = None) -> None:
        self._events = events or _memory_events() or Path("/proc/vmstat")
        self._counts = deque([self._count()], maxlen=_NOTES)

    def note(self) -> None:
        """To be called about once a second: kills before the last few calls are not recent."""
        self._counts.append(self._count())

    @property
    def recent(self) -> bool:
        """Whether there was a kill since the last calls of `note`."""
        return self._count() > self._counts[0]

    def _count(self) -> int:
        try:
            lines = self._events.read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _memory_events() -> Path | None:
    """`memory.events` of this process's cgroup, as cgroups(7) describes it."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    group = next((line[3:] for line in lines if line.startswith("0::")), None)
    if group is None:
        return None
    events = Path("/sys/fs/cgroup", group.lstrip("/"), "memory.events")
    return events if events.is_file() else None
