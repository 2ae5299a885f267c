"""The state of everything that runs, as lines in the log."""

from __future__ import annotations

import structlog

from supervisor.herder.herder import LocalHerder
from tasks.messages import Heartbeat
from tasks.states import Call

log = structlog.get_logger(__name__)


def dump_state(herder: LocalHerder) -> None:
    """One line a connector and task."""
    units = [*herder.worker.connectors.values(), *herder.worker.tasks.values()]
    for unit in sorted(units, key=lambda unit: (unit.id.connector, -1 if unit.id.task is None else unit.id.task)):
        status = herder.worker.surroundings.statuses[unit.id]
        log.info(
            f"state of {unit.id}: {status.state}{_doing(unit.heartbeat)}",
            connector=unit.id.connector,
            **({} if unit.id.task is None else {"task": unit.id.task}),
            process=status.pid,
            generation=status.generation,
            trace=status.trace,
            **(unit.heartbeat.counters if unit.heartbeat is not None else {}),
        )


def _doing(heartbeat: Heartbeat | None) -> str:
    if heartbeat is None or heartbeat.call is Call.NONE:
        return ""
    return f", in {heartbeat.call} for {heartbeat.call_s:.1f} s"
