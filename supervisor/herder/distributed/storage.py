"""The topics of a cluster, opened and closed together."""

from __future__ import annotations

import asyncio
from weakref import WeakSet

from supervisor.storage.config_listener import ConfigListener
from supervisor.storage.config_log import ConfigLog
from supervisor.storage.offset_log import OffsetLog
from supervisor.storage.offset_topics import OffsetTopics
from supervisor.storage.status_log import StatusListener, StatusLog
from supervisor.storage.writer import Refusal
from tasks.connections import abandon_connections
from tasks.settings import DistributedConfig


class Storage:
    """`on_status` is told of each status; `refusal` says why this worker may not write offsets and states now."""

    def __init__(
        self,
        settings: DistributedConfig,
        listener: ConfigListener,
        on_status: StatusListener,
        refusal: Refusal,
    ) -> None:
        def offset_log(own_topic: str | None = None) -> OffsetLog:
            log = OffsetLog(settings, refusal, own_topic)
            self._offset_logs.add(log)
            return log

        self._offset_logs: WeakSet[OffsetLog] = WeakSet()
        self.configs = ConfigLog(settings, listener)
        self.offsets = OffsetTopics(settings.offset_topic.name, offset_log(), offset_log)
        self.statuses = StatusLog(settings, on_status, refusal)

    async def start(self) -> None:
        """Create what is missing, and read everything. Raises ConfigException, ConnectException."""
        await asyncio.gather(self.configs.start(), self.offsets.start(), self.statuses.start())

    def abandon(self) -> None:
        """Offsets that are on their way to brokers out of reach must not set back those of the workers that take over."""
        for log in self._offset_logs:
            log.abandon()
        abandon_connections()

    async def stop(self) -> None:
        """Finish the writes that are under way, and close all clients."""
        await asyncio.gather(self.configs.stop(), self.offsets.stop(), self.statuses.stop())
