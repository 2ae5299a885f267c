"""The work of whole connectors: what the first page of the web page shows, small enough to be asked for every two seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from supervisor.herder.entities import ConnectorStateInfo
from supervisor.metrics.activity import Activity
from tasks.states import State

Number = TypeVar("Number", int, float)

_REASON_CHARACTERS: Final = 200


class Work(msgspec.Struct, kw_only=True):
    """What a connector and its tasks do on one worker, or on all. Rates are of the last minute; what is not known is None."""

    records_per_s: float | None = None
    records: int | None = None
    lag_records: int | None = None
    lag_seconds: float | None = None  # of the task that is furthest behind
    source_lag: dict[str, float] = {}
    memory_bytes: int | None = None
    cpu_seconds: float | None = None
    restarts: int = 0
    stalled: int = 0

    def add(self, other: Work | Activity) -> None:
        """Count a task, or what another worker does, too."""
        self.records_per_s = _sum(self.records_per_s, other.records_per_s)
        self.records = _sum(self.records, other.records)
        self.lag_records = _sum(self.lag_records, other.lag_records)
        known = [each for each in (self.lag_seconds, other.lag_seconds) if each is not None]
        self.lag_seconds = max(known, default=None)
        for unit, lag in other.source_lag.items():
            self.source_lag[unit] = self.source_lag.get(unit, 0.0) + lag
        self.memory_bytes = _sum(self.memory_bytes, other.memory_bytes)
        self.cpu_seconds = _sum(self.cpu_seconds, other.cpu_seconds)
        self.restarts += other.restarts
        self.stalled += other.stalled


class Share(msgspec.Struct, kw_only=True):
    """What one worker does, by connector, and all workers that it knows: the leader knows them."""

    connectors: dict[str, Work]
    workers: list[str] = []


class ConnectorOverview(msgspec.Struct, kw_only=True):
    """One connector; `tasks` says how many are in each state, `reason` says in one line why something failed."""

    name: str
    type: str
    class_: str = msgspec.field(name="class")
    state: State
    worker_id: str
    tasks: dict[State, int]
    reason: str
    work: Work


class WorkerOverview(msgspec.Struct, kw_only=True):
    """One worker with what runs there; `problem` says why it has told nothing about that."""

    worker_id: str
    leads: bool
    problem: str | None
    connectors: int
    tasks: int
    failed: int
    work: Work


class Overview(msgspec.Struct, kw_only=True):
    """`worker_id` is the worker that tells this."""

    worker_id: str
    workers: list[WorkerOverview]
    connectors: list[ConnectorOverview]


class Missing(msgspec.Struct):
    """A worker that has not told what it knows, and why."""

    worker_id: str
    reason: str


class UnitActivities(msgspec.Struct, kw_only=True):
    """What a connector and its tasks are doing; `missing` are the workers that did not tell."""

    units: list[Activity]
    missing: list[Missing]


def works(activities: Iterable[Activity]) -> dict[str, Work]:
    """By connector."""
    found: dict[str, Work] = {}
    for each in activities:
        found.setdefault(each.connector, Work()).add(each)
    return found


def connector_overview(status: ConnectorStateInfo, class_name: str, work: Iterable[Work]) -> ConnectorOverview:
    """Its state with all that workers do for it."""
    return ConnectorOverview(
        name=status.name,
        type=status.type,
        class_=class_name,
        state=status.connector.state,
        worker_id=status.connector.worker_id,
        tasks=dict(Counter(task.state for task in status.tasks)),
        reason=_reason(status),
        work=total(work),
    )


def worker_overviews(
    statuses: Iterable[ConnectorStateInfo],
    known: Mapping[str, Mapping[str, Work]],
    problems: Mapping[str, str],
    leader: str | None,
) -> list[WorkerOverview]:
    """`known` is the work of each connector by worker."""
    connectors: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for status in statuses:
        connectors[status.connector.worker_id] += 1
        failed[status.connector.worker_id] += status.connector.state is State.FAILED
        for task in status.tasks:
            tasks[task.worker_id] += 1
            failed[task.worker_id] += task.state is State.FAILED
    return [
        WorkerOverview(
            worker_id=worker,
            leads=worker == leader,
            problem=problems.get(worker),
            connectors=connectors[worker],
            tasks=tasks[worker],
            failed=failed[worker],
            work=total(known.get(worker, {}).values()),
        )
        for worker in sorted(known.keys() | problems.keys())
    ]


def total(works: Iterable[Work]) -> Work:
    """All of it as one."""
    sum = Work()
    for each in works:
        sum.add(each)
    return sum


def _reason(status: ConnectorStateInfo) -> str:
    return reason_of(next((unit.trace for unit in status.units if unit.trace), ""))


def reason_of(trace: str) -> str:
    """What a trace says in one line; Python writes it below the calls."""
    lines = trace.splitlines()
    below = max((number + 1 for number, line in enumerate(lines) if line.startswith("Traceback ")), default=0)
    said = (line for line in lines[below:] if line[:1].strip())
    return next(said, trace.partition("\n")[0])[:_REASON_CHARACTERS]


def _sum(first: Number | None, second: Number | None) -> Number | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second
