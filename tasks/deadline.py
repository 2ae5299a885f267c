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

_libc: Final[Any] = ctypes.CDLL(None)


def boottime() -> float:
    """Seconds on a clock that goes on while the machine is suspended, as those of all other machines do, where the system has
    one. The same in all processes."""
    return time.clock_gettime(_CLOCK)


def sleep_until(at: float) -> None:
    """Sleep until then, by `boottime`; a signal may end it sooner. The time in which the machine is suspended counts, which it
    does not for `time.sleep`."""
    if hasattr(_libc, "clock_nanosleep"):
        _libc.clock_nanosleep(_CLOCK, _TIMER_ABSTIME, ctypes.byref(_TimeSpec.of(at)), None)
    else:
        time.sleep(max(at - boottime(), 0.0))


class _TimeSpec(ctypes.Structure):
    """`struct timespec`."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))

    @classmethod
    def of(cls, seconds: float) -> _TimeSpec:
        whole, part = divmod(seconds, 1)
        return cls(seconds=int(whole), nanoseconds=int(part * 1e9))


class Deadline:
    """Has the kernel kill this process, also one that is stopped, or about to go on after the machine was suspended. Where the
    system has no such timers (timer_create(2)) nothing happens."""

    def __init__(self) -> None:
        self._timer = ctypes.c_void_p()
        event = _SigEvent(signo=signal.SIGKILL, notify=_SIGEV_SIGNAL)
        self._ticks = hasattr(_libc, "timer_create") and not _libc.timer_create(
            _CLOCK, ctypes.byref(event), ctypes.byref(self._timer)
        )

    def set(self, at: float) -> None:
        """Then, by `boottime`, but no sooner than in `GRACE_S`; replaces what was set before."""
        if self._ticks:
            setting = _TimerSpec(value=_TimeSpec.of(max(at, boottime() + GRACE_S)))
            _libc.timer_settime(self._timer, _TIMER_ABSTIME, ctypes.byref(setting), None)


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

    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))
