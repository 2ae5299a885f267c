"""Tells the cluster the states of what this worker runs, as Java's `AbstractHerder` does from its listeners."""

from __future__ import annotations

from collections.abc import Callable

from supervisor.storage.status_log import StatusLog
from supervisor.storage.status_records import WorkStatus
from supervisor.units.lifecycle import Status, Statuses, UnitId
from tasks.states import State


class StatusReporter:
    """Writes each change to the status topic, as long as this worker `may_write`: one that was superseded may not.

    What a worker says when it lets something go, or when that has failed, must not hide what the next worker has said.
    """

    def __init__(
        self,
        statuses: Statuses,
        log: StatusLog,
        worker_id: str,
        generation: Callable[[], int],
        version: Callable[[str], str | None],
        may_write: Callable[[], bool],
    ) -> None:
        self._log = log
        self._worker_id = worker_id
        self._generation = generation
        self._version = version
        self._may_write = may_write
        self._known: dict[UnitId, tuple[State, str | None]] = {}
        statuses.listen(self._on_change)

    def unassigned(self, unit: UnitId) -> None:
        """It has ended here, and another worker may run it."""
        self._report(unit, State.UNASSIGNED, None)

    def deleted(self, unit: UnitId) -> None:
        """It does not exist any more: for the leader to say."""
        self._report(unit, State.DESTROYED, None)

    def _on_change(self, unit: UnitId, status: Status) -> None:
        before = self._known.get(unit)
        if status.state is State.DESTROYED:
            # It has been ordered to end, which takes a while, and may be going to another worker.
            self._known.pop(unit, None)
            self._log.withdraw(unit)
            return
        self._known[unit] = said = status.state, status.trace
        if before == said:
            return  # in another process, or without any
        if before is None and status.state is State.UNASSIGNED:
            return  # about to start: as in Java, no reason to hide what it was before
        self._report(unit, status.state, status.trace)

    def _report(self, unit: UnitId, state: State, trace: str | None) -> None:
        if not self._may_write():
            return
        status = WorkStatus(
            state=state,
            worker_id=self._worker_id,
            generation=self._generation(),
            trace=trace,
            version=self._version(unit.connector),
        )
        if state in (State.UNASSIGNED, State.FAILED):
            self._log.put_safe(unit, status)
        else:
            self._log.put(unit, status)
