"""Tasks: they move the records (`org.apache.kafka.connect.source.SourceTask`, `...sink.SinkTask`), each in its own process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar

from connectd.records import (
    OffsetAndMetadata,
    RecordMetadata,
    SinkBatch,
    SinkRecord,
    SourceBatch,
    SourceRecord,
    TopicPartition,
)


class OffsetStorageReader(ABC):
    """Reads the source offsets that earlier runs have committed."""

    @abstractmethod
    def offset(self, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        """The offset of one source partition, None if there is none."""

    @abstractmethod
    def offsets(self, partitions: Collection[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """The offsets of many source partitions, in the order given, in one round trip."""


class TransactionContext(ABC):
    """Lets a source task define its own transactions (KIP-618, `transaction.boundary=connector`).

    To be called before the batch is returned from `poll`. Asking for both at once fails the task.
    """

    @abstractmethod
    def commit_transaction(self, record: SourceRecord | None = None) -> None:
        """Commit after the next batch, or after `record`, this very object of it, when it is given."""

    @abstractmethod
    def abort_transaction(self, record: SourceRecord | None = None) -> None:
        """Abort after the next batch, or after `record` when it is given: none of the records since the last commit will be
        seen. Their offsets are committed, so that they do not come again."""


class SourceTaskContext(ABC):
    """What the worker offers to a source task."""

    @property
    @abstractmethod
    def configs(self) -> Mapping[str, str]:
        """The task's configuration, with references to config providers resolved."""

    @property
    @abstractmethod
    def offset_storage_reader(self) -> OffsetStorageReader:
        """Reads committed offsets."""

    @property
    @abstractmethod
    def transaction_context(self) -> TransactionContext | None:
        """None unless the connector defines its own transactions."""

    @abstractmethod
    def wait(self, seconds: float) -> bool:
        """Sleep, for polls that find nothing; True if the sleep ended early because the task is asked to stop or pause."""


class ErrantRecordReporter(ABC):
    """Hands records that the sink refuses to the worker's error handling (KIP-610)."""

    @abstractmethod
    def report(self, record: SinkRecord, error: Exception) -> Future[None]:
        """Report one record; the future is done once it has been written to the dead letter queue."""


class SinkTaskContext(ABC):
    """What the worker offers to a sink task."""

    @property
    @abstractmethod
    def configs(self) -> Mapping[str, str]:
        """The task's configuration, with references to config providers resolved."""

    @abstractmethod
    def offset(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Go on reading from these offsets, for a sink that keeps its own; takes effect before the next `put`."""

    @abstractmethod
    def timeout(self, timeout_ms: int) -> None:
        """After `put` raised RetriableException: how long to wait before the same records are put again."""

    @property
    @abstractmethod
    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that this task reads now."""

    @abstractmethod
    def pause(self, *partitions: TopicPartition) -> None:
        """Stop reading these partitions until they are resumed."""

    @abstractmethod
    def resume(self, *partitions: TopicPartition) -> None:
        """Read these partitions again."""

    @abstractmethod
    def request_commit(self) -> None:
        """Ask for offsets to be committed soon, for example after a file was finished."""

    @property
    @abstractmethod
    def errant_record_reporter(self) -> ErrantRecordReporter | None:
        """None unless errors are reported to a dead letter queue or to the log."""


class Task(ABC):
    """What source and sink tasks have in common. All calls come from one thread, one after another."""

    version: str = "undefined"

    @abstractmethod
    def start(self, props: Mapping[str, str]) -> None:
        """Begin; `props` is one of what the connector's `task_configs` returned."""

    def stop(self) -> None:  # noqa: B027  # a hook that most need not override
        """Release what `start` took. Always called after `start`, also when `start` or a later call failed."""


class SourceTask(Task):
    """Reads from a system."""

    context: SourceTaskContext

    def initialize(self, context: SourceTaskContext) -> None:
        """Called before `start`."""
        self.context = context

    @abstractmethod
    def poll(self) -> Sequence[SourceRecord] | SourceBatch | None:
        """The next records; None when there are none now.

        It may block for new data, but not for ever: use `context.wait`, so that pause and stop are seen in time.
        Raising RetriableException makes the worker poll again after a pause; any other error fails the task.
        """

    def commit(self) -> None:
        """Called after offsets were stored, for sources that acknowledge to their system."""

    def commit_record(self, record: SourceRecord, metadata: RecordMetadata | None) -> None:
        """Called for each record once the broker has acknowledged it; `metadata` is None if it was filtered or skipped.

        Costs time for each record, and is only called where a subclass overrides it.
        """

    def lag(self) -> Mapping[str, float]:
        """How far the task is behind its source, by unit, for example `{"records": 12, "seconds": 3.5}`: for metrics.

        Called between polls, about once a second; it must be quick. Empty if the task cannot tell.
        """
        return {}


class SinkTask(Task):
    """Writes to a system. Offsets of records given to `put` are committed after `pre_commit` agreed to them."""

    TOPICS_CONFIG: ClassVar[str] = "topics"
    TOPICS_REGEX_CONFIG: ClassVar[str] = "topics.regex"

    # Set it to True, in the class or in `start`, if putting records a second time does no harm: they replace what is there,
    # or are recognized. Then a `put` that fails under `errors.tolerance=all` is tried in halves, so that only the records
    # that cannot be written are given up (`errors.batch.bisect`). Without it one such record fails the task.
    put_is_idempotent: bool = False

    context: SinkTaskContext

    def initialize(self, context: SinkTaskContext) -> None:
        """Called before `start`."""
        self.context = context

    def open(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are read from now on. Called after each rebalance that adds some."""

    def put(self, records: Sequence[SinkRecord]) -> None:
        """Write records. They may be buffered until `flush` or `pre_commit`.

        Raising RetriableException makes the worker put the same records again; any other error fails the task.
        """
        raise NotImplementedError(f"{type(self).__name__} must override put or put_batch")

    def put_batch(self, batch: SinkBatch) -> None:
        """As `put`, with the records as columns: override this instead when one object a record is too slow."""
        self.put(batch.records())

    def flush(self, current_offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Make all records put so far durable; their offsets are committed afterwards."""

    def pre_commit(
        self, current_offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        """The offsets that are safe to commit; by default flushes and returns all. For a sink that writes in its own time."""
        self.flush(current_offsets)
        return current_offsets

    def close(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are read no longer. Their offsets have been committed before."""
