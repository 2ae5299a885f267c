"""The thread that tells the supervisor that this child lives, what it is doing and what it has done.

It looks once a second, and says nothing as long as there is nothing new: a thousand idle tasks are to cost next to nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final, NoReturn

import msgspec

from tasks.control import Control
from tasks.leftovers import Calm, give_back
from tasks.messages import Heartbeat
from tasks.states import Call

LOOK_INTERVAL_S: Final = 1.0
# A call that takes as long is told of, and so is its end: in between the supervisor knows what the child is in.
LONG_CALL_S: Final = 2.0
# Without news there is a heartbeat this often.
SILENCE_S: Final = 10.0

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


class Measures(msgspec.Struct, kw_only=True):
    """What a heartbeat tells beside the call: see `tasks.messages.Heartbeat`."""

    counters: dict[str, float] = {}
    positions: list[tuple[str, int, int]] = []
    source_lag: dict[str, float] = {}


class News:
    """Tells what the supervisor does not know yet. Times are monotonic."""

    def __init__(self) -> None:
        self._measures: Measures | None = None
        self._told = 0.0
        self._since = 0.0

    def is_due(self, now: float, since: float, measures: Measures) -> bool:
        """Whether to send a heartbeat, which is then taken for sent. `since` is when the child entered the call it is in."""
        told_long = self._told - self._since >= LONG_CALL_S
        known = self._since == since if told_long else now - since < LONG_CALL_S
        if known and measures == self._measures and now - self._told < SILENCE_S:
            return False
        self._measures, self._told, self._since = measures, now, since
        return True


def start_heartbeat(
    control: Control, measure: Callable[[], Measures], measure_more: Callable[[], dict[str, float]] | None = None
) -> None:
    """Start it. The first beat is sent when this returns. `measure_more` is asked for counters that are no news by themselves
    when a beat is sent: by default what this process uses of the machine."""
    measure_more = measure_more or Usage(os.getpid())
    news, calm = News(), Calm()

    def look() -> None:
        control.on_heartbeat()
        call, since = control.call
        measures, now = measure(), time.monotonic()
        if call is Call.NONE:
            since = now  # to wait for work is no call that could take long
        if calm.has_come(now, measures.counters):
            give_back()
        if news.is_due(now, since, measures):
            control.send(
                Heartbeat(
                    generation=control.generation,
                    call=call,
                    call_s=now - since,
                    counters=measures.counters | measure_more(),
                    positions=measures.positions,
                    source_lag=measures.source_lag,
                )
            )

    def look_for_ever() -> NoReturn:
        while True:
            time.sleep(LOOK_INTERVAL_S)
            look()

    # By this thread, which has left the import behind: what comes next may not let another one say so.
    look()
    threading.Thread(target=look_for_ever, name="heartbeat", daemon=True).start()


class Usage:
    """What a process uses of the machine, when it is called."""

    def __init__(self, pid: int) -> None:
        """Raises OSError if there is no such process."""
        self._pid = pid
        self._statm = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)

    def __call__(self) -> dict[str, float]:
        """Under the names that counters have. Raises OSError when the process is gone."""
        times = os.pread(self._stat, 1024, 0).rpartition(b")")[2].split()[11:13]
        return {
            "process-cpu-seconds-total": sum(map(int, times)) / _TICKS_PER_S,
            "process-resident-memory-bytes": int(os.pread(self._statm, 100, 0).split()[1]) * _PAGE_BYTES,
            "process-open-fds": len(os.listdir(f"/proc/{self._pid}/fd")) - (self._pid == os.getpid()),  # noqa: PTH208 (cheaper)
        }
