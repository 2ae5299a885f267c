"""Rates, averages and maxima over the last minute, of totals that come with heartbeats."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import sub
from typing import Final, NamedTuple

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


class Look(NamedTuple):
    """A window as it is at some time: its length, by how much each total has risen in it, and the maxima."""

    seconds: float
    rises: Sequence[float]
    maxima: Sequence[float]

    def rate(self, index: int) -> float:
        """How fast a total rises, per second. What sends no heartbeats any more comes to rest."""
        return self.rises[index] / self.seconds if self.seconds > 0 else 0.0

    def average(self, total: int, count: int) -> float:
        """The rise of one total by that of another; 0 if there was nothing."""
        counted = self.rises[count]
        return self.rises[total] / counted if counted > 0 else 0.0


class Window:
    """Some totals, which only rise, and some maxima, each since the heartbeat before. Times are monotonic seconds."""

    __slots__ = ("_no_maxima", "_no_rises", "_steps", "_totals")

    def __init__(self, totals: int, maxima: int) -> None:
        self._no_rises = (0.0,) * totals
        self._no_maxima = (0.0,) * maxima
        self._steps: list[_Step] = []  # a deque would take ten times as much for the few that there are
        self._totals: array[float] = array("d")

    def add(self, now: float, totals: Sequence[float], maxima: Sequence[float]) -> None:
        """Take what a heartbeat brought."""
        now_totals = array("d", totals)
        if now_totals != self._totals:  # those of an idle task are kept once
            self._totals = now_totals
        steps = self._steps
        if steps and any(maxima):
            kept = steps[-1].maxima or self._no_maxima
            steps[-1].maxima = array("d", map(max, kept, maxima))
        if not steps or now - steps[-1].began >= STEP_S:
            steps.append(_Step(now, self._totals))
            self._forget(now)

    def look(self, now: float) -> Look:
        """All of it at once. Where nothing was done for a whole window, which is most often, that costs next to nothing."""
        self._forget(now)
        steps = self._steps
        if not steps:
            return Look(0.0, self._no_rises, self._no_maxima)
        rises: Sequence[float] = self._no_rises
        if steps[0].totals is not self._totals:
            rises = list(map(sub, self._totals, steps[0].totals))
        seen = [step.maxima for step in steps if step.maxima]
        maxima = list(map(max, zip(*seen, strict=True))) if seen else self._no_maxima
        return Look(now - steps[0].began, rises, maxima)

    def _forget(self, now: float) -> None:
        """The oldest step is the one that the window begins in."""
        steps = self._steps
        while len(steps) > 1 and now - steps[1].began >= WINDOW_S:
            del steps[0]
        if len(steps) == 1 and now - steps[0].began >= 2 * WINDOW_S:
            steps[0] = _Step(now - WINDOW_S, self._totals)
