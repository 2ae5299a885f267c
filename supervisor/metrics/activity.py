"""What each connector and task of a worker is doing: the numbers behind `connectd top` and the web page."""

from __future__ import annotations

from collections import Counter

import msgspec

from supervisor.metrics.lag import LagWatch
from supervisor.processes.exits import Cause
from supervisor.units.lifecycle import UnitId, has_process
from supervisor.units.unit import STALLED, Surroundings
from tasks.states import State


class Activity(msgspec.Struct, kw_only=True):
    """One connector, without `task`, or task. Rates are of the last minute; what is not known is None."""

    connector: str
    task: int | None
    state: State
    worker_id: str
    pid: int | None
    since: float  # seconds since the epoch
    call: str | None
    call_s: float | None
    records_per_s: float | None
    records: int | None
    lag_records: int | None
    lag_seconds: float | None
    source_lag: dict[str, float]
    cpu_seconds: float | None
    memory_bytes: int | None
    restarts: int
    failures: int
    stalled: bool


_RATES = ("source-record-write-rate", "sink-record-send-rate")
_TOTALS = ("source-record-write-total", "sink-record-send-total")


def activities(surroundings: Surroundings, lag: LagWatch, worker_id: str) -> list[Activity]:
    """Of all connectors and tasks of this worker, sorted."""
    now = surroundings.clock()
    statuses, counts = surroundings.statuses.all, surroundings.counts
    behind: dict[UnitId, tuple[int, float]] = {}
    for each in lag.lags() if lag.is_recent else ():
        before = behind.get(each.unit, (0, 0.0))
        behind[each.unit] = (before[0] + each.records, max(before[1], each.seconds))
    restarts, failures = _by_unit(counts.restarts), _by_unit(counts.failures)
    found = []
    for unit, metrics in surroundings.metrics.all():
        status = statuses.get(unit)
        if status is None:
            continue
        values = metrics.values(now)
        records, seconds = behind.get(unit, (None, None))
        beat = metrics.call if has_process(status) else None
        found.append(
            Activity(
                connector=unit.connector,
                task=unit.task,
                state=status.state,
                worker_id=worker_id,
                pid=status.pid if has_process(status) else None,
                since=status.since,
                call=None if beat is None else beat[0],
                call_s=None if beat is None else beat[1] + now - metrics.heard,
                records_per_s=next((values[name] for name in _RATES if name in values), None),
                records=next((int(values[name]) for name in _TOTALS if name in values), None),
                lag_records=records,
                lag_seconds=seconds,
                source_lag=metrics.source_lag,
                cpu_seconds=values.get("process-cpu-seconds-total"),
                memory_bytes=_whole(values.get("process-resident-memory-bytes")) if has_process(status) else None,
                restarts=restarts[unit],
                failures=failures[unit],
                stalled=(status.trace or "").startswith(STALLED),
            )
        )
    return sorted(found, key=lambda each: (each.connector, -1 if each.task is None else each.task))


def _by_unit(counts: Counter[tuple[UnitId, Cause]]) -> Counter[UnitId]:
    sums: Counter[UnitId] = Counter()
    for (unit, _), count in counts.items():
        sums[unit] += count
    return sums


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
