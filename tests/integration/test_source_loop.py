"""The source loop against a real Kafka: what is sent, in which order, and which offsets are committed when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from confluent_kafka import Message

from connectd.columns import RecordColumns
from connectd.errors import ConnectException
from connectd.records import SourceRecord
from connectd.transforms import Predicate
from plugins.transforms.filter import Filter
from tasks.chain import Step
from tasks.pipeline import Pipeline
from tasks.states import Call
from tests.support.errors import operator
from tests.support.kafka import TestKafka
from tests.support.loops import Supervisor, run_source, strings, until
from tests.support.plugins import Applying, HeaderConverting, MoodyConverter, NullWritingConverter
from tests.support.sources import (
    PARTITION,
    BlockingSource,
    ColumnSource,
    CompleteSource,
    ConfirmedSource,
    FailingSource,
    HookFailingSource,
    InterleavedSource,
    NumberSource,
    PickingSource,
)

CREATE_TIME = 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.source.loop.RETRY_BACKOFF_S", 0.01)
    monkeypatch.setattr("tasks.source.loop.ATTENDANT_INTERVAL_S", 0.1)


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def parts(message: Message) -> tuple[Any, Any, Any]:
    return message.key(), message.value(), message.headers()


@pytest.mark.parametrize(
    "make",
    [
        lambda topic: NumberSource(topic, 7000, batch=4500),
        lambda topic: ColumnSource(topic, 7000, batch=4500),
        lambda topic: ColumnSource(topic, 7000, batch=4500, keyed=True),
        lambda topic: InterleavedSource(topic, 700, batch=450),
        lambda topic: ConfirmedSource(topic, 700, batch=450),
    ],
    ids=["records", "columns", "keyed columns", "interleaved partitions", "commit_record"],
)
def test_order_is_kept_and_all_is_committed_in_the_end(
    kafka: TestKafka, topic: str, make: Callable[[str], NumberSource]
) -> None:
    kafka.create_topic(topic)
    task = make(topic)
    with run_source(task, kafka.client, commit_interval_s=3600) as running:
        until(lambda: task.next == task.count, "all is read")
        assert running.supervisor.commits == []
        running.stop()
    assert kafka.lines(topic, task.count) == numbers(task.count)
    supervisor = running.supervisor
    if isinstance(task, InterleavedSource):
        assert [supervisor.committed({"part": part}) for part in range(3)] == [{"n": 699}, {"n": 697}, {"n": 698}]
    else:
        assert supervisor.committed(PARTITION) == {"n": task.count - 1}
    assert len(supervisor.commits) == 1
    assert task.commits == 1


def test_committed_offsets_only_grow_and_never_pass_what_is_in_the_topic(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = ColumnSource(topic, 100)
    with run_source(task, kafka.client) as running:
        supervisor = running.supervisor
        for count in range(100, 1100, 100):
            until(lambda: supervisor.committed(PARTITION), "something is committed")
            committed = supervisor.committed(PARTITION)
            assert committed is not None and kafka.end_offsets(topic)[0] > committed["n"]
            task.count = count
            until(lambda count=count: supervisor.committed(PARTITION) == {"n": count - 1}, "all is committed")
    values = [orjson.loads(value or b"")["n"] for commit in supervisor.commits for value in commit.values()]
    assert len(values) >= 10 and values == sorted(set(values))


def test_a_record_arrives_with_all_that_it_has(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic, partitions=2)
    with run_source(CompleteSource(topic, 3), kafka.client) as running:
        messages = kafka.consume(topic, 3)
        running.stop()
    headers = [("number", b"0"), ("nothing", None)]
    assert parts(messages[0]) == (b"k0", b"0", headers)
    assert messages[0].timestamp() == (CREATE_TIME, 1_600_000_000_000)
    assert parts(messages[2]) == (None, None, None)
    assert [message.partition() for message in messages] == [0, 0, 0]


def test_keys_choose_the_partition_in_columns_as_in_records(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic, partitions=3)
    keyed = strings(steps=[Step(Applying(lambda record: record.new_record(key=f"k{record.value}")))])
    for task, pipeline in ((ColumnSource(topic, 30, keyed=True), strings()), (NumberSource(topic, 30), keyed)):
        with run_source(task, kafka.client, pipeline=pipeline, partitioner="murmur2_random") as running:
            until(lambda task=task: task.next == 30, "all is read")
            running.stop()
    places: dict[Any, set[int | None]] = {}
    for message in kafka.consume(topic, 60):
        places.setdefault(message.key(), set()).add(message.partition())
    assert sorted(places) == sorted(f"k{number}".encode() for number in range(30))
    assert all(len(partitions) == 1 for partitions in places.values())


class Odd(Predicate[Any]):
    def test(self, record: Any) -> bool:
        return int(record.value) % 2 == 1

    def test_columns(self, columns: RecordColumns) -> list[bool]:
        return [int(value) % 2 == 1 for value in columns.values("value")]


@pytest.mark.parametrize("source", [NumberSource, ColumnSource, ConfirmedSource])
def test_what_is_dropped_counts_as_delivered(kafka: TestKafka, topic: str, source: type[NumberSource]) -> None:
    kafka.create_topic(topic)
    steps = [Step(Filter(), Odd())]
    with run_source(source(topic, 10), kafka.client, pipeline=strings(steps=steps)) as running:
        until(lambda: running.supervisor.committed(PARTITION) == {"n": 9}, "all is committed")
    assert kafka.lines(topic, 5) == ["0", "2", "4", "6", "8"]


@pytest.mark.parametrize("source", [NumberSource, ColumnSource, ConfirmedSource])
def test_a_key_converter_may_have_bytes_for_null(kafka: TestKafka, topic: str, source: type[NumberSource]) -> None:
    kafka.create_topic(topic)
    with run_source(source(topic, 3), kafka.client, pipeline=strings(key_converter=NullWritingConverter())):
        assert [message.key() for message in kafka.consume(topic, 3)] == [b"null"] * 3


def test_offsets_are_committed_while_the_source_blocks_in_poll(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = BlockingSource(topic, 10)
    with run_source(task, kafka.client) as running:
        assert task.blocked.wait(30)
        until(lambda: running.supervisor.committed(PARTITION) == {"n": 9}, "the records are committed")
        assert not task.released.is_set() and task.commits == 0
        task.released.set()
        until(lambda: task.commits == 1, "the task hears of it on its own thread")


def test_offsets_are_committed_while_a_large_batch_is_sent(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = ColumnSource(topic, 10_000, batch=10_000)
    with run_source(task, kafka.client, commit_interval_s=0.005, queue_buffering_max_messages=100) as running:
        supervisor = running.supervisor
        until(lambda: supervisor.commits, "something is committed")
        assert task.polls == 1
        until(lambda: supervisor.committed(PARTITION) == {"n": 9999}, "all is committed")
    assert kafka.lines(topic, 10_000) == numbers(10_000)


def test_a_store_that_fails_gets_the_offsets_when_it_works_again(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = NumberSource(topic, 10)
    supervisor = Supervisor()
    supervisor.store_error = "disk full: offsets.dat"
    attempts: Callable[[], int] = lambda: sum("CommitOffsets" in type(report).__name__ for report in supervisor.reports)  # noqa: E731
    with run_source(task, kafka.client, supervisor=supervisor):
        until(lambda: attempts() >= 3, "commits are tried again")
        assert supervisor.offsets == {} and task.commits == 0
        supervisor.store_error = None
        until(lambda: supervisor.committed(PARTITION) == {"n": 9}, "the offsets are stored")


def test_a_paused_source_is_not_polled_but_what_was_sent_is_committed(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = BlockingSource(topic, 10)
    # The records wait a while in the producer, so that they are acknowledged when the task is paused already.
    with run_source(task, kafka.client, linger_ms=300) as running:
        supervisor = running.supervisor
        assert task.blocked.wait(30)
        task.released.set()
        supervisor.pause()
        polls = task.polls
        until(lambda: supervisor.committed(PARTITION) == {"n": 9}, "the records are committed")
        until(lambda: task.commits, "the task hears of it")
        assert task.polls == polls
        until(lambda: supervisor.control.call[0] is Call.NONE, "no call is left that could be taken for hanging")
        task.count = 20
        supervisor.resume()
        until(lambda: supervisor.committed(PARTITION) == {"n": 19}, "the source goes on")
        supervisor.pause()
        running.stop()
    assert kafka.lines(topic, 20) == numbers(20)


@pytest.mark.parametrize("source", [ColumnSource, ConfirmedSource])
def test_a_full_queue_holds_the_source_back_and_loses_nothing(
    kafka: TestKafka, topic: str, source: type[NumberSource]
) -> None:
    kafka.create_topic(topic)
    task = source(topic, 1000, batch=300)
    with run_source(task, kafka.client, queue_buffering_max_messages=7) as running:
        until(lambda: running.supervisor.committed(PARTITION) == {"n": 999}, "all is committed")
    assert kafka.lines(topic, 1000) == numbers(1000)


def test_a_stop_with_a_full_queue_commits_no_more_than_was_sent(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = InterleavedSource(topic, 20_000, batch=20_000, partitions=1)
    with run_source(task, kafka.client, queue_buffering_max_messages=50, commit_interval_s=3600) as running:
        until(lambda: kafka.end_offsets(topic)[0], "some records are sent")
        running.stop()
    sent = kafka.end_offsets(topic)[0]
    committed = running.supervisor.committed({"part": 0})
    assert sent < 20_000
    assert committed is None or committed["n"] < sent


def test_a_stop_with_a_full_queue_and_no_broker_ends_in_time() -> None:
    task = ColumnSource("t", 1000, batch=1000)
    nowhere = {"bootstrap.servers": "127.0.0.1:1"}
    with run_source(task, nowhere, queue_buffering_max_messages=10, shutdown_timeout_s=0.5) as running:
        until(lambda: task.polls == 1, "the records are read")
        running.stop()
    assert running.supervisor.offsets == {}


def test_commit_record_is_called_for_each_record_on_the_tasks_thread(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = ConfirmedSource(topic, 100, batch=30)
    odd = strings(steps=[Step(Applying(lambda record: record if int(record.value) % 2 else None))])
    with run_source(task, kafka.client, pipeline=odd) as running:
        until(lambda: len(task.confirmed) == 100, "all are confirmed")
        running.stop()
    assert sorted(number for number, _ in task.confirmed) == list(range(100))
    offsets = {number: metadata.offset for number, metadata in task.confirmed if metadata is not None}
    assert offsets == {number: index for index, number in enumerate(range(1, 100, 2))}
    assert len(task.threads) == 1
    assert running.supervisor.committed(PARTITION) == {"n": 99}


def test_broken_commit_hooks_do_not_fail_the_task(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = HookFailingSource(topic, 20)
    with run_source(task, kafka.client) as running:
        until(lambda: len(task.confirmed) == 20 and task.commits, "the hooks are called")
        running.stop()
    assert running.supervisor.committed(PARTITION) == {"n": 19}


def test_offsets_of_filtered_records_are_committed_too(kafka: TestKafka, topic: str) -> None:
    task = NumberSource(topic, 50)
    none = strings(steps=[Step(Applying(lambda record: None))])
    with run_source(task, kafka.client, pipeline=none) as running:
        until(lambda: running.supervisor.committed(PARTITION) == {"n": 49}, "the offsets are committed")


def test_transformations_and_predicates(kafka: TestKafka, topic: str) -> None:
    class IsOdd(Predicate[SourceRecord]):
        def test(self, record: SourceRecord) -> Any:
            return int(record.value) % 2  # no bool, but true or false

    kafka.create_topic(topic)
    marking = [
        Step(Applying(lambda record: record.new_record(value=f"{record.value} odd")), IsOdd()),
        Step(Applying(lambda record: record.new_record(value=f"{record.value} even")), IsOdd(), negate=True),
    ]
    even_only = Step(Applying(lambda record: record.new_record(value="x")), IsOdd(), negate=True)
    with run_source(NumberSource(topic, 2), kafka.client, pipeline=strings(steps=marking[:1])) as running:
        assert kafka.lines(topic, 2) == ["0", "1 odd"]
        running.stop()
    with run_source(NumberSource(topic, 2), kafka.client, pipeline=strings(steps=[even_only])) as running:
        assert kafka.lines(topic, 4)[2:] == ["x", "1"]
        running.stop()


@pytest.mark.parametrize("source", [NumberSource, ColumnSource, ConfirmedSource])
def test_what_a_converter_refuses_for_now_is_converted_later(
    kafka: TestKafka, topic: str, source: type[NumberSource]
) -> None:
    kafka.create_topic(topic)
    task = source(topic, 30, batch=30)
    converter = MoodyConverter(refusals=5)
    pipeline = strings(value_converter=converter, errors=operator(retry_timeout_ms=-1))
    with run_source(task, kafka.client, pipeline=pipeline) as running:
        assert kafka.lines(topic, 30) == numbers(30)
        until(lambda: running.supervisor.committed(PARTITION) == {"n": 29}, "all is committed")
        running.stop()
    assert kafka.end_offsets(topic) == {0: 30}


def test_a_task_that_tries_a_record_again_can_be_stopped(kafka: TestKafka, topic: str) -> None:
    task, supervisor = NumberSource(topic, 30), Supervisor()
    errors = operator(supervisor.control.stopping.wait, retry_timeout_ms=-1, retry_delay_max_ms=3_600_000)
    refusing = strings(value_converter=MoodyConverter(refusals=10**9), errors=errors)
    with run_source(task, kafka.client, pipeline=refusing, supervisor=supervisor) as running:
        until(lambda: errors.counters.failures, "the first record is refused")
        running.stop()
    assert (task.polls, supervisor.offsets, errors.counters.skipped) == (1, {}, 0)


@pytest.mark.parametrize("source", [NumberSource, ColumnSource, ConfirmedSource])
def test_a_record_that_cannot_be_converted_fails_the_task_and_is_named(
    kafka: TestKafka, topic: str, source: type[NumberSource]
) -> None:
    kafka.create_topic(topic)
    task = source(topic, 5000, batch=1000)
    poisoned = strings(value_converter=MoodyConverter(poison="4321"))
    with run_source(task, kafka.client, pipeline=poisoned) as running:
        message = str(running.failure())
    assert "this is poison" in message and "'n': 4321" in message and "numbers" in message
    committed = running.supervisor.committed(PARTITION)
    assert committed is not None and committed["n"] <= 4320
    assert kafka.end_offsets(topic)[0] > committed["n"]


def test_a_transformation_that_fails_names_the_record(kafka: TestKafka, topic: str) -> None:
    failing = strings(steps=[Step(Applying(lambda record: record if record.value != "7" else 1 / 0))])
    with run_source(NumberSource(topic, 20), kafka.client, pipeline=failing) as running:
        assert "ZeroDivisionError: division by zero" in str(running.failure()) and "'n': 7" in str(running.failure())


@pytest.mark.parametrize("make", [ColumnSource, ConfirmedSource])
def test_a_record_that_is_too_large_fails_the_task_and_is_named(
    kafka: TestKafka, topic: str, make: type[NumberSource]
) -> None:
    kafka.create_topic(topic)
    task = make(topic, 20)
    large = _Enlarging("13", 5000)
    with run_source(task, kafka.client, pipeline=strings(value_converter=large), message_max_bytes=2000) as running:
        message = str(running.failure())
    assert "5000 bytes" in message and "'n': 13" in message and topic in message
    assert running.supervisor.committed(PARTITION) == {"n": 9}


def test_a_record_that_the_broker_refuses_fails_the_task_and_is_named(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic, max_message_bytes="1000")
    task = BlockingSource(topic, 10)
    large = strings(value_converter=_Enlarging("3", 5000))
    with run_source(task, kafka.client, pipeline=large) as running:
        assert task.blocked.wait(30)
        task.released.set()
        message = str(running.failure())
    assert "MSG_SIZE_TOO_LARGE" in message and f"{topic}-0" in message and '{"n":9}' in message
    assert running.supervisor.offsets == {}


class _Enlarging(MoodyConverter):
    """Makes one value as large as is asked for."""

    def __init__(self, value: str, size: int) -> None:
        super().__init__()
        self.value = value
        self.size = size

    def from_connect_data(self, topic: str, schema: Any, value: Any) -> bytes | None:
        data = super().from_connect_data(topic, schema, value)
        return b"x" * self.size if value == self.value else data


def test_a_failing_task_commits_what_was_acknowledged(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = FailingSource(topic, 30)
    with run_source(task, kafka.client, commit_interval_s=3600) as running:
        assert isinstance(running.failure(), OSError)
    assert running.supervisor.committed(PARTITION) == {"n": 29}
    assert kafka.lines(topic, 30) == numbers(30)


def test_a_source_that_cannot_be_polled_now_is_polled_again(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = FailingSource(topic, 30)
    with run_source(task, kafka.client) as running:
        assert isinstance(running.failure(), OSError)
    assert task.polls >= 6
    assert kafka.lines(topic, 30) == numbers(30)


def test_an_offset_that_cannot_be_stored_fails_the_task_even_while_it_blocks(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = BlockingSource(topic, 10)
    task.record = lambda number: SourceRecord(PARTITION, {"n": [number]}, topic, value="x")  # type: ignore[method-assign]
    with run_source(task, kafka.client) as running:
        assert task.blocked.wait(30)
        until(lambda: not _alive("source-attendant"), "the attendant has met the offset")
        task.released.set()
        assert "Source offset field 'n'" in str(running.failure())


def _alive(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"timestamp": -2}, "Invalid record timestamp -2"),
        ({"partition": 7}, "UNKNOWN_PARTITION"),
    ],
)
def test_a_record_that_no_topic_can_take_fails_the_task(
    kafka: TestKafka, topic: str, change: dict[str, Any], expected: str
) -> None:
    kafka.create_topic(topic)
    task = PickingSource(topic, 5, lambda record, number: record.new_record(**change) if number == 3 else record)
    with run_source(task, kafka.client) as running:
        error = running.failure()
        assert isinstance(error, ConnectException) and expected in str(error)


def test_a_timestamp_of_minus_one_is_none(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = PickingSource(topic, 1, lambda record, number: record.new_record(timestamp=-1))
    with run_source(task, kafka.client):
        assert kafka.consume(topic, 1)[0].timestamp()[1] > 1_600_000_000_000


def test_a_converter_may_write_headers(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    pipeline: Pipeline = strings(value_converter=HeaderConverting())
    with run_source(NumberSource(topic, 2), kafka.client, pipeline=pipeline):
        messages = kafka.consume(topic, 2)
    assert [parts(message) for message in messages] == [
        (None, b"see header", [("original", b"0")]),
        (None, b"see header", [("original", b"1")]),
    ]
