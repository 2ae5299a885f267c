"""What a task has done over all of its processes, from their heartbeats."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from supervisor.metrics.windows import Window
from supervisor.units.lifecycle import Status, Statuses, UnitId
from tasks.messages import Heartbeat
from tasks.states import State

_COMMON_TOTALS: Final = ("offset-commit-time-s", "offset-commit-failures")
_COMMON_MAXIMA: Final = ("offset-commit-max-time-ms", "batch-size-max")


class _Kind:
    """Which counters of a kind of task become rates, averages and maxima."""

    def __init__(self, word: str, records: Sequence[str], commits: str, batches: str) -> None:
        self.records = records
        self.rates = [f"{name.removesuffix('total')}rate" for name in records]
        self.batch_average = f"{batches}-avg-time-ms"
        self.window_totals = (*records, f"{batches}-count", f"{batches}-time-s", commits, *_COMMON_TOTALS)
        self.maxima = (f"{batches}-max-time-ms", *_COMMON_MAXIMA)
        self.marker = records[0]
        self.word = word


_KINDS: Final = (
    _Kind("source", ("source-record-poll-total", "source-record-write-total"), "offset-commit-count", "poll-batch"),
    _Kind(
        "sink",
        (
            "sink-record-read-total",
            "sink-record-send-total",
            "offset-commit-completion-total",
            "offset-commit-skip-total",
        ),
        "offset-commit-completion-total",
        "put-batch",
    ),
)

# Counters that go on rising when one process of a task follows another; all others are as the last process said.
TOTALS: Final = frozenset(
    {
        *(name for kind in _KINDS for name in kind.window_totals),
        "total-record-failures",
        "total-record-errors",
        "total-records-skipped",
        "total-retries",
        "total-errors-logged",
        "deadletterqueue-produce-requests",
        "deadletterqueue-produce-failures",
        "process-cpu-seconds-total",
        *(
            f"{client}-{direction}-byte-total"
            for client in ("producer", "consumer")
            for direction in ("outgoing", "incoming")
        ),
    }
)


class TaskMetrics:
    """One connector or task. Times are monotonic seconds."""

    # Of thousands each byte counts.
    __slots__ = (
        "_base",
        "_began",
        "_generation",
        "_last",
        "_paused_s",
        "_ran_s",
        "_since",
        "_spec",
        "_state",
        "_window",
        "call",
        "heard",
        "positions",
        "source_lag",
    )

    def __init__(self, began: float) -> None:
        self.heard = began
        self.call: tuple[str, float] | None = None
        self.positions: list[tuple[str, int, int]] = []
        self.source_lag: dict[str, float] = {}
        self._generation = 0
        self._base: dict[str, float] = {}
        self._last: Mapping[str, float] = {}
        self._window: Window | None = None
        self._spec: _Kind | None = None
        self._state: State | None = None
        self._since = self._began = began
        self._ran_s = self._paused_s = 0.0  # in states that are over

    def on_heartbeat(self, heartbeat: Heartbeat, now: float) -> None:
        """Take the counters of a process; a new process begins at nothing, and what came before is kept."""
        if heartbeat.generation != self._generation:
            self._keep()
            self._generation = heartbeat.generation
        self.heard = now
        self._last = heartbeat.counters
        self.call = (heartbeat.call, heartbeat.call_s)
        self.positions, self.source_lag = heartbeat.positions, heartbeat.source_lag
        if self._spec is None:
            self._spec = next((kind for kind in _KINDS if kind.marker in heartbeat.counters), None)
            if self._spec is None:
                return
            self._window = Window(len(self._spec.window_totals), len(self._spec.maxima))
        assert self._window is not None
        totals = [self.total(name) for name in self._spec.window_totals]
        self._window.add(now, totals, [self._last.get(name, 0.0) for name in self._spec.maxima])

    def on_state(self, state: State, now: float) -> None:
        """Take a change of its state."""
        self._ran_s, self._paused_s = self._spent_s(State.RUNNING, now), self._spent_s(State.PAUSED, now)
        self._state, self._since = state, now

    def total(self, name: str) -> float:
        """A counter over all processes."""
        return self._base.get(name, 0.0) + self._last.get(name, 0.0)

    def values(self, now: float) -> dict[str, float]:
        """Everything, under the attribute names of Kafka's ConnectMetricsRegistry."""
        found = dict(self._last)
        for name, before in self._base.items():
            if name in found:
                found[name] += before
        found["running-ratio"] = self._ratio(State.RUNNING, now)
        found["pause-ratio"] = self._ratio(State.PAUSED, now)
        if self._spec is not None:
            self._add_windowed(found, self._spec, now)
        return found

    def _add_windowed(self, found: dict[str, float], spec: _Kind, now: float) -> None:
        assert self._window is not None
        recent = self._window.look(now)
        for index, name in enumerate(spec.rates):
            found[name] = recent.rate(index)
        found.update(zip(spec.maxima, recent.maxima, strict=True))
        count = len(spec.records)
        found["batch-size-avg"] = recent.average(0 if spec.word == "source" else 1, count)
        found[spec.batch_average] = 1000 * recent.average(count + 1, count)
        found["offset-commit-avg-time-ms"] = 1000 * recent.average(count + 3, count + 2)

    def _ratio(self, state: State, now: float) -> float:
        """As Java's StateTracker: the part of its life that it has spent in a state."""
        return self._spent_s(state, now) / (now - self._began) if now > self._began else 0.0

    def _spent_s(self, state: State, now: float) -> float:
        """RUNNING or PAUSED."""
        before = self._ran_s if state is State.RUNNING else self._paused_s
        return before + (now - self._since if self._state is state else 0.0)

    def _keep(self) -> None:
        for name, value in self._last.items():
            if name in TOTALS:
                self._base[name] = self._base.get(name, 0.0) + value
        self._last = {name: 0.0 if name in TOTALS else value for name, value in self._last.items()}


class UnitMetrics:
    """Of all connectors and tasks of a worker; those of what was deleted are forgotten, those of what failed are not."""

    def __init__(self) -> None:
        self._clock = time.monotonic
        self._units: dict[UnitId, TaskMetrics] = {}

    def follow(self, statuses: Statuses, clock: Callable[[], float]) -> None:
        """To be called once: whose metrics there are, statuses tell."""
        self._clock = clock
        statuses.listen(self._on_status)

    def on_heartbeat(self, unit: UnitId, heartbeat: Heartbeat) -> None:
        """To be called with each heartbeat."""
        metrics = self._units.get(unit)
        if metrics is not None:
            metrics.on_heartbeat(heartbeat, self._clock())

    def all(self) -> Iterable[tuple[UnitId, TaskMetrics]]:
        """Connectors and tasks."""
        return list(self._units.items())

    def _on_status(self, unit: UnitId, status: Status) -> None:
        if status.state is State.DESTROYED:
            self._units.pop(unit, None)
            return
        now = self._clock()
        metrics = self._units.get(unit)
        if metrics is None:
            metrics = self._units[unit] = TaskMetrics(now)
        metrics.on_state(status.state, now)
