"""Follows things that grow, a topic and a file, until all has arrived, and remembers how fast it came."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.processes import Program, RunFailed

POLL_INTERVAL_S = 0.01
STALL_TIMEOUT_S = 60.0


class Arrival:
    """What has arrived of `goal` units, counted by `count`."""

    def __init__(self, name: str, goal: int, count: Callable[[], int]) -> None:
        self.name = name
        self.amount = 0
        # How much was there when the first of it was seen: how long that took is not known.
        self.first_amount = 0
        self._goal = goal
        self._count = count
        self.first_at = 0.0
        self._last_at = 0.0

    def look(self) -> bool:
        """See what is there now; whether it has grown."""
        if self.complete or (amount := self._count()) <= self.amount:
            return False
        self._last_at = time.monotonic()
        if not self.amount:
            self.first_amount, self.first_at = amount, self._last_at
        self.amount = amount
        return True

    @property
    def complete(self) -> bool:
        return self.amount >= self._goal

    @property
    def percent(self) -> int:
        return min(100, 100 * self.amount // self._goal)

    @property
    def seconds(self) -> float:
        """From the first sight to the last growth."""
        return max(self._last_at - self.first_at, POLL_INTERVAL_S)


def follow(program: Program, arrivals: list[Arrival], report: Callable[[str], None]) -> None:
    """Wait until everything has arrived. Raises RunFailed when the program fails or nothing comes any more."""
    moved_at = time.monotonic()
    while not all(arrival.complete for arrival in arrivals):
        for arrival in arrivals:
            if arrival.look():
                moved_at = time.monotonic()
        state = ", ".join(f"{arrival.name} {arrival.percent} %" for arrival in arrivals)
        report(state)
        program.check()
        if time.monotonic() - moved_at > STALL_TIMEOUT_S:
            raise RunFailed(f"{state}, and nothing more for {STALL_TIMEOUT_S:.0f} s:\n{program.log_tail()}")
        time.sleep(POLL_INTERVAL_S)
