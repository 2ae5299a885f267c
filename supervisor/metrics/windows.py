"""Rates, averages and maxima over the last minute, of totals that come with heartbeats."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

# As metrics.sample.window.ms times metrics.num.samples by default: what is older does not count.
WINDOW_S: Final = 60.0
# A window begins anew in steps of this: with a thousand tasks, more would be much memory for little.
STEP_S: Final = 6.0


class _Step:
    """What the totals were when it began, and the maxima since."""

    __slots__ = ("began", "maxima", "totals")

    def __init__(self, began: float, totals: array[float]) -> None:
        self.began = began
        self.totals = totals
        self.maxima: array[float] | None = None  # nothing was seen


class Window:
    """Some totals, which only rise, and some maxima, each since the heartbeat before. Times are monotonic seconds."""

    __slots__ = ("_maxima", "_steps", "_totals")

    def __init__(self, maxima: int) -> None:
        self._maxima = maxima
        self._steps: list[_Step] = []  # a deque would take ten times as much for the few that there are
        self._totals: array[float] = array("d")

    def add(self, now: float, totals: Sequence[float], maxima: Sequence[float]) -> None:
        """Take what a heartbeat brought."""
        now_totals = array("d", totals)
        if now_totals != self._totals:  # those of an idle task are kept once
            self._totals = now_totals
        steps = self._steps
        if steps and any(maxima):
            kept = steps[-1].maxima or [0.0] * self._maxima
            steps[-1].maxima = array("d", map(max, kept, maxima))
        if not steps or now - steps[-1].began >= STEP_S:
            steps.append(_Step(now, self._totals))
            self._forget(now)

    def rate(self, index: int, now: float) -> float:
        """How fast a total rises, per second. What sends no heartbeats any more comes to rest."""
        self._forget(now)
        seconds = now - self._steps[0].began if self._steps else 0.0
        return self._rise(index) / seconds if seconds > 0 else 0.0

    def average(self, total: int, count: int, now: float) -> float:
        """The rise of one total by that of another; 0 if there was nothing."""
        self._forget(now)
        counted = self._rise(count)
        return self._rise(total) / counted if counted > 0 else 0.0

    def maximum(self, index: int, now: float) -> float:
        """The largest that was seen; 0 if there was nothing."""
        self._forget(now)
        return max((step.maxima[index] for step in self._steps if step.maxima), default=0.0)

    def _rise(self, index: int) -> float:
        return self._totals[index] - self._steps[0].totals[index] if self._steps else 0.0

    def _forget(self, now: float) -> None:
        """The oldest step is the one that the window begins in."""
        steps = self._steps
        while len(steps) > 1 and now - steps[1].began >= WINDOW_S:
            del steps[0]
        if len(steps) == 1 and now - steps[0].began >= 2 * WINDOW_S:
            steps[0] = _Step(now - WINDOW_S, self._totals)
