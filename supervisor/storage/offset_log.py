"""OffsetLog: the offset topic of a cluster (`org.apache.kafka.connect.storage.KafkaOffsetBackingStore`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from supervisor.storage.errors import StorageUnavailable
from supervisor.storage.kafka_log import KafkaLog
from supervisor.storage.offset_file import Entries
from supervisor.storage.offset_state import OffsetState
from supervisor.storage.settings import offset_log_settings, own_offset_log_settings
from supervisor.storage.tail import LogRecord
from supervisor.storage.writer import Position, Refusal, never
from tasks.settings.distributed import DistributedConfig

READ_TIMEOUT_S = 60.0


class OffsetLog:
    """The offsets of all sources, or with `own_topic` of a connector that has one for itself: an `OffsetBackingStore`.

    A worker that has lost its place in the group must not set back the offsets of those who took over its tasks: `refusal` is
    asked when it is the turn of each record. To be used on the event loop.
    """

    def __init__(self, worker: DistributedConfig, refusal: Refusal = never, own_topic: str | None = None) -> None:
        """Raises ConfigException for client settings that are wrong."""
        self._state = OffsetState()
        settings = offset_log_settings(worker) if own_topic is None else own_offset_log_settings(worker, own_topic)
        self._log = KafkaLog(settings, self._apply)
        self._refusal = refusal

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it. Raises as `ConfigLog.start`."""
        await self._log.start()

    async def stop(self) -> None:
        """Write what waits to be written, for some seconds at the most, and close all clients."""
        await self._log.stop()

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values in the order of the keys, as of now. Raises ConnectException."""
        await self._catch_up()
        return [self._state.get(key) for key in keys]

    async def entries_of(self, connector: str) -> Sequence[tuple[bytes, bytes]]:
        """All entries of a source, key and value, as of now. Raises ConnectException."""
        await self._catch_up()
        return self._state.entries_of(connector)

    def commit(self, entries: Entries) -> asyncio.Future[None]:
        """Done when the entries are durable. Fails with ConnectException; some of them may be stored then."""
        # Sent before this returns: the records of later commits come after these.
        sent = [self._log.send(self._state.key_in_topic(key), value, self._refusal) for key, value in entries]
        return asyncio.ensure_future(_all(sent))

    def abandon(self) -> None:
        """Commits that are under way fail."""
        self._log.abandon()

    async def _catch_up(self) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._log.read_to_end()
        except TimeoutError:
            raise StorageUnavailable(
                f"the end of topic {self._log.topic} was not reached within {READ_TIMEOUT_S:g} s"
            ) from None

    def _apply(self, record: LogRecord) -> None:
        self._state.apply(record.key, record.value, record.timestamp_ms)


async def _all(sent: Sequence[asyncio.Future[Position]]) -> None:
    await asyncio.gather(*sent)
