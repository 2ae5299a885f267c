"""How soon one round of the group may follow another, where connectors are created one after the other by the hundred."""

from __future__ import annotations

from typing import Final

# A new connector takes two rounds: its own, and that of the tasks that it plans.
ROUNDS_AT_ONCE: Final = 3
INTERVAL_S: Final = 0.5


class Pace:
    """Lets some rounds follow each other at once, and then one in each interval, which distributes all that came meanwhile.

    Each member counts the rounds of the group, whoever wanted them, so that all keep the same pace. Times are seconds on
    any one clock.
    """

    def __init__(self) -> None:
        # When everything that was counted will be forgotten.
        self._empty_at = float("-inf")

    def note_round(self, now: float) -> None:
        """A round was completed."""
        self._empty_at = max(self._empty_at, now) + INTERVAL_S

    def next_round(self, now: float) -> float:
        """When the next one may begin, which may be in the past."""
        return max(now, self._empty_at - (ROUNDS_AT_ONCE - 1) * INTERVAL_S)
