"""The supervisor's own memory: Python's collector is kept from stopping it, and what is free goes back to the system."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

from tasks.leftovers import give_back

_M_ARENA_MAX: Final = -8  # malloc.h
# By default Python looks for cycles after each 700 new objects, a scrape of a thousand tasks makes ten times as many. Among all
# objects it looks only once there are a million more, and a quarter more than before.
_COLLECTOR_THRESHOLDS: Final = (10_000, 10, 10)
# By so many processes more or fewer, and by such a part, the objects of this process have changed much.
_MANY: Final = 10
_PART: Final = 0.25


class OwnMemory:
    """To be tidied every few seconds.

    Looking for cycles among all objects of a thousand tasks takes a tenth of a second, in which nothing else happens. So that is
    done only after much has come or gone. What the collector was told to pass over for ever (`gc.freeze`) is shared with the
    forkserver, and stays untouched.
    """

    def __init__(self) -> None:
        gc.set_threshold(*_COLLECTOR_THRESHOLDS)
        self._processes: int | None = None

    def tidy(self, processes: int) -> None:
        """Clear up; `processes` is how many there are now, for they are what this process keeps most objects of."""
        before = self._processes
        if before is None or abs(processes - before) > max(_MANY, _PART * before):
            self._processes = processes
            gc.collect()
        give_back()


def use_one_arena() -> None:
    """Have all threads allocate in one place: each would get one of its own, which is never full. The supervisor allocates too
    little for them to wait for each other. To be called before there are threads. Other C libraries than glibc have no call for
    it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
