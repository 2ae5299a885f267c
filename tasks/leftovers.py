"""What a process has freed goes back to the system: the C library keeps tens of megabytes of a burst for another one."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Final

# Whoever has moved no record for so long is done with a burst; whoever moves some all the time needs the memory.
CALM_S: Final = 5.0
_MOVED: Final = ("source-record-poll-total", "sink-record-read-total")

# Other C libraries than glibc have no call for it.
_trim: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Return to the system what nobody uses. It takes a few milliseconds after a burst."""
    if _trim is not None:
        _trim(0)


class Calm:
    """Tells when a task has come to rest."""

    def __init__(self) -> None:
        self._moved: list[float] = []
        self._since = 0.0
        self._told = True

    def has_come(self, now: float, counters: Mapping[str, float]) -> bool:
        """Once after each time in which records were moved. `now` is monotonic."""
        moved = [counters.get(name, 0.0) for name in _MOVED]
        if moved != self._moved:
            self._moved, self._since, self._told = moved, now, False
        elif not self._told and now - self._since >= CALM_S:
            self._told = True
            return True
        return False
