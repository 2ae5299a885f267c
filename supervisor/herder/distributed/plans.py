"""Brings the plans of this worker's connectors to the leader, who writes them: again and again until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog

from connectd.errors import ConnectException
from supervisor.herder.distributed.wanted import is_planned, target_state
from supervisor.storage.snapshot import ClusterConfig
from supervisor.units.specs import Plan, need_same_process
from tasks.states import TargetState

log = structlog.get_logger(__name__)

# As in Java's `DistributedHerder`.
FIRST_BACKOFF_S: Final = 0.25
LAST_BACKOFF_S: Final = 60.0

Publish = Callable[[str, Sequence[Mapping[str, str]]], Awaitable[None]]


class Plans:
    """`publish` writes a connector's task configurations, or has the leader write them; it raises ConnectException."""

    def __init__(self, config: Callable[[], ClusterConfig], publish: Publish) -> None:
        self._config = config
        self._publish = publish
        self._plans: dict[str, Plan] = {}
        self._publishing: dict[str, asyncio.Task[None]] = {}

    def put(self, connector: str, plan: Plan) -> None:
        """A connector that runs here has planned."""
        self._plans[connector] = plan
        self._begin(connector)

    def repair(self) -> None:
        """Publish the plans of connectors whose tasks are half-written: whoever wrote them has died."""
        for connector in self._config().inconsistent & self._plans.keys():
            self._begin(connector)

    def forget(self, connector: str) -> None:
        """It does not run here any more."""
        self._plans.pop(connector, None)
        publishing = self._publishing.pop(connector, None)
        if publishing is not None:
            publishing.cancel()

    def stop(self) -> None:
        """Give up what has not been published."""
        for connector in list(self._plans):
            self.forget(connector)

    def _begin(self, connector: str) -> None:
        if connector not in self._publishing:
            task = asyncio.get_running_loop().create_task(self._publish_until_done(connector))
            self._publishing[connector] = task

    async def _publish_until_done(self, connector: str) -> None:
        backoff_s = FIRST_BACKOFF_S
        while (plan := self._news(connector)) is not None:
            try:
                await self._publish(connector, plan.task_configs)
            except ConnectException as error:
                log.warning(
                    f"the connector's {len(plan.task_configs)} tasks are not known to the cluster yet: {error}",
                    connector=connector,
                    retry_in_s=backoff_s,
                )
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, LAST_BACKOFF_S)
            else:
                log.info(f"the connector has {len(plan.task_configs)} tasks", connector=connector)
                if self._plans.get(connector) is plan:
                    break
        self._publishing.pop(connector, None)

    def _news(self, connector: str) -> Plan | None:
        """The connector's plan, if it is for its present configuration and the cluster does not have it."""
        plan, config = self._plans.get(connector), self._config()
        properties = config.connector_config(connector)
        if plan is None or properties is None or target_state(config, connector) is not TargetState.STARTED:
            return None
        if not need_same_process(plan.connector_config, properties):
            return None  # the connector plans again
        return None if is_planned(config, connector, plan.task_configs) else plan
