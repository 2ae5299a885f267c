"""The states of connectors and tasks: which moves are legal, and the one function that makes them.

States and moves are those of Kafka's `AbstractStatus.State` and `StatusBackingStore` users; what is new is that a failed one
may become RESTARTING by itself.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
import structlog

from tasks.states import State

log = structlog.get_logger(__name__)

# The end of a state is always legal: UNASSIGNED when the worker stops or starts it anew, DESTROYED when it is deleted.
_END: Final = frozenset({State.UNASSIGNED, State.DESTROYED})

LEGAL_MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.UNASSIGNED: frozenset(
        {State.RUNNING, State.PAUSED, State.FAILED, State.RESTARTING, State.STOPPED, State.DESTROYED}
    ),
    State.RUNNING: frozenset({State.PAUSED, State.FAILED, State.RESTARTING, State.STOPPED}) | _END,
    State.PAUSED: frozenset({State.RUNNING, State.FAILED, State.RESTARTING, State.STOPPED}) | _END,
    # As in Java, what has failed runs again only after a restart.
    State.FAILED: frozenset({State.RESTARTING, State.STOPPED}) | _END,
    State.RESTARTING: frozenset({State.RUNNING, State.PAUSED, State.FAILED, State.STOPPED}) | _END,
    State.STOPPED: frozenset({State.PAUSED}) | _END,
    State.DESTROYED: frozenset(),
}

_LOG_LEVELS: Final = {State.FAILED: logging.ERROR, State.RESTARTING: logging.WARNING, State.UNASSIGNED: logging.DEBUG}


class UnitId(msgspec.Struct, frozen=True, order=True):
    """A connector, or with a number one of its tasks. Prints as Kafka does: `name`, `name-0`."""

    connector: str
    task: int | None = None

    def __str__(self) -> str:
        return self.connector if self.task is None else f"{self.connector}-{self.task}"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a connector or task now. `since` is wall-clock seconds; `trace` explains FAILED and RESTARTING,
    and any other state if the process is stalled."""

    state: State
    since: float
    generation: int = 0
    pid: int | None = None
    trace: str | None = None


def has_process(status: Status) -> bool:
    """Whether a process of it works; that of one that has failed may be on its way out."""
    return status.pid is not None and status.state in (State.RUNNING, State.PAUSED, State.STOPPED)


Listener = Callable[[UnitId, Status], None]


class Statuses:
    """The status of everything that this worker runs."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._statuses: dict[UnitId, Status] = {}
        # Of each connector, so that nobody has to look through all of them.
        self._tasks: defaultdict[str, set[UnitId]] = defaultdict(set)
        self._listeners: list[Listener] = []
        self.moves: Counter[State] = Counter()

    def __getitem__(self, unit: UnitId) -> Status:
        return self._statuses[unit]

    def get(self, unit: UnitId) -> Status | None:
        """The status, None if there is no such connector or task."""
        return self._statuses.get(unit)

    @property
    def all(self) -> Mapping[UnitId, Status]:
        """All statuses; read-only."""
        return MappingProxyType(self._statuses)

    def listen(self, listener: Listener) -> None:
        """Call `listener` after each change, in the order of the changes."""
        self._listeners.append(listener)

    def change(
        self,
        unit: UnitId,
        state: State,
        *,
        generation: int = 0,
        pid: int | None = None,
        trace: str | None = None,
    ) -> None:
        """Move a connector or task to a state: the only place where that happens. DESTROYED forgets it.

        Staying in the state, with another trace or process, is legal; ValueError is raised for a move that is not.
        """
        before = self._statuses.get(unit)
        if before is not None and state is not before.state and state not in LEGAL_MOVES[before.state]:
            raise ValueError(f"{unit} cannot move from {before.state} to {state}")
        status = Status(state=state, since=self._clock(), generation=generation, pid=pid, trace=trace)
        self._statuses[unit] = status
        if unit.task is not None:
            self._tasks[unit.connector].add(unit)
        if state is State.DESTROYED:
            self._forget(unit)
        if before is None or before.state is not state or before.trace != trace:
            self.moves[state] += 1
            _log_change(unit, status)
        for listener in self._listeners:
            listener(unit, status)

    def tasks_of(self, connector: str) -> Iterable[tuple[UnitId, Status]]:
        """The tasks of a connector by number."""
        return [(unit, self._statuses[unit]) for unit in sorted(self._tasks.get(connector, ()))]

    def _forget(self, unit: UnitId) -> None:
        del self._statuses[unit]
        tasks = self._tasks.get(unit.connector, set())
        tasks.discard(unit)
        if not tasks:
            self._tasks.pop(unit.connector, None)


def _log_change(unit: UnitId, status: Status) -> None:
    what, number = ("connector", {}) if unit.task is None else ("task", {"task": unit.task})
    reason = f": {status.trace.strip()}" if status.trace else ""
    process = {} if status.pid is None else {"process": status.pid}
    level = _LOG_LEVELS.get(status.state, logging.INFO)
    if status.trace:
        level = max(level, logging.WARNING)
    log.log(level, f"{what} {unit} is {status.state}{reason}", connector=unit.connector, **number, **process)
