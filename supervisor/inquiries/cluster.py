"""The Kafka cluster that the worker works with: its id, asked for by a child, since no Kafka client lives in this process."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog

from connectd.errors import ConnectException
from supervisor.inquiries.inquiry import ask
from supervisor.units.unit import Surroundings
from tasks.messages import ClusterDescribed, DescribeCluster

log = structlog.get_logger(__name__)

KAFKA_TIMEOUT_S: Final = 10.0
INQUIRY_TIMEOUT_S: Final = 15.0
# Who asks for the id first waits a moment for it; nobody does while Kafka is known not to answer, nor is it asked all the time.
PATIENCE_S: Final = 2.0
RETRY_AFTER_S: Final = 10.0


class KafkaCluster:
    """Asks once, and again after a while if Kafka did not answer."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._id: str | None = None
        self._asking: asyncio.Task[None] | None = None
        self._next_try = 0.0
        self._patience_s = PATIENCE_S

    async def id(self) -> str | None:
        """The id of the cluster; None while Kafka does not answer."""
        if self._id is None and self._asking is None and time.monotonic() >= self._next_try:
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        if self._asking is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._asking), self._patience_s)
            except TimeoutError:
                self._patience_s = 0.0
        return self._id

    async def _ask(self) -> None:
        around = self._surroundings
        order = DescribeCluster(worker_config=around.worker_config, log=around.log, timeout_s=KAFKA_TIMEOUT_S)
        try:
            self._id = (await ask(around.pool, order, ClusterDescribed, INQUIRY_TIMEOUT_S)).cluster_id
        except ConnectException as error:
            log.warning(f"the id of the Kafka cluster is not known: {error}")
            self._next_try = time.monotonic() + RETRY_AFTER_S
        finally:
            self._asking = None
