"""What this worker does when its group changes (Kafka's `DistributedHerder.RebalanceListener`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from connectd.errors import ConnectException
from supervisor.group import Assignment
from supervisor.herder.distributed.rebalances import Rebalances
from supervisor.herder.distributed.work import Work
from supervisor.storage.config_log import ConfigLog
from supervisor.storage.status_log import StatusLog
from supervisor.units.lifecycle import UnitId

log = structlog.get_logger(__name__)

# A worker that cannot read what the leader has read goes on with what it runs, for so many tries of
# `worker.sync.timeout.ms` each.
CATCH_UP_TRIES: Final = 5
FLUSH_TIMEOUT_S: Final = 5.0


class WorkListener:
    """`after_round` is called after each round that has given an assignment, `leave` when this worker is too far behind, and
    `failed` when the group does not want it; `abandon` gives up what this worker still writes."""

    def __init__(
        self,
        work: Work,
        config_log: ConfigLog,
        status_log: StatusLog,
        rebalances: Rebalances,
        sync_timeout_s: float,
        after_round: Callable[[Assignment], Awaitable[None]],
        leave: Callable[[str], object],
        failed: Callable[[ConnectException], object],
        abandon: Callable[[], None],
    ) -> None:
        self._work = work
        self._config_log = config_log
        self._status_log = status_log
        self._rebalances = rebalances
        self._sync_timeout_s = sync_timeout_s
        self._after_round = after_round
        self._leave = leave
        self._failed = failed
        self._abandon = abandon

    async def on_assigned(self, assignment: Assignment, generation: int) -> None:
        began = self._rebalances.clock()
        log.info(
            f"generation {generation} of the group: {len(assignment.connectors)} connectors and {len(assignment.tasks)} "
            "tasks are this worker's",
            leader=assignment.leader_url,
            error=assignment.error or None,
            delay_ms=assignment.delay_ms or None,
        )
        if not await self._catch_up(assignment) or assignment.failed:
            return
        self._work.assign(assignment.connectors, assignment.tasks)
        self._rebalances.completed(began)
        await self._after_round(assignment)

    async def on_granted(self, units: Sequence[UnitId]) -> None:
        log.info(f"{', '.join(map(str, units))}: granted to this worker, without a round of the group")
        self._work.add(units)

    async def on_revoked(self, leader: str | None, connectors: Sequence[str], tasks: Sequence[UnitId]) -> None:
        log.info(f"{len(connectors)} connectors and {len(tasks)} tasks go to other workers")
        await self._work.revoke(connectors, tasks)
        await self._status_log.flush(FLUSH_TIMEOUT_S)

    async def on_lost(self, reason: str) -> None:
        log.warning(f"stopping everything, for others may take it over: {reason}")
        self._abandon()
        await self._work.drop()

    async def on_poll_timeout(self) -> None:
        await self.on_lost("this worker took longer for a round than rebalance.timeout.ms")

    async def on_failed(self, error: ConnectException) -> None:
        await self._work.drop()
        self._failed(error)

    async def _catch_up(self, assignment: Assignment) -> bool:
        """Read the config topic as far as the leader has, or, where that did not help the group, to its end."""
        if not assignment.failed and self._has_read(assignment):
            return True
        for _ in range(CATCH_UP_TRIES):
            is_at_end = await self._read_to_end()
            if self._has_read(assignment):
                return True
            if is_at_end:
                self._doubt_topic(assignment)
            if assignment.failed:
                return True
            if is_at_end:
                await asyncio.sleep(self._sync_timeout_s)
        await self._work.drop()
        self._leave("it cannot read what the leader has read of the config topic")
        return False

    async def _read_to_end(self) -> bool:
        try:
            await self._config_log.refresh(self._sync_timeout_s)
        except (TimeoutError, ConnectException) as error:
            log.warning(f"the config topic cannot be read to its end: {error or 'no answer in time'}")
            return False
        return True

    def _has_read(self, assignment: Assignment) -> bool:
        return self._config_log.snapshot().offset >= assignment.offset

    def _doubt_topic(self, assignment: Assignment) -> None:
        """This worker's is read to its end, and yet another worker has read more: Java's workers do not say which topic."""
        log.error(
            f"a worker of the group has read the config topic to offset {assignment.offset}, but this worker's ends at "
            f"{self._config_log.snapshot().offset}: all of them need the same config.storage.topic"
        )
