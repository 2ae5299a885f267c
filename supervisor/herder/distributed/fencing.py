"""Before a new set of an exactly-once source's tasks starts, the leader fences the producers of the sets before it (KIP-618)."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from connectd.errors import ConnectException, NotFoundException
from supervisor.herder.distributed.kinds import ConnectorKinds
from supervisor.herder.distributed.leadership import Leadership
from supervisor.herder.entities import ConnectorType
from supervisor.herder.errors import BadRequest, OperationInProgress, Unavailable
from supervisor.inquiries.inquiry import InquiryRefused, ask
from supervisor.storage.config_log import ConfigLog
from supervisor.storage.snapshot import ClusterConfig
from supervisor.units.unit import Surroundings
from tasks.clients import transactional_id
from tasks.messages import FenceProducers, ProducersFenced, Reason
from tasks.settings import DistributedConfig

log = structlog.get_logger(__name__)

# As Java's; the child gets a little longer before it is given up, so that it can say what went wrong.
FENCING_TIMEOUT_S: Final = 90.0
_GRACE_S: Final = 20.0


class ZombieFencing:
    """As `DistributedHerder.doFenceZombieSourceTasks`: for the leader only."""

    def __init__(
        self,
        surroundings: Surroundings,
        settings: DistributedConfig,
        config_log: ConfigLog,
        leadership: Leadership,
        kinds: ConnectorKinds,
    ) -> None:
        self._surroundings = surroundings
        self._settings = settings
        self._config_log = config_log
        self._leadership = leadership
        self._kinds = kinds
        # All tasks of a new set ask at the same time.
        self._rounds: dict[str, asyncio.Task[None]] = {}

    async def fence(self, connector: str) -> None:
        """Returns when nothing that earlier tasks of the connector still write is committed any more, and that is noted.

        Raises RequestTarget, NotFoundException, BadRequest, OperationInProgress, Unavailable, ConnectException.
        """
        self._leadership.require("perform zombie fencing.")
        config = self._config_log.snapshot().connector_config(connector)
        if config is None:
            raise NotFoundException(f"Connector {connector} not found")
        if self._kinds.kind(config) is ConnectorType.SINK:
            raise BadRequest(f"Connector {connector} is not a source connector")
        if connector not in self._rounds:
            task = asyncio.get_running_loop().create_task(self._fence(connector))
            self._rounds[connector] = task
            task.add_done_callback(lambda done: self._rounds.pop(connector))
        await asyncio.shield(self._rounds[connector])

    async def _fence(self, connector: str) -> None:
        config = await self._refreshed()
        if not config.pending_fencing(connector):
            return
        before, count = config.task_count_record(connector), config.task_count(connector)
        if before and (before, count) != (1, 1):  # of two sets of one task, the second fences the first when it starts
            await self._fence_producers(connector, config, before)
            if (await self._refreshed()).task_config_generation(connector) != config.task_config_generation(connector):
                raise OperationInProgress(
                    "Fencing failed because new task configurations were generated for the connector", retry_after_s=1
                )
        await self._leadership.put_task_count_record(connector, count)

    async def _fence_producers(self, connector: str, config: ClusterConfig, count: int) -> None:
        log.info(f"fencing the producers of the {count} tasks that the connector had", connector=connector)
        order = FenceProducers(
            config=dict(config.connector_config(connector) or {}),
            worker_config=self._surroundings.worker_config,
            log=self._surroundings.log,
            transactional_ids=[transactional_id(self._settings, connector, task) for task in range(count)],
            timeout_s=FENCING_TIMEOUT_S,
        )
        try:
            await ask(self._surroundings.pool, order, ProducersFenced, FENCING_TIMEOUT_S + _GRACE_S)
        except InquiryRefused as refused:
            kind = Unavailable if refused.reason is Reason.UNAVAILABLE else ConnectException
            raise kind(str(refused)) from refused

    async def _refreshed(self) -> ClusterConfig:
        try:
            await self._config_log.refresh(self._settings.worker_sync_timeout_ms / 1000)
        except (TimeoutError, ConnectException) as error:
            raise Unavailable("Failed to read to end of config topic before performing zombie fencing") from error
        return self._config_log.snapshot()
