"""KafkaLog: a compacted topic that all workers read to its end, and write to (`org.apache.kafka.connect.util.KafkaBasedLog`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import structlog
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # public, but not in its stubs

from connectd.errors import ConnectException
from supervisor.storage.errors import NOT_ALLOWED, StorageUnavailable, Trouble, WriteFailed, explained
from supervisor.storage.shared_admin import shared_admin
from supervisor.storage.tail import LogRecord, Tail
from supervisor.storage.topic import StorageTopic, answer, ensure_topic, partitions_of
from supervisor.storage.writer import Position, Refusal, Writer, never
from tasks.clients import ClientSettings

log = structlog.get_logger(__name__)

END_OFFSETS_TIMEOUT_S: Final = 10.0
_RETRY_S: Final = 0.1
_HEAR_S: Final = 0.2
_STOP_S: Final = 5.0

Apply = Callable[[LogRecord], None]


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The topic, and the settings of the clients for it."""

    topic: StorageTopic
    admin: ClientSettings
    consumer: ClientSettings
    producer: ClientSettings


class KafkaLog:
    """Calls `apply` on the event loop for each record from the first one on, in the order of each partition.

    All is to be called on the event loop. Brokers that are away are waited for: it is up to the callers how long they want to
    wait.
    """

    def __init__(self, settings: LogSettings, apply: Apply) -> None:
        self._settings = settings
        self._apply = apply
        self._positions: dict[int, int] = {}
        self._readers: list[tuple[Mapping[int, int], asyncio.Future[None]]] = []
        self._admin: AdminClient | None = None
        self._tail: Tail | None = None
        self._writer: Writer | None = None
        self._asking = asyncio.Lock()
        self._asked: asyncio.Task[dict[int, int]] | None = None  # the request that has not begun yet
        self._requests: set[asyncio.Task[dict[int, int]]] = set()

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self._settings.topic.name

    @property
    def partition_count(self) -> int:
        """How many partitions it has, once it has started."""
        return len(self._positions)

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it.

        Raises ConfigException for wrong settings and a topic that is not compacted, StorageUnavailable if Kafka does not
        answer, ConnectException if it refuses.
        """
        started = time.monotonic()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        log.info("storage topic read", topic=self.topic, seconds=round(time.monotonic() - started, 2))

    async def _start(self) -> None:
        settings = self._settings
        admin = self._admin = shared_admin(settings.admin, error_cb=Trouble(self.topic, "looking up"))
        # What is wrong with a connection, such as a password, no request tells, but that there was no answer.
        hearing = asyncio.get_running_loop().create_task(_hear_of_trouble(admin))
        try:
            await ensure_topic(admin, settings.topic)
            partitions = await partitions_of(admin, settings.topic)
        finally:
            hearing.cancel()
        self._positions = dict.fromkeys(partitions, 0)
        self._writer = Writer(self.topic, settings.producer)
        self._tail = Tail(self.topic, partitions, settings.consumer, self._deliver)
        await self.read_to_end()

    async def stop(self) -> None:
        """Write what waits to be written, for some seconds at the most, and close all clients."""
        for request in self._requests:
            request.cancel()
        if self._writer is not None:
            await self._writer.close(_STOP_S)
        if self._tail is not None:
            await self._tail.close()
        for _, future in self._readers:
            if not future.done():
                future.set_exception(self._stopped())
        self._readers.clear()
        self._admin = self._tail = self._writer = None

    def _stopped(self) -> StorageUnavailable:
        return StorageUnavailable(f"topic {self.topic} is not read any more: the worker stops")

    def send(
        self, key: bytes | None, value: bytes | None, refusal: Refusal = never, note: bytes | None = None
    ) -> asyncio.Future[Position]:
        """Write a record, None being a tombstone, with a note beside it (`LogRecord`). Done when it is durable; fails with
        WriteFailed, or with WriteRefused if there is a `refusal` when it is its turn."""
        if self._writer is None:
            refused: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
            refused.set_exception(WriteFailed(self.topic, KafkaError(KafkaError._DESTROY)))
            return refused
        return self._writer.send(key, value, refusal, note)

    def abandon(self) -> None:
        """What is not durable yet fails, and is not tried again."""
        if self._writer is not None:
            self._writer.abandon()

    async def flush(self) -> None:
        """Wait until what was sent before is durable, or has failed."""
        if self._writer is not None:
            await self._writer.flush()

    async def read_to_end(self) -> None:
        """Wait until all that is in the topic now was applied. Raises ConnectException if Kafka refuses to tell where its end
        is."""
        await self.read_until(await self._end_offsets())

    async def read_until(self, positions: Mapping[int, int]) -> None:
        """Wait until the records before these offsets were applied, by partition."""
        if not self._has_read(positions):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._readers.append((positions, future))
            await future

    def _deliver(self, records: Sequence[LogRecord], positions: Mapping[int, int]) -> None:
        for record in records:
            try:
                self._apply(record)
            except Exception:
                log.exception(
                    f"record {record.offset} of topic {self.topic} could not be applied, it is ignored",
                    topic=self.topic,
                    partition=record.partition,
                )
        self._positions.update(positions)
        for reader in self._readers[:]:
            wanted, future = reader
            if future.done() or self._has_read(wanted):
                self._readers.remove(reader)
                if not future.done():
                    future.set_result(None)

    def _has_read(self, positions: Mapping[int, int]) -> bool:
        return all(self._positions.get(partition, 0) >= offset for partition, offset in positions.items())

    # --- the end of the topic -----------------------------------------------------------------------------------------

    async def _end_offsets(self) -> dict[int, int]:
        """Where the topic ends at a moment after this call. Who asks while a request is under way shares the next one."""
        if self._asked is None:
            self._asked = asyncio.get_running_loop().create_task(self._ask_in_turn())
            self._requests.add(self._asked)
            self._asked.add_done_callback(self._requests.discard)
        request = self._asked
        try:
            return await asyncio.shield(request)
        except asyncio.CancelledError:
            if request.cancelled():
                raise self._stopped() from None
            raise

    async def _ask_in_turn(self) -> dict[int, int]:
        async with self._asking:
            self._asked = None
            return await self._ask_end_offsets()

    async def _ask_end_offsets(self) -> dict[int, int]:
        told = False
        while True:
            try:
                return await self._list_offsets()
            except KafkaException as failure:
                error = failure.args[0]
                if error.code() in NOT_ALLOWED:
                    raise ConnectException(
                        f"cannot find the end of topic {self.topic}: {explained(error)}"
                    ) from failure
                if not told:
                    log.warning(
                        f"cannot find the end of topic {self.topic}, trying again: {explained(error)}", topic=self.topic
                    )
                    told = True
            await asyncio.sleep(_RETRY_S)
            # The old one keeps what it once knew: it asks with an epoch of a partition that is over for ever, or knows no broker.
            self._admin = shared_admin(self._settings.admin, instead_of=self._admin)

    async def _list_offsets(self) -> dict[int, int]:
        assert self._admin is not None, "the log has not started"
        latest = {TopicPartition(self.topic, partition): OffsetSpec.latest() for partition in self._positions}  # type: ignore[no-untyped-call]
        futures = self._admin.list_offsets(
            latest, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=END_OFFSETS_TIMEOUT_S
        )
        return {partition.partition: (await answer(future)).offset for partition, future in futures.items()}


async def _hear_of_trouble(admin: AdminClient) -> None:
    while True:
        admin.poll(0)
        await asyncio.sleep(_HEAR_S)
