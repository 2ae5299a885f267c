"""Writer: the producer of a storage topic, with futures on the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from supervisor.storage.errors import Trouble, WriteFailed
from tasks.clients import ClientSettings, create

_POLL_S: Final = 0.2
# A record that waits for so long although Kafka answers is with a client that has got stuck.
_STUCK_S: Final = 20.0
_LOOK_S: Final = 5.0
_ANSWER_S: Final = 5.0

log = structlog.get_logger(__name__)

Position = tuple[int, int]
"""Partition, and the offset after a record that was written to it."""


class Writer:
    """Writes to one topic. All but the serving of callbacks happens on the event loop."""

    def __init__(self, topic: str, settings: ClientSettings) -> None:
        """Raises ConfigException, ConnectException."""
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._producer = self._create()
        self._retired: list[Producer] = []
        # With the time of each, the oldest first.
        self._waiting: dict[asyncio.Future[Position], float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"writer of {topic}", daemon=True)
        self._thread.start()

    def _create(self) -> Producer:
        return create(Producer, self._settings, error_cb=Trouble(self._topic, "writing to"))

    def send(self, key: bytes | None, value: bytes | None) -> asyncio.Future[Position]:
        """Done when all in-sync replicas have the record; fails with WriteFailed. A value of None is a tombstone.

        Records are written in the order of the calls.
        """
        future: asyncio.Future[Position] = self._loop.create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            self._loop.call_soon_threadsafe(self._settle, future, error, message)

        try:
            self._producer.produce(self._topic, value, key, on_delivery=delivered)
        except BufferError:
            future.set_exception(WriteFailed(self._topic, KafkaError(KafkaError._QUEUE_FULL)))
        except KafkaException as error:
            future.set_exception(WriteFailed(self._topic, error.args[0]))
        else:
            self._waiting[future] = time.monotonic()
        return future

    async def flush(self) -> None:
        """Wait until what was sent before is written, or has failed."""
        while waiting := list(self._waiting):
            await asyncio.wait(waiting)

    def abandon(self) -> None:
        """What is not written yet fails, and is not tried again."""
        self._producer.purge()

    async def close(self, timeout_s: float) -> None:
        """Write what waits for no longer than so many seconds, and end."""
        if self._waiting:
            await asyncio.wait(list(self._waiting), timeout=timeout_s)
        self._stopping.set()
        self._producer.purge()
        await asyncio.to_thread(self._thread.join)

    def _settle(self, future: asyncio.Future[Position], error: KafkaError | None, message: Message) -> None:
        self._waiting.pop(future, None)
        if future.done():  # who waited for it was cancelled
            return
        if error is not None:
            future.set_exception(WriteFailed(self._topic, error))
            return
        partition, offset = message.partition(), message.offset()
        assert partition is not None and offset is not None
        future.set_result((partition, offset + 1))

    def _serve(self) -> None:
        look_at = time.monotonic() + _LOOK_S
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)
            while self._retired:
                self._retired.pop().flush(1)
            if time.monotonic() >= look_at:
                self._look()
                look_at = time.monotonic() + _LOOK_S
        self._producer.flush(1)

    def _look(self) -> None:
        """librdkafka (2.16) may stop writing to a partition for good when its broker was restarted: then another client goes
        on. What waited fails, for nobody knows what has become of it."""
        oldest = next(iter(list(self._waiting.values())), None)
        if oldest is None or time.monotonic() - oldest < _STUCK_S:
            return
        with suppress(KafkaException):
            metadata = self._producer.list_topics(self._topic, timeout=_ANSWER_S)
            if all(each.leader >= 0 for each in metadata.topics[self._topic].partitions.values()):
                self._loop.call_soon_threadsafe(self._replace, oldest)

    def _replace(self, oldest: float) -> None:
        if self._stopping.is_set() or oldest not in self._waiting.values():
            return
        log.warning(
            f"nothing was written to topic {self._topic} for {_STUCK_S:g} s: a new client takes over", topic=self._topic
        )
        retired, self._producer = self._producer, self._create()
        retired.purge()
        self._retired.append(retired)
