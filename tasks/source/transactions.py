"""The transactions of an exactly-once source: records and their offsets, all of them or none (KIP-618)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectd.errors import ConnectException
from tasks.control import Control, OffsetStoreError
from tasks.settings import DistributedConfig
from tasks.settings.source import own_offsets_topic
from tasks.source.counters import SourceCounters
from tasks.source.offsets import Chunk, OffsetTracker, encode_key, encode_value

log = structlog.get_logger(__name__)

# A call that Kafka does not answer in this time is made again, unless the task is to stop.
CALL_S: Final = 5.0
ABORT_S: Final = 5.0
# Offsets that are in the connector's own topic go to the worker's, too; nothing depends on that.
COPY_S: Final = 10.0
_ROOM_S: Final = 0.05
_FENCED: Final = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})
_PURGED: Final = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})


class OffsetsTopic(NamedTuple):
    """Where the offsets of a source go; `is_own` says that this is not the worker's topic."""

    name: str
    is_own: bool

    @classmethod
    def of(cls, worker: DistributedConfig, connector_config: Mapping[str, str]) -> OffsetsTopic:
        """What the connector's configuration says, or the worker's."""
        shared = worker.offset_topic.name
        own = own_offsets_topic(connector_config, shared)
        return cls(own or shared, own is not None)


class TransactionOffsets(OffsetTracker):
    """The last offset of each source partition that the open transaction has records of: it need not be known which of them
    Kafka has acknowledged, for a transaction is committed with all of them or not at all."""

    def __init__(self, connector: str) -> None:
        super().__init__(connector)
        self._last: dict[bytes, Chunk] = {}
        self._last_key: tuple[Mapping[str, Any] | None, bytes] = (None, b"")

    def submit(
        self, partition: Mapping[str, Any] | None, count: int, offset: Callable[[], Mapping[str, Any] | None]
    ) -> Chunk:
        chunk = Chunk(count, lambda: encode_value(offset()), self._delivery_failed)
        if partition is not None:
            if partition is not self._last_key[0]:
                self._last_key = (partition, encode_key(self._connector, partition))
            self._last[self._last_key[1]] = chunk
        return chunk

    def take_committable(self) -> dict[bytes, bytes | None]:
        taken = {key: chunk.offset() for key, chunk in self._last.items()}
        self.clear()
        return taken

    def clear(self) -> None:
        """Forget what belongs to a transaction that was given up."""
        self._last.clear()
        # The map may be the task's own, and change before it comes again.
        self._last_key = (None, b"")

    @property
    def unacknowledged(self) -> int:
        return sum(chunk.remaining for chunk in self._last.values())

    def _delivery_failed(self, error: KafkaError, message: Message | None, chunk: Chunk) -> None:
        if error.code() not in _PURGED:  # as ordered, by an abort
            self.on_failure(error, message, chunk)


class Transactions:
    """One after the other, each begun by its first record. All calls come from the task's thread."""

    def __init__(
        self,
        connector: str,
        task: int,
        producer: Producer,
        topic: OffsetsTopic,
        control: Control,
        counters: SourceCounters,
    ) -> None:
        self.offsets = TransactionOffsets(connector)
        self.topic = topic
        self._name = f"{connector}-{task}"
        self._producer = producer
        self._control = control
        self._counters = counters
        self._is_open = False
        self._written_before = 0

    def claim(self) -> None:
        """To be called once: earlier runs of this task are fenced, and what they left open is aborted.

        Raises ConnectException if the task may not start, or is to stop.
        """
        self._control.check_preflight(claimed=False)
        self._call(self._producer.init_transactions, "Failed to claim its transactional id")
        self._control.check_preflight(claimed=True)

    def begin(self) -> None:
        """Open one, if none is open."""
        if self._is_open:
            return
        try:
            self._producer.begin_transaction()
        except KafkaException as failure:
            raise self._explained(failure.args[0], "Failed to begin a transaction") from failure
        self._is_open = True
        self._written_before = self._counters.written

    def commit(self) -> bool:
        """Commit records and offsets; True if there were any. Raises ConnectException: then the task has failed."""
        offsets = self.offsets.take_committable()
        if not self._is_open and not offsets:
            return False
        self.begin()
        self._copy({key: value for key, value in offsets.items() if value is None})
        for key, value in offsets.items():
            self._produce(key, value)
        self._call(self._producer.commit_transaction, "Failed to flush offsets and/or records")
        self._is_open = False
        self._counters.transactions.record(self._counters.written - self._written_before)
        self._copy({key: value for key, value in offsets.items() if value is not None})
        return True

    def abort(self) -> None:
        """Drop the records of the open transaction; their offsets go with the next one. Raises ConnectException."""
        if not self._is_open:
            log.warning("Ignoring request by task to abort transaction as the current transaction is empty")
            return
        self._call(self._producer.abort_transaction, "Failed to abort a transaction")
        self._is_open = False

    def give_up(self) -> None:
        """Drop records and offsets of the open transaction, so that nobody has to wait for its time to be over."""
        self.offsets.clear()
        if self._is_open:
            self._is_open = False
            try:
                self._producer.abort_transaction(ABORT_S)
            except KafkaException as failure:
                log.info("the open transaction is left to the next run of this task", error=failure.args[0].str())

    def _produce(self, key: bytes, value: bytes | None) -> None:
        while True:
            try:
                self._producer.produce(self.topic.name, value, key)
                return
            except BufferError:
                self._producer.poll(_ROOM_S)
            except KafkaException as failure:
                raise self._explained(failure.args[0], "Failed to flush offsets") from failure

    def _copy(self, offsets: Mapping[bytes, bytes | None]) -> None:
        if self.topic.is_own and offsets:
            try:
                self._control.commit_offsets(list(offsets.items()), COPY_S, copied=True)
            except OffsetStoreError as error:
                log.warning("offsets of the connector's own topic are not in the worker's, too", error=str(error))

    def _call(self, call: Callable[[float], None], what: str) -> None:
        while True:
            try:
                call(CALL_S)
                return
            except KafkaException as failure:
                error = failure.args[0]
                if not error.retriable() or self._control.stopping.is_set():
                    raise self._explained(error, what) from failure
                log.warning(f"{what}, trying again", error=f"{error.name()}: {error.str()}")
                self._producer.poll(0)  # a client that has lost its brokers is helped when it is served

    def _explained(self, error: KafkaError, what: str) -> ConnectException:
        message = f"{what} for task {self._name}: {error.name()}: {error.str()}"
        if error.code() in _FENCED:
            message += (
                ". Either another run of this task has taken over, or a transaction took longer than transaction.timeout.ms: "
                "then a longer one (producer.override.transaction.timeout.ms), a shorter transaction.boundary.interval.ms, or "
                "transaction.boundary=poll helps"
            )
        return ConnectException(message)
