"""Metrics of a worker's group, under the names of Java's `connect-worker-rebalance-metrics` and `connect-coordinator-metrics`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from supervisor.group import GroupMember
from supervisor.metrics.text import Family, labels
from supervisor.metrics.windows import Window

_WORKER: Final = "kafka_connect_worker_rebalance"
_COORDINATOR: Final = "kafka_connect_coordinator"
_PROTOCOLS: Final = ("EAGER", "COMPATIBLE", "SESSIONED")

COMPLETED: Final = Family(f"{_WORKER}_completed_rebalances_total", "counter", "Rounds of the group that were completed")
EPOCH: Final = Family(f"{_WORKER}_epoch", "gauge", "The generation of the group")
REBALANCING: Final = Family(f"{_WORKER}_rebalancing", "gauge", "Whether a round of the group is going on")
MAX_TIME: Final = Family(
    f"{_WORKER}_rebalance_max_time_ms", "gauge", "The longest that a new assignment took to be begun, in ms"
)
AVERAGE_TIME: Final = Family(
    f"{_WORKER}_rebalance_avg_time_ms", "gauge", "What a new assignment took to be begun, on average, in ms"
)
SINCE_LAST: Final = Family(f"{_WORKER}_time_since_last_rebalance_ms", "gauge", "Time since the last round, in ms")
LEADER: Final = Family(f"{_WORKER}_leader_name", "gauge", "The URL of the leader")
PROTOCOL: Final = Family(f"{_WORKER}_connect_protocol", "gauge", "The protocol that the group uses")
CONNECTORS: Final = Family(
    f"{_COORDINATOR}_assigned_connectors", "gauge", "Connectors that the group has given to the worker"
)
TASKS: Final = Family(f"{_COORDINATOR}_assigned_tasks", "gauge", "Tasks that the group has given to the worker")


class Rebalances:
    """`member` is asked only when somebody looks; times are those since an assignment came until its work was begun."""

    def __init__(
        self,
        member: Callable[[], GroupMember],
        assigned: Callable[[], tuple[int, int]],
        client_id: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._member = member
        self._assigned = assigned
        self._client = labels({"clientid": client_id})
        self.clock = clock
        self._completed = 0
        self._total_ms = 0.0
        self._last: float | None = None
        self._window = Window(totals=2, maxima=1)
        self._window.add(clock(), [0.0, 0.0], [0.0])

    def completed(self, began: float) -> None:
        """An assignment that came at `began`, by the clock of this, is in effect."""
        self._last = self.clock()
        took_ms = (self._last - began) * 1000
        self._completed += 1
        self._total_ms += took_ms
        self._window.add(self._last, [self._total_ms, float(self._completed)], [took_ms])

    def families(self) -> Iterable[tuple[Family, Iterable[tuple[str, float]]]]:
        """As `supervisor.metrics.worker.MoreMetrics`."""
        member, now = self._member(), self.clock()
        recent = self._window.look(now)
        connectors, tasks = self._assigned()
        return [
            (COMPLETED, [("", float(self._completed))]),
            (EPOCH, [("", float(member.generation))]),
            (REBALANCING, [("", float(not member.is_settled))]),
            (MAX_TIME, [("", recent.maxima[0])]),
            (AVERAGE_TIME, [("", recent.average(0, 1))]),
            (SINCE_LAST, [] if self._last is None else [("", (now - self._last) * 1000)]),
            (LEADER, [(labels({"leader_name": member.leader_url or ""}), 1.0)] if member.leader_url else []),
            (PROTOCOL, [(labels({"connect_protocol": _PROTOCOLS[member.protocol_version]}), 1.0)]),
            (CONNECTORS, [(self._client, float(connectors))]),
            (TASKS, [(self._client, float(tasks))]),
        ]
