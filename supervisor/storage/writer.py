"""Writer: the producer of a storage topic, with futures on the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from supervisor.storage.errors import Trouble, WriteFailed
from tasks.clients import ClientSettings, create_lasting

_POLL_S: Final = 0.2

Position = tuple[int, int]
"""Partition, and the offset after a record that was written to it."""


class Writer:
    """Writes to one topic. All but the serving of callbacks happens on the event loop."""

    def __init__(self, topic: str, settings: ClientSettings) -> None:
        """Raises ConfigException, ConnectException."""
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        self._producer = create_lasting(Producer, settings, error_cb=Trouble(topic, "writing to"))
        self._waiting: set[asyncio.Future[Position]] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"writer of {topic}", daemon=True)
        self._thread.start()

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
            self._waiting.add(future)
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
        self._waiting.discard(future)
        if future.done():  # who waited for it was cancelled
            return
        if error is not None:
            future.set_exception(WriteFailed(self._topic, error))
            return
        partition, offset = message.partition(), message.offset()
        assert partition is not None and offset is not None
        future.set_result((partition, offset + 1))

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)
        self._producer.flush(1)
