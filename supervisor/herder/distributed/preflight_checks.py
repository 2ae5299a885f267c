"""What a worker of a cluster makes sure of before a source that delivers exactly once starts."""

from __future__ import annotations

from connectd.errors import ConnectException
from supervisor.herder.distributed.leader_requests import LeaderRequests
from supervisor.storage.config_log import ConfigLog
from supervisor.units.specs import TaskSpec


class PreflightChecks:
    """The `supervisor.units.preflight.Preflight` of a cluster."""

    def __init__(self, leader: LeaderRequests, config_log: ConfigLog, sync_timeout_s: float) -> None:
        self._leader = leader
        self._config_log = config_log
        self._sync_timeout_s = sync_timeout_s

    async def fence(self, task: TaskSpec) -> None:
        try:
            await self._leader.fence_zombies(task.connector)
        except ConnectException as error:
            raise ConnectException(f"Failed to perform round of zombie fencing: {error}") from error

    async def verify(self, task: TaskSpec) -> None:
        """As Java's `DistributedHerder.verifyTaskGenerationAndOwnership`; what is not this worker's any more has no process."""
        try:
            await self._config_log.refresh(self._sync_timeout_s)
        except TimeoutError:
            raise ConnectException("Failed to read to end of config topic") from None
        if self._config_log.snapshot().task_config_generation(task.connector) != task.plan_number:
            raise ConnectException(
                f"Cannot start source task {task.id} with exactly-once support as the connector has already generated a "
                "new set of task configs"
            )
