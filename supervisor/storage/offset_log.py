"""OffsetLog: the offset topic of a cluster (`org.apache.kafka.connect.storage.KafkaOffsetBackingStore`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from supervisor.offsets import Entries
from tasks.settings.distributed import DistributedConfig


class OffsetLog:
    """The offsets of all sources: another `supervisor.offsets.OffsetStore`, with the same methods.

    `refusal` says why this worker may not write now, None if it may: one that has lost its place in the group must not set
    back the offsets of those who took over its tasks.
    """

    def __init__(self, worker: DistributedConfig, refusal: Callable[[], str | None] = lambda: None) -> None: ...

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it. Raises as `ConfigLog.start`."""

    async def close(self) -> None:
        """Wait for the writes that are under way, and close all clients."""

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values in the order of the keys, as of now. Raises ConnectException if Kafka does not answer."""

    async def entries_of(self, connector: str) -> Sequence[tuple[bytes, bytes]]:
        """All entries of a source, key and value, as of now. Raises ConnectException if Kafka does not answer."""

    def commit(self, entries: Entries) -> asyncio.Future[None]:
        """Done when the entries are durable; fails with ConnectException, some of them may be stored then."""
