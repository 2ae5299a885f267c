"""What happened to connectors and tasks since the worker started, as counts that only rise: metrics read them."""

from __future__ import annotations

import enum
from collections import Counter
from typing import TypeVar

from supervisor.processes.exits import Cause
from supervisor.units.lifecycle import UnitId
from tasks.states import Call

K = TypeVar("K")


class ReloadResult(enum.StrEnum):
    """What a reload did with one connector file."""

    APPLIED = "applied"  # new or changed
    REMOVED = "removed"
    REJECTED = "rejected"  # it is wrong: the last good configuration keeps running


class Counts:
    """`failures` are ends that nobody asked for, `restarts` those of them that were followed by a restart; `hangs` are calls
    beyond their limit, None standing for a process without a sign of life."""

    def __init__(self) -> None:
        self.failures: Counter[tuple[UnitId, Cause]] = Counter()
        self.restarts: Counter[tuple[UnitId, Cause]] = Counter()
        self.hangs: Counter[tuple[UnitId, Call | None]] = Counter()
        self.reloads: Counter[ReloadResult] = Counter()

    def forget(self, unit: UnitId) -> None:
        """Leave nothing of a connector or task that was deleted."""
        _forget(self.failures, unit)
        _forget(self.restarts, unit)
        _forget(self.hangs, unit)


def _forget(counter: Counter[tuple[UnitId, K]], unit: UnitId) -> None:
    for key in [key for key in counter if key[0] == unit]:
        del counter[key]
