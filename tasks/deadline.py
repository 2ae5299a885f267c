"""The time after which this process must not do anything any more, and the kernel's timer that sees to it.

No thread of the process could: after a pause (SIGSTOP, a machine that was suspended) all of them go on at once, and those of
librdkafka send what was waiting before Python comes to look at a clock.
"""

from __future__ import annotations

import ctypes
import signal
import time
from typing import Any, Final

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
# What goes on ends itself in better order: it has so long, at the least.
GRACE_S: Final = 0.5

_SIGEV_SIGNAL: Final = 0
_TIMER_ABSTIME: Final = 1


def boottime() -> float:
    """Seconds on a clock that goes on while the machine is suspended, as those of all other machines do, where the system has
    one. The same in all processes."""
    return time.clock_gettime(_CLOCK)


class Deadline:
    """Has the kernel kill this process, also one that is stopped, or about to go on after the machine was suspended. Where the
    system has no such timers (timer_create(2)) nothing happens."""

    def __init__(self) -> None:
        self._libc: Any = None
        self._timer = ctypes.c_void_p()
        libc: Any = ctypes.CDLL(None, use_errno=True)
        event = _SigEvent(signo=signal.SIGKILL, notify=_SIGEV_SIGNAL)
        if hasattr(libc, "timer_create") and not libc.timer_create(
            _CLOCK, ctypes.byref(event), ctypes.byref(self._timer)
        ):
            self._libc = libc

    def set(self, at: float) -> None:
        """Then, by `boottime`, but no sooner than in `GRACE_S`; replaces what was set before."""
        if self._libc is not None:
            seconds, part = divmod(max(at, boottime() + GRACE_S), 1)
            setting = _TimerSpec(seconds=int(seconds), nanoseconds=int(part * 1e9))
            self._libc.timer_settime(self._timer, _TIMER_ABSTIME, ctypes.byref(setting), None)


class _SigEvent(ctypes.Structure):
    """`struct sigevent`, with room for what follows."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("others", ctypes.c_byte * 64),
    )


class _TimerSpec(ctypes.Structure):
    """`struct itimerspec`."""

    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )
