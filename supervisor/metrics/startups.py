"""How many starts of connectors and tasks were tried, and how they ended (`WorkerMetricsGroup` in Kafka)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from supervisor.units.lifecycle import Status, Statuses, UnitId
from tasks.states import State

_WELL: Final = frozenset({State.RUNNING, State.PAUSED, State.STOPPED})


class Startups:
    """Counts by what was started. Each process counts once: what is reported of it first is how its start ended."""

    def __init__(self, statuses: Statuses) -> None:
        self.succeeded: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._settled: dict[UnitId, int] = {}
        statuses.listen(self._on_status)

    def _on_status(self, unit: UnitId, status: Status) -> None:
        if status.state is State.DESTROYED:
            self._settled.pop(unit, None)
            return
        if status.generation == 0 or self._settled.get(unit, 0) >= status.generation:
            return
        what = "connector" if unit.task is None else "task"
        if status.state in _WELL:
            self.succeeded[what] += 1
        elif status.state is State.FAILED or (status.state is State.RESTARTING and status.trace):
            self.failed[what] += 1
        else:
            return
        self._settled[unit] = status.generation
