"""Where the transactions of an exactly-once source end (KIP-618, `transaction.boundary`)."""

from __future__ import annotations

import enum
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

from connectd.records import SourceBatch, SourceRecord
from tasks.settings import SourceConnectorConfig, TransactionBoundary, WorkerConfig
from tasks.source.transaction_context import WorkerTransactionContext

Batch = Sequence[SourceRecord] | SourceBatch


class End(enum.Enum):
    """How a transaction ends. Offsets are committed in both cases: what was aborted is not to come again."""

    COMMIT = enum.auto()
    ABORT = enum.auto()


class Boundary(ABC):
    """None everywhere means that the transaction goes on."""

    def parts(self, batch: Batch) -> Iterator[tuple[Batch, End | None]]:
        """The batch in parts, and what is to be done after each of them."""
        yield batch, None

    @abstractmethod
    def after_batch(self) -> End | None:
        """After each poll, also if it has brought nothing."""

    def before_rest(self) -> End | None:
        """Before the task pauses or stops."""
        return End.COMMIT


class PollBoundary(Boundary):
    """Each batch is a transaction."""

    def after_batch(self) -> End | None:
        return End.COMMIT


class IntervalBoundary(Boundary):
    """A transaction ends with the first batch after so many seconds."""

    def __init__(self, interval_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._last = clock()

    def after_batch(self) -> End | None:
        if self._clock() < self._last + self._interval_s:
            return None
        self._last = self._clock()
        return End.COMMIT

    def before_rest(self) -> End | None:
        self._last = self._clock()
        return End.COMMIT


class ConnectorBoundary(Boundary):
    """Transactions end where the task says."""

    def __init__(self, context: WorkerTransactionContext) -> None:
        self._context = context

    def parts(self, batch: Batch) -> Iterator[tuple[Batch, End | None]]:
        # Records of a SourceBatch are made here, so that a task cannot have marked one.
        if isinstance(batch, SourceBatch) or not self._context.has_marked_records:
            yield batch, None
            return
        start = 0
        for index, record in enumerate(batch, 1):
            end = _end(*self._context.take_record(record))
            if end is not None:
                yield batch[start:index], end
                start = index
        if start < len(batch):
            yield batch[start:], None

    def after_batch(self) -> End | None:
        return _end(*self._context.take_batch())

    def before_rest(self) -> End | None:
        return self.after_batch()


def _end(commits: bool, aborts: bool) -> End | None:
    if aborts:
        return End.ABORT
    return End.COMMIT if commits else None


def boundary_of(
    connector: SourceConnectorConfig, worker: WorkerConfig, context: WorkerTransactionContext | None
) -> Boundary:
    """What the connector's configuration says; with a `context` its tasks define their own transactions."""
    if context is not None:
        return ConnectorBoundary(context)
    if connector.transaction_boundary is TransactionBoundary.INTERVAL:
        interval_ms = connector.transaction_boundary_interval_ms
        return IntervalBoundary((worker.offset_flush_interval_ms if interval_ms is None else interval_ms) / 1000)
    return PollBoundary()
