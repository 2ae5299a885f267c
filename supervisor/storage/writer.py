"""Writer: the producer of a storage topic, with futures on the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from supervisor.storage.errors import Trouble, WriteFailed, WriteRefused
from supervisor.storage.tail import NOTE
from tasks.clients import ClientSettings, create_lasting

_POLL_S: Final = 0.2

Position = tuple[int, int]
"""Partition, and the offset after a record that was written to it."""

Refusal = Callable[[], str | None]
"""Why this worker may not write now, None if it may."""


def never() -> str | None:
    """The refusal of what may be written at any time."""
    return None


def note_headers(note: bytes | None) -> list[tuple[str, str | bytes | None]]:
    """The headers of a record with such a note."""
    return [] if note is None else [(NOTE, note)]


class _Record(msgspec.Struct, frozen=True):
    """One that is to be written."""

    key: bytes | None
    value: bytes | None
    note: bytes | None
    refusal: Refusal
    written: asyncio.Future[Position]


class Writer:
    """Writes to one topic. All but the serving of callbacks happens on the event loop.

    What librdkafka has, it sends whenever it can, also when this process goes on after it stood still for so long that others
    have taken over. So it gets a record only when it can send it: one whose key is on its way waits here for its turn, and
    with it those after it.
    """

    def __init__(self, topic: str, settings: ClientSettings) -> None:
        """Raises ConfigException, ConnectException."""
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        self._producer = create_lasting(Producer, settings, error_cb=Trouble(topic, "writing to"))
        self._waiting: set[asyncio.Future[Position]] = set()
        self._queue: deque[_Record] = deque()
        self._on_their_way: set[bytes | None] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"writer of {topic}", daemon=True)
        self._thread.start()

    def send(
        self, key: bytes | None, value: bytes | None, refusal: Refusal = never, note: bytes | None = None
    ) -> asyncio.Future[Position]:
        """Done when all in-sync replicas have the record; fails with WriteFailed, or with WriteRefused if there is a `refusal`
        when it is its turn. A value of None is a tombstone; `note` is as in `LogRecord`.

        Records are handed over in the order of the calls, and those of one key are written in it.
        """
        record = _Record(key, value, note, refusal, self._loop.create_future())
        self._waiting.add(record.written)
        self._queue.append(record)
        self._hand_over()
        return record.written

    def _hand_over(self) -> None:
        while self._queue and self._queue[0].key not in self._on_their_way:
            record = self._queue.popleft()
            why = record.refusal()
            error = WriteRefused(self._topic, why) if why is not None else self._produce(record)
            if error is None:
                self._on_their_way.add(record.key)
            else:
                self._fail(record, error)

    def _produce(self, record: _Record) -> WriteFailed | None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            self._loop.call_soon_threadsafe(self._settle, record, error, message)

        try:
            self._producer.produce(
                self._topic, record.value, record.key, on_delivery=delivered, headers=note_headers(record.note)
            )
        except BufferError:
            return WriteFailed(self._topic, KafkaError(KafkaError._QUEUE_FULL))
        except KafkaException as error:
            return WriteFailed(self._topic, error.args[0])
        return None

    async def flush(self) -> None:
        """Wait until what was sent before is written, or has failed."""
        while waiting := list(self._waiting):
            await asyncio.wait(waiting)

    def abandon(self) -> None:
        """What is not written yet fails, and is not tried again."""
        while self._queue:
            self._fail(self._queue.popleft(), WriteFailed(self._topic, KafkaError(KafkaError._PURGE_QUEUE)))
        self._producer.purge()

    async def close(self, timeout_s: float) -> None:
        """Write what waits for no longer than so many seconds, and end."""
        if self._waiting:
            await asyncio.wait(list(self._waiting), timeout=timeout_s)
        self._stopping.set()
        self.abandon()
        await asyncio.to_thread(self._thread.join)

    def _settle(self, record: _Record, error: KafkaError | None, message: Message) -> None:
        self._on_their_way.discard(record.key)
        if error is not None:
            self._fail(record, WriteFailed(self._topic, error))
        else:
            partition, offset = message.partition(), message.offset()
            assert partition is not None and offset is not None
            self._waiting.discard(record.written)
            if not record.written.done():  # who waited for it was cancelled
                record.written.set_result((partition, offset + 1))
        self._hand_over()

    def _fail(self, record: _Record, error: WriteFailed | WriteRefused) -> None:
        self._waiting.discard(record.written)
        if not record.written.done():
            record.written.set_exception(error)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)
        self._producer.flush(1)
