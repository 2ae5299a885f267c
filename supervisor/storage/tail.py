"""Tail: a thread that reads a storage topic from its beginning and onwards, and hands the records to the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from supervisor.storage.errors import Trouble
from tasks.clients import ClientSettings, create_lasting

BATCH_RECORDS: Final = 1_000
_POLL_S: Final = 0.2


NOTE: Final = "connectd"
"""The header of a record's note."""


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """A record of a storage topic. A value of None is a tombstone; `note` is what connectd has to say beside it."""

    key: bytes | None
    value: bytes | None
    partition: int
    offset: int
    timestamp_ms: int
    note: bytes | None = None


Deliver = Callable[[Sequence[LogRecord], Mapping[int, int]], None]
"""Records in the order of their partition, and how far the partitions were read: the offset after the last one."""


class Tail:
    """Calls `deliver` on the event loop, one batch after another: the next one is read once it has returned, so a topic of any
    size needs the memory of two. Whatever happens to brokers, it goes on."""

    def __init__(self, topic: str, partitions: Sequence[int], settings: ClientSettings, deliver: Deliver) -> None:
        """Raises ConfigException, ConnectException."""
        self._trouble = Trouble(topic, "reading")
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._delivered = threading.Event()
        self._stopping = threading.Event()
        self._consumer = create_lasting(Consumer, settings, error_cb=self._trouble)
        # By number, which need not be looked up: librdkafka would do that half a second later, when it knows the leaders. Where
        # the first records are gone, `auto.offset.reset` leads to those that are left.
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        self._thread = threading.Thread(target=self._run, name=f"tail of {topic}", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """End the thread; what it holds is not delivered any more."""
        self._stopping.set()
        self._delivered.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._hand_over(self._read())
                except KafkaException as error:
                    self._trouble(error.args[0])
        finally:
            self._consumer.close()

    def _read(self) -> Sequence[Message]:
        """As many messages as there are, once there is one."""
        first = self._consumer.poll(_POLL_S)
        if first is None:
            return []
        return [first, *self._consumer.consume(BATCH_RECORDS - 1, timeout=0)]

    def _hand_over(self, messages: Sequence[Message]) -> None:
        records: list[LogRecord] = []
        positions: dict[int, int] = {}
        for message in messages:
            error = message.error()
            if error is None:
                record = LogRecord(
                    message.key(),
                    message.value(),
                    message.partition(),  # type: ignore[arg-type]  # None for errors only, as the offset
                    message.offset(),  # type: ignore[arg-type]
                    message.timestamp()[1],
                    _note(message),
                )
                records.append(record)
                positions[record.partition] = record.offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                # The end may be behind what is no record for readers: marks of transactions, a compacted tail.
                positions[message.partition()] = message.offset()  # type: ignore[index, assignment]
            else:
                self._trouble(error)
        if positions:
            self._delivered.clear()
            if not self._stopping.is_set():
                self._loop.call_soon_threadsafe(self._deliver_on_loop, records, positions)
                self._delivered.wait()

    def _deliver_on_loop(self, records: Sequence[LogRecord], positions: Mapping[int, int]) -> None:
        try:
            if not self._stopping.is_set():
                self._deliver(records, positions)
        finally:
            self._delivered.set()


def _note(message: Message) -> bytes | None:
    headers: Any = message.headers() or ()  # a list of pairs, whatever its stub says
    return next((value for name, value in headers if name == NOTE and value), None)
