"""The sink loop with a consumer whose answers are written down: what a real Kafka does only when timing is unlucky."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as ClientPartition

from connectd.errors import ConnectException
from connectd.records import TopicPartition
from tasks.sink.context import WorkerSinkTaskContext
from tasks.sink.counters import SinkCounters
from tasks.sink.loop import SinkLoop, SinkSettings
from tasks.sink.subscription import Subscription
from tests.support.loops import Running, Supervisor, strings, until
from tests.support.sinks import RecordingSink, Refusing


def message(partition: int, offset: int) -> Message:
    return Message(topic="t", partition=partition, offset=offset, value=f"{partition} {offset}".encode())


Answer = Callable[["FakeConsumer"], list[Message]]


class FakeConsumer:
    """Answers `consume` from a script, and with nothing when that is at its end."""

    def __init__(self, *script: Answer) -> None:
        self.script: Iterator[Answer] = iter(script)
        self.callbacks: dict[str, Any] = {}
        self.paused: set[int] = set()
        self.seeks: list[tuple[int, int]] = []
        self.seek_errors: list[int] = []
        self.positions: dict[int, int] = {}
        self.commits: list[dict[int, int]] = []
        self.commit_errors: list[Any] = []
        self.assigned: dict[int, int] = {}

    def subscribe(self, topics: list[str], **callbacks: Any) -> None:
        self.callbacks = callbacks

    def call(self, name: str, *partitions: int) -> None:
        self.callbacks[name](self, [ClientPartition("t", partition) for partition in partitions])

    def forget(self, partition: int) -> list[Message]:
        """As if the partition had never been read."""
        self.positions.pop(partition)
        return []

    def consume(self, count: int, timeout: float) -> Any:
        messages = next(self.script, lambda consumer: [])(self)
        for each in messages:
            self.positions[each.partition() or 0] = (each.offset() or 0) + 1
        return messages

    def poll(self, timeout: float) -> None:
        return None

    def memberid(self) -> str:
        return "member-1"

    def position(self, partitions: list[ClientPartition]) -> list[ClientPartition]:
        return [ClientPartition("t", each.partition, self.positions.get(each.partition, -1001)) for each in partitions]

    def pause(self, partitions: list[ClientPartition]) -> None:
        self.paused.update(each.partition for each in partitions)

    def resume(self, partitions: list[ClientPartition]) -> None:
        self.paused.difference_update(each.partition for each in partitions)

    def seek(self, partition: ClientPartition) -> None:
        if self.seek_errors:
            raise KafkaException(KafkaError(self.seek_errors.pop(0)))
        self.seeks.append((partition.partition, partition.offset))
        self.positions.pop(partition.partition, None)

    def incremental_assign(self, partitions: list[ClientPartition]) -> None:
        self.assigned.update({each.partition: each.offset for each in partitions})

    def incremental_unassign(self, partitions: list[ClientPartition]) -> None:
        self.paused.difference_update(each.partition for each in partitions)

    def commit(self, offsets: list[ClientPartition], asynchronous: bool) -> list[Any]:
        self.commits.append({each.partition: each.offset for each in offsets})
        if not self.commit_errors:
            return []
        error = self.commit_errors.pop(0)
        if isinstance(error, KafkaException):
            raise error
        return [SimpleNamespace(topic="t", partition=0, error=error)]


class NoArrivals:
    """The script goes on without waiting."""

    def clear(self) -> None: ...

    def wait(self, seconds: float) -> None: ...

    def wake(self) -> None: ...


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.RETRY_BACKOFF_S", 0.001)


def run(task: RecordingSink, consumer: FakeConsumer) -> Running:
    supervisor = Supervisor()
    context = WorkerSinkTaskContext({})
    loop = SinkLoop(
        task,
        strings(),
        consumer,  # type: ignore[arg-type]
        Subscription(["t"], 300),
        context,
        supervisor.control,
        SinkCounters(),
        SinkSettings(max_poll_records=10, commit_interval_s=3600, incremental=True),
        NoArrivals(),  # type: ignore[arg-type]
    )
    task.initialize(context)
    return Running(supervisor, loop.run)


def doing(*calls: tuple[Any, ...], messages: list[Message] | None = None) -> Answer:
    def answer(consumer: FakeConsumer) -> list[Message]:
        for name, *partitions in calls:
            consumer.call(name, *partitions)
        return messages or []

    return answer


P0 = TopicPartition("t", 0)


def test_when_all_that_was_refused_is_taken_away_the_other_partitions_are_read_again() -> None:
    task = RecordingSink(put=Refusing(10**9))
    paused: list[set[int]] = []

    def look(consumer: FakeConsumer) -> list[Message]:
        paused.append(set(consumer.paused))
        return []

    consumer = FakeConsumer(
        doing(("on_assign", 0, 1)),
        look,
        doing(messages=[message(0, 5)]),
        look,
        doing(("on_revoke", 0)),
    )
    with run(task, consumer) as running:
        until(lambda: task.calls_of("close"), "the partition is taken away")
        until(lambda: consumer.paused == set(), "the other is read again")
        running.stop()
    assert paused == [set(), {0, 1}]
    assert consumer.commits == []


def test_what_is_left_of_refused_records_comes_again_without_those_taken_away() -> None:
    refusing = Refusing(1)
    task = RecordingSink(put=refusing)
    consumer = FakeConsumer(
        doing(("on_assign", 0, 1)),
        doing(messages=[message(0, 5), message(1, 7), message(0, 6)]),
        doing(("on_revoke", 0)),
    )
    with run(task, consumer) as running:
        until(lambda: task.records, "the rest is put")
        running.stop()
    assert task.values == ["1 7"]
    assert consumer.commits == [{1: 8}]


def test_records_fetched_before_their_partition_was_taken_are_dropped() -> None:
    task = RecordingSink()
    consumer = FakeConsumer(
        doing(("on_assign", 0, 1)),
        doing(("on_revoke", 0), messages=[message(0, 5), message(1, 7)]),
    )
    with run(task, consumer) as running:
        until(lambda: task.records, "the rest is put")
        running.stop()
    assert task.values == ["1 7"]
    assert consumer.commits == [{1: 8}]


@pytest.mark.parametrize(("how", "flushed"), [("on_revoke", [("flush", {P0: 6})]), ("on_lost", [])])
def test_a_partition_that_comes_back_has_no_past(how: str, flushed: list[Any]) -> None:
    """Another member may have read on in the meantime: what was delivered here before must not be committed any more."""
    task = RecordingSink()
    consumer = FakeConsumer(
        doing(("on_assign", 0)),
        doing(messages=[message(0, 5)]),
        doing((how, 0)),
        lambda consumer: consumer.forget(0),
        doing(("on_assign", 0)),
    )
    with run(task, consumer) as running:
        until(lambda: len(task.calls_of("open")) == 2, "the partition is back")
        running.stop()
    assert task.calls_of("flush") == flushed


def test_after_a_rewind_nothing_is_committed_before_it_is_put_again() -> None:
    rewinds = iter([{}, {P0: 3}])
    task = RecordingSink(put=lambda records: task.context.offset(next(rewinds, {}) if records else {}))
    consumer = FakeConsumer(
        doing(("on_assign", 0)), doing(messages=[message(0, 4)]), doing(messages=[message(0, 5), message(0, 6)])
    )
    with run(task, consumer) as running:
        until(lambda: consumer.seeks, "the task has rewound")
        running.stop()
    assert consumer.seeks == [(0, 3)]
    assert task.calls_of("flush") == [("flush", {P0: 3})]
    assert consumer.commits == []


def test_after_a_failed_flush_nothing_is_committed_before_it_is_put_again() -> None:
    failures = iter([OSError("the disk is full")])

    def fail_once(offsets: Any) -> None:
        for error in failures:
            raise error

    task = RecordingSink(flush=fail_once, put=lambda records: task.context.request_commit() if records else None)
    consumer = FakeConsumer(doing(("on_assign", 0)), doing(messages=[message(0, 5), message(0, 6)]))
    with run(task, consumer) as running:
        until(lambda: consumer.seeks, "the task goes back")
        running.stop()
    assert consumer.seeks == [(0, 5)]
    assert task.calls_of("flush") == [("flush", {P0: 7}), ("flush", {P0: 5})]
    assert consumer.commits == []


@pytest.mark.parametrize(
    "error", [KafkaException(KafkaError(KafkaError._TIMED_OUT)), KafkaError(KafkaError.REBALANCE_IN_PROGRESS)]
)
def test_a_commit_that_failed_is_made_again_and_one_that_did_not_is_not(error: Any) -> None:
    task = RecordingSink()
    consumer = FakeConsumer(doing(("on_assign", 0)), doing(messages=[message(0, 5)]))
    consumer.commit_errors = [error]
    with run(task, consumer) as running:
        until(lambda: task.records, "the record is put")
        for count in (1, 2, 3):
            task.context.request_commit()
            until(lambda count=count: len(task.calls_of("flush")) == count, "a commit is tried")
        running.stop()
    assert consumer.commits == [{0: 6}, {0: 6}]


def test_records_that_come_although_all_is_paused_are_read_again_later() -> None:
    task = RecordingSink(put=Refusing(1))
    consumer = FakeConsumer(
        doing(("on_assign", 0)),
        doing(messages=[message(0, 5)]),
        doing(messages=[message(0, 6), message(0, 7)]),
    )
    with run(task, consumer) as running:
        until(lambda: task.records, "the refused record is put")
        running.stop()
    assert task.values == ["0 5"]
    assert consumer.seeks == [(0, 6)]
    assert consumer.commits == []


def test_a_task_that_begins_elsewhere_gets_nothing_from_before() -> None:
    task = RecordingSink(open=lambda partitions: task.context.offset({P0: 60}))
    consumer = FakeConsumer(doing(("on_assign", 0, 1)))
    with run(task, consumer) as running:
        until(lambda: task.calls_of("put"), "the task is called")
        running.stop()
    assert consumer.assigned == {0: 60, 1: OFFSET_INVALID}
    assert consumer.seeks == []


def test_a_seek_waits_until_the_partition_is_ready() -> None:
    rewinds = iter([{P0: 3}])
    task = RecordingSink(put=lambda records: task.context.offset(next(rewinds, {})))
    consumer = FakeConsumer(doing(("on_assign", 0)))
    consumer.seek_errors = [KafkaError._STATE] * 3
    with run(task, consumer) as running:
        until(lambda: consumer.seeks == [(0, 3)], "the seek succeeds")
        running.stop()
    rewinds = iter([{P0: 3}])
    consumer = FakeConsumer(doing(("on_assign", 0)))
    consumer.seek_errors = [KafkaError._INVALID_ARG]
    with run(task, consumer) as running:
        error = running.failure()
        assert isinstance(error, ConnectException) and "Cannot go to offset 3 of t-0" in str(error)
