"""Where the transactions of an exactly-once source end, and how large they were."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from connectd.errors import ConnectException
from connectd.records import SourceBatch, SourceRecord
from tasks.settings import SourceConnectorConfig, WorkerConfig
from tasks.source.boundaries import Boundary, ConnectorBoundary, End, IntervalBoundary, PollBoundary, boundary_of
from tasks.source.counters import SourceCounters, TransactionSizes
from tasks.source.transaction_context import WorkerTransactionContext

WORKER = {"bootstrap.servers": "localhost:1", "key.converter": "String", "value.converter": "String"}


def records(count: int) -> list[SourceRecord]:
    return [SourceRecord({}, {}, "t", value=str(number)) for number in range(count)]


def parts(boundary: Boundary, batch: Sequence[SourceRecord]) -> list[tuple[list[str], End | None]]:
    found = []
    for part, end in boundary.parts(batch):
        assert not isinstance(part, SourceBatch)
        found.append(([record.value for record in part], end))
    return found


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_poll_is_a_transaction() -> None:
    boundary = PollBoundary()
    assert parts(boundary, records(2)) == [(["0", "1"], None)]
    assert boundary.after_batch() is boundary.before_rest() is End.COMMIT


def test_a_transaction_ends_with_the_first_batch_after_the_interval() -> None:
    clock = Clock()
    boundary = IntervalBoundary(5, clock)
    ends = []
    for clock.now in (1, 4.9, 5, 6, 9.9, 10.1):
        ends.append(boundary.after_batch())
    assert ends == [None, None, End.COMMIT, None, None, End.COMMIT]
    assert boundary.before_rest() is End.COMMIT


def test_a_task_ends_its_transactions_with_batches() -> None:
    context = WorkerTransactionContext()
    boundary = ConnectorBoundary(context)
    assert boundary.after_batch() is boundary.before_rest() is None
    context.commit_transaction()
    assert (boundary.after_batch(), boundary.after_batch()) == (End.COMMIT, None)
    context.abort_transaction()
    assert (boundary.before_rest(), boundary.before_rest()) == (End.ABORT, None)
    context.commit_transaction()
    context.abort_transaction()
    with pytest.raises(ConnectException, match="both commit and abort of same transaction"):
        boundary.after_batch()


def test_a_task_ends_its_transactions_with_records() -> None:
    context = WorkerTransactionContext()
    boundary = ConnectorBoundary(context)
    batch = records(5)
    assert parts(boundary, batch) == [(["0", "1", "2", "3", "4"], None)]
    context.commit_transaction(batch[1])
    context.abort_transaction(batch[2])
    assert parts(boundary, batch) == [(["0", "1"], End.COMMIT), (["2"], End.ABORT), (["3", "4"], None)]
    context.commit_transaction(batch[4])
    assert parts(boundary, batch) == [(["0", "1", "2", "3", "4"], End.COMMIT)]
    context.commit_transaction(records(1)[0])  # another record, though it says the same
    assert parts(boundary, batch[:1]) == [(["0"], None)]
    context.commit_transaction(batch[0])
    context.abort_transaction(batch[0])
    with pytest.raises(ConnectException, match="both commit and abort of same record against topic/partition t/None"):
        parts(boundary, batch)


def test_the_configuration_says_which_boundary() -> None:
    worker = WorkerConfig({**WORKER, "offset.flush.interval.ms": "7000"})

    def boundary(**keys: str) -> Boundary:
        props = {"name": "c", "connector.class": "S"} | {key.replace("_", "."): value for key, value in keys.items()}
        return boundary_of(SourceConnectorConfig(props), worker, None)

    assert isinstance(boundary(), PollBoundary)
    for keys, interval_s in (({}, 7.0), ({"transaction_boundary_interval_ms": "20"}, 0.02)):
        found = boundary(transaction_boundary="INTERVAL", **keys)
        assert isinstance(found, IntervalBoundary) and found._interval_s == interval_s
    props = SourceConnectorConfig({"name": "c", "connector.class": "S", "transaction.boundary": "connector"})
    assert isinstance(boundary_of(props, worker, WorkerTransactionContext()), ConnectorBoundary)


def test_sizes_of_transactions_are_those_of_the_last_minute() -> None:
    assert "transaction-size-avg" not in SourceCounters().snapshot()
    clock = Clock()
    sizes = TransactionSizes(clock)
    for clock.now, size in ((1, 4), (29, 2), (31, 9)):
        sizes.record(size)
    assert sizes.snapshot() == {"transaction-size-avg": 5, "transaction-size-min": 2, "transaction-size-max": 9}
    clock.now = 62
    assert sizes.snapshot() == {"transaction-size-avg": 9, "transaction-size-min": 9, "transaction-size-max": 9}
    clock.now = 200
    assert sizes.snapshot() == {}
