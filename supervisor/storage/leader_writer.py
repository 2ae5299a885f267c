"""LeaderWriter: writes to the config topic in transactions, so that of several leaders only the last one can (KIP-618)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from supervisor.storage.errors import PrivilegedWriteException, explained
from supervisor.storage.writer import Position, note_headers
from tasks.clients import ClientSettings, create

log = structlog.get_logger(__name__)

NotedEntry = tuple[bytes, bytes | None, bytes | None]
"""Key, value and note of a record to write."""


class LeaderWriter:
    """A transactional producer. Whoever claims the same transactional id later fences it."""

    def __init__(self, topic: str, producer: Producer) -> None:
        self._topic = topic
        self._producer = producer
        # One transaction after the other, also after one whose end nobody waits for any more.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="leader-writes")

    @classmethod
    async def claim(cls, topic: str, settings: ClientSettings, timeout_s: float) -> LeaderWriter:
        """Fence all who claimed before. Raises ConnectException."""
        producer = create(Producer, settings)
        try:
            await asyncio.to_thread(producer.init_transactions, timeout_s)
        except KafkaException as error:
            raise PrivilegedWriteException(
                f"cannot claim the right to write to topic {topic}: {explained(error.args[0])}"
            ) from error
        return cls(topic, producer)

    async def write(self, entries: Sequence[NotedEntry], timeout_s: float) -> Position:
        """Write all of them or nothing. Raises PrivilegedWriteException: then this writer is of no use any more."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, entries, timeout_s)
        except KafkaException as error:
            raise PrivilegedWriteException(
                f"cannot write to topic {self._topic} as the leader: {explained(error.args[0])}"
            ) from error

    async def close(self) -> None:
        """Give the right back. It needs no word to the broker, but librdkafka takes its time."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._discard)
        self._thread.shutdown(wait=False)

    def _discard(self) -> None:
        del self._producer

    def _write(self, entries: Sequence[NotedEntry], timeout_s: float) -> Position:
        last: list[Position] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            partition, offset = message.partition(), message.offset()
            if error is None and partition is not None and offset is not None:
                last.append((partition, offset + 1))

        self._producer.begin_transaction()
        for key, value, note in entries:
            self._producer.produce(self._topic, value, key, on_delivery=delivered, headers=note_headers(note))
        self._producer.commit_transaction(timeout_s)
        return max(last)
