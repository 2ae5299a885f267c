"""The offsets of sources in a cluster: in the worker's topic, and in topics that connectors have for themselves.

As `org.apache.kafka.connect.storage.ConnectorOffsetBackingStore` (KIP-618) for sources that are not exactly-once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import structlog

from connectd.errors import ConnectException
from supervisor.storage.offset_file import Entries, OffsetBackingStore, canonical
from tasks.settings.source import own_offsets_topic

log = structlog.get_logger(__name__)


class OffsetTopic(OffsetBackingStore, Protocol):
    """What is done with one topic (`OffsetLog`)."""

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it. Raises ConnectException."""

    async def stop(self) -> None:
        """Finish the writes that are under way, and close all clients."""


class OffsetTopics:
    """The worker's topic, and with `open_topic` those of connectors: `name` is the worker's.

    Topics of connectors are read when somebody needs them, for as long as `close_unused` is told that they are used.
    """

    def __init__(self, name: str, shared: OffsetTopic, open_topic: Callable[[str], OffsetTopic]) -> None:
        self._name = name
        self._shared = shared
        self._open_topic = open_topic
        self._own: dict[str, _OwnTopic] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Create the worker's topic if it is missing, and read it. Raises ConfigException, ConnectException."""
        await self._shared.start()

    async def stop(self) -> None:
        """Finish the writes that are under way, and close all clients."""
        for topic in [*self._own]:
            self._close(topic)
        await asyncio.gather(self._shared.stop(), *self._closing)

    def of(self, connector_config: Mapping[str, str]) -> OffsetBackingStore:
        """Where a connector with this configuration has its offsets."""
        topic = own_offsets_topic(connector_config, self._name)
        return self._shared if topic is None else _OwnOffsets(lambda: self._opened(topic), self._shared)

    def close_unused(self, connector_configs: Sequence[Mapping[str, str]]) -> None:
        """Close the topics that none of these connectors have, unless they are just being read or written."""
        used = {own_offsets_topic(config, self._name) for config in connector_configs}
        for topic in [topic for topic, own in self._own.items() if topic not in used and not own.users]:
            self._close(topic)

    def _close(self, topic: str) -> None:
        closing = asyncio.get_running_loop().create_task(self._own.pop(topic).stop())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _opened(self, topic: str) -> _OwnTopic:
        if topic not in self._own:
            self._own[topic] = _OwnTopic(self._open_topic(topic))
        return self._own[topic]


class _OwnTopic:
    """A topic that is read by the first who needs it. `users` wait for it."""

    def __init__(self, topic: OffsetTopic) -> None:
        self._topic = topic
        self._starting: asyncio.Task[None] | None = None
        self.users = 0
        # What is committed first is written first, also by those that wait until the topic is read.
        self.order = asyncio.Lock()

    async def started(self) -> OffsetTopic:
        """The topic when it is read. Raises ConnectException; the next one who asks tries again."""
        starting = self._starting
        if starting is None:
            starting = self._starting = asyncio.get_running_loop().create_task(self._topic.start())
        try:
            await asyncio.shield(starting)
        except ConnectException:
            if self._starting is starting:
                self._starting = None
            raise
        return self._topic

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """It stays open for so long."""
        self.users += 1
        try:
            yield
        finally:
            self.users -= 1

    async def stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        await self._topic.stop()


class _OwnOffsets(OffsetBackingStore):
    """Offsets of a connector with a topic for itself.

    They are written there first, and then to the worker's topic too, whether that works or not; an offset that is not there is
    looked for in the worker's. So a connector can be given a topic, and do without it again, without repeating anything. What is
    removed is removed from the worker's topic first, or else it would be found there.
    """

    def __init__(self, own: Callable[[], _OwnTopic], shared: OffsetBackingStore) -> None:
        self._own = own
        self._shared = shared

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        own = self._own()
        with own.used():
            topic = await own.started()
            found, elsewhere = await asyncio.gather(topic.read(keys), self._shared.read(keys))
        return [other if value is None else value for value, other in zip(found, elsewhere, strict=True)]

    async def entries_of(self, connector: str) -> Sequence[tuple[bytes, bytes]]:
        own = self._own()
        with own.used():
            topic = await own.started()
            found, elsewhere = await asyncio.gather(topic.entries_of(connector), self._shared.entries_of(connector))
        return [*{canonical(key): (key, value) for key, value in (*elsewhere, *found)}.values()]

    def commit(self, entries: Entries) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_task(self._commit(entries))

    async def _commit(self, entries: Entries) -> None:
        own = self._own()
        with own.used():
            async with own.order:
                topic = await own.started()
                if removed := [(key, value) for key, value in entries if value is None]:
                    await self._shared.commit(removed)
                committed = topic.commit(entries)
            await committed
        if kept := [(key, value) for key, value in entries if value is not None]:
            self._shared.commit(kept).add_done_callback(_warn)


def _warn(done: asyncio.Future[None]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.warning(f"offsets of a connector with a topic for itself are not in the worker's topic, too: {error}")
