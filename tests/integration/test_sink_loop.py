"""The sink loop against a real Kafka: what is put, and which offsets are committed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as ClientPartition
from structlog.testing import capture_logs

from connectd.errors import ConnectException, RetriableException
from connectd.records import OffsetAndMetadata, SinkBatch, TimestampType, TopicPartition
from connectd.schema import Schema
from tasks.chain import Step
from tasks.sink.counters import SinkCounters
from tasks.states import State
from tests.support.errors import operator
from tests.support.kafka import TestKafka
from tests.support.loops import run_sink, strings, until
from tests.support.plugins import Applying, HeaderConverting, MoodyConverter
from tests.support.sinks import ColumnSink, RecordingSink, Refusing


def numbers(*bounds: int) -> list[str]:
    return [str(number) for number in range(*bounds)]


@pytest.fixture
def filled(kafka: TestKafka, topic: str) -> str:
    """A topic of one partition with the numbers from 0 to 99."""
    kafka.create_topic(topic)
    kafka.produce(topic, numbers(100))
    return topic


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.RETRY_BACKOFF_S", 0.05)
    monkeypatch.setattr("tasks.sink.loop.POLL_TIMEOUT_S", 0.1)


def committed(kafka: TestKafka, topic: str) -> int | None:
    return kafka.committed(f"g-{topic}", topic).get(0)


def write(kafka: TestKafka, topic: str, **record: Any) -> None:
    producer = Producer({**kafka.client})
    producer.produce(topic, **record)
    assert producer.flush(30) == 0


# --- delivering and committing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sink", [RecordingSink, ColumnSink])
def test_records_come_in_order_and_what_was_put_is_committed_at_the_end(
    kafka: TestKafka, filled: str, sink: type[RecordingSink]
) -> None:
    task = sink()
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=3600, max_poll_records=7) as running:
        until(lambda: len(task.values) == 100, "all is put")
        assert committed(kafka, filled) is None
        running.stop()
    assert task.values == numbers(100)
    assert committed(kafka, filled) == 100
    partition = [TopicPartition(filled, 0)]
    assert task.calls_of("open", "flush", "close", "stop") == [
        ("open", partition),
        ("flush", {partition[0]: 100}),
        ("close", partition),
        ("stop", None),
    ]
    assert len(task.threads) == 1


def test_the_next_run_goes_on_where_the_last_one_ended(kafka: TestKafka, filled: str) -> None:
    for expected in (numbers(100), numbers(100, 150)):
        task = RecordingSink()
        with run_sink(task, kafka.client, [filled], f"g-{filled}") as running:
            until(lambda task=task, expected=expected: len(task.values) == len(expected), "all is put")
            running.stop()
        assert task.values == expected
        kafka.produce(filled, numbers(100, 150)) if expected[0] == "0" else None


def test_offsets_are_committed_at_the_interval_and_on_request(kafka: TestKafka, filled: str) -> None:
    task = RecordingSink()
    with run_sink(task, kafka.client, [filled], f"g-{filled}") as running:
        until(lambda: committed(kafka, filled) == 100, "the interval has passed")
        running.stop()
    task = RecordingSink(put=lambda records: task.context.request_commit() if records else None)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=3600):
        kafka.produce(filled, ["100"])
        until(lambda: committed(kafka, filled) == 101, "the request is met")


def test_an_idle_task_is_called_all_the_same(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    task = RecordingSink()
    with run_sink(task, kafka.client, [topic], f"g-{topic}"):
        until(lambda: len(task.calls_of("put")) >= 3, "put is called without records")
    assert task.records == []


def test_a_task_may_ask_to_be_called_soon(kafka: TestKafka, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.POLL_TIMEOUT_S", 10.0)
    kafka.create_topic(topic)
    task = RecordingSink(put=lambda records: task.context.timeout(10))
    with run_sink(task, kafka.client, [topic], f"g-{topic}") as running:
        kafka.produce(topic, ["0"])
        until(lambda: len(task.calls_of("put")) >= 5, "put is called soon", timeout_s=9)
        running.stop()


def test_nobody_waits_until_an_idle_loop_turns(kafka: TestKafka, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.POLL_TIMEOUT_S", 300.0)
    task = RecordingSink()
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=3600) as running:
        until(lambda: len(task.values) == 100, "all is put")
        task.context.request_commit()
        until(lambda: committed(kafka, filled) == 100, "a request by another thread is met")
        running.supervisor.pause()
        kafka.produce(filled, ["100"])
        running.supervisor.resume()
        until(lambda: len(task.values) == 101, "what came is put")
        running.stop()


def test_what_the_task_agrees_to_is_committed_and_nothing_else(kafka: TestKafka, filled: str) -> None:
    partition = TopicPartition(filled, 0)
    agreed: dict[TopicPartition, OffsetAndMetadata] = {}
    task = RecordingSink(agree=lambda current: agreed)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=0.01) as running:
        until(lambda: len(task.values) == 100, "all is put")
        until(lambda: task.calls_of("flush"), "the task is asked")
        assert committed(kafka, filled) is None
        agreed = {partition: OffsetAndMetadata(101), TopicPartition(filled, 5): OffsetAndMetadata(1)}
        count = len(task.calls_of("flush"))
        until(lambda: len(task.calls_of("flush")) > count + 1, "the task is asked again")
        assert committed(kafka, filled) is None
        agreed = {partition: OffsetAndMetadata(42, "half")}
        until(lambda: committed(kafka, filled) == 42, "a part is committed")
        agreed = {}
        running.stop()
    assert committed(kafka, filled) == 42
    consumer = Consumer({**kafka.client, "group.id": f"g-{filled}"})
    assert consumer.committed([ClientPartition(filled, 0)], 30)[0].metadata == "half"
    consumer.close()


def test_after_a_failed_flush_the_records_come_again(kafka: TestKafka, filled: str) -> None:
    failures = iter([True, False])

    def fail_once(offsets: Any) -> None:
        if next(failures, False):
            raise OSError("the disk is full")

    task = RecordingSink(flush=fail_once)
    counters = SinkCounters()
    with run_sink(
        task, kafka.client, [filled], f"g-{filled}", commit_interval_s=3600, max_poll_records=30, counters=counters
    ) as running:
        until(lambda: len(task.values) == 100, "all is put")
        task.context.request_commit()
        until(lambda: len(task.values) == 200, "all is put again")
        assert committed(kafka, filled) is None
        running.stop()
    assert task.values == numbers(100) * 2
    assert committed(kafka, filled) == 100
    assert (counters.commits, counters.commit_failures) == (1, 1)


def test_after_a_failed_flush_nothing_older_than_the_last_commit_comes(kafka: TestKafka, filled: str) -> None:
    """With `auto.offset.reset=latest` a group without commits must not go back to the beginning of the topic."""
    failing = False

    def flush(offsets: Any) -> None:
        nonlocal failing
        if failing:
            failing = False
            raise OSError("the disk is full")

    task = RecordingSink(flush=flush)
    client = run_sink(task, kafka.client, [filled], f"g-{filled}", auto_offset_reset="latest", commit_interval_s=3600)
    with client as running:
        until(lambda: task.opened, "the partition is assigned")
        _write_until_put(kafka, filled, task)
        failing = True
        task.context.request_commit()
        until(lambda: not failing, "the flush has failed")
        first = task.records[0].kafka_offset
        until(lambda: task.places[(0, first)] == 2, "the first record comes again")
        failing = False
        running.stop()
    assert min(record.kafka_offset for record in task.records) == first >= 100


def _write_until_put(kafka: TestKafka, topic: str, task: RecordingSink) -> None:
    """The consumer may look for the end of the topic only some time after the assignment."""
    deadline = time.monotonic() + 30
    while not task.values:
        assert time.monotonic() < deadline
        kafka.produce(topic, ["new"])


def test_a_failed_flush_takes_precedence_over_a_refused_batch(kafka: TestKafka, filled: str) -> None:
    refusing = Refusing(0)
    failing = False

    def flush(offsets: Any) -> None:
        nonlocal failing
        if failing:
            failing = False
            refusing.times = 0
            raise OSError("the disk is full")

    task = RecordingSink(put=refusing, flush=flush)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=3600) as running:
        until(lambda: len(task.values) == 100, "all is put")
        refusing.times = 10**9
        kafka.produce(filled, numbers(100, 150))
        until(lambda: refusing.refused, "records are refused")
        failing = True
        task.context.request_commit()
        until(lambda: len(task.values) == 250, "all comes again")
        running.stop()
    assert task.values == [*numbers(100), *numbers(150)]
    assert committed(kafka, filled) == 150


def test_flush_failing_at_the_end_commits_nothing_and_closes(kafka: TestKafka, filled: str) -> None:
    def fail(offsets: Any) -> None:
        raise OSError("the disk is full")

    task = RecordingSink(flush=fail)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=3600) as running:
        until(lambda: len(task.values) == 100, "all is put")
        running.stop()
    assert committed(kafka, filled) is None
    assert [name for name, _ in task.calls[-3:]] == ["flush", "close", "stop"]


@pytest.mark.parametrize("steps", [[], [Step(Applying(lambda record: record))]], ids=["plain", "transformed"])
def test_refused_records_come_again_the_same_and_before_all_others(
    kafka: TestKafka, filled: str, steps: list[Step]
) -> None:
    refusing = Refusing(4, before=lambda: kafka.produce(filled, ["later"]))
    task = RecordingSink(put=refusing)
    with run_sink(
        task,
        kafka.client,
        [filled],
        f"g-{filled}",
        pipeline=strings(steps=steps),
        commit_interval_s=0.01,
        max_poll_records=30,
        max_poll_interval_ms=6001,
        session_timeout_ms=6000,
    ) as running:
        until(lambda: len(task.values) == 104, "all is put")
        running.stop()
    first = refusing.refused[0]
    assert [record.kafka_offset for record in first] == list(range(len(first)))
    assert all(refused == first for refused in refusing.refused)
    assert [call for call in task.calls_of("put") if call[1]][4][1] == first
    assert task.values == [*numbers(100), *["later"] * 4]
    assert [steps[0].transformation.applied] == [104] if steps else True  # type: ignore[attr-defined]
    assert len(task.calls_of("open")) == 1
    assert committed(kafka, filled) == 104


def test_nothing_refused_is_committed_at_the_end(kafka: TestKafka, filled: str) -> None:
    refusing = Refusing(10**9)
    task = RecordingSink(put=refusing)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=0.01) as running:
        until(lambda: len(refusing.refused) == 3, "records are refused")
        running.stop()
    assert committed(kafka, filled) is None
    assert [name for name, _ in task.calls[-2:]] == ["close", "stop"]


def test_the_task_says_when_to_try_again(kafka: TestKafka, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.RETRY_BACKOFF_S", 3600.0)
    times: list[float] = []

    def refuse(records: Any) -> None:
        if records and len(times) < 2:
            times.append(time.monotonic())
            task.context.timeout(300 if len(times) == 1 else 1)
            raise RetriableException("not now")

    task = RecordingSink(put=refuse)
    with run_sink(task, kafka.client, [filled], f"g-{filled}"):
        until(lambda: len(task.values) == 100, "all is put")
    assert times[1] - times[0] >= 0.3


def test_a_paused_task_keeps_its_refused_records(kafka: TestKafka, filled: str) -> None:
    refusing = Refusing(10**9)
    task = RecordingSink(put=refusing)
    with run_sink(task, kafka.client, [filled], f"g-{filled}") as running:
        until(lambda: refusing.refused, "records are refused")
        running.supervisor.pause()
        count = len(refusing.refused)
        refusing.times = 0
        kafka.produce(filled, ["100"])
        assert len(refusing.refused) == count and task.values == []
        running.supervisor.resume()
        until(lambda: len(task.values) == 101, "all is put")
    assert task.values == numbers(101)


# --- what the consumer has fetched before a pause or a rewind ---------------------------------------------------------


def test_a_paused_sink_gets_nothing_and_then_the_rest_once(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    kafka.produce(topic, numbers(20_000))
    task = RecordingSink()
    with run_sink(task, kafka.client, [topic], f"g-{topic}", max_poll_records=50, commit_interval_s=3600) as running:
        supervisor = running.supervisor
        for target in (100, 1000):
            until(lambda target=target: len(task.records) >= target, "some are put")
            supervisor.pause()
            count, puts = len(task.records), len(task.calls_of("put"))
            until(lambda count=count: committed(kafka, topic) == count, "the pause commits what was put")
            for flushes in range(len(task.calls_of("flush")), len(task.calls_of("flush")) + 3):
                task.context.request_commit()
                until(lambda flushes=flushes: len(task.calls_of("flush")) > flushes, "the loop goes round")
            assert len(task.records) == count < 20_000
            assert len(task.calls_of("put")) == puts
            supervisor.resume()
        until(lambda: len(task.records) >= 20_000, "all is put")
        running.stop()
    assert task.values == numbers(20_000)
    assert supervisor.states == [State.PAUSED, State.RUNNING] * 2


def test_a_task_pauses_and_resumes_partitions(kafka: TestKafka, topic: str) -> None:
    """The second partition is paused from the start, and again while its records are fetched already."""
    kafka.create_topic(topic, partitions=2)
    for partition in (0, 1):
        kafka.produce(topic, numbers(5000), partition=partition)
    first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)

    def open_paused(partitions: Any) -> None:
        task.context.pause(second)

    def put(records: Any) -> None:
        if len(task.records) > 4000:
            task.context.resume(first, second)
        if any(record.partition == 1 for record in records) and not paused_again:
            paused_again.append(len(task.records))
            task.context.pause(first, second)

    paused_again: list[int] = []
    task = RecordingSink(open=open_paused, put=put)
    with run_sink(task, kafka.client, [topic], f"g-{topic}", max_poll_records=100) as running:
        until(lambda: len(task.records) == 10_000, "all is put")
        running.stop()
    by_partition: dict[int, list[Any]] = {0: [], 1: []}
    for record in task.records:
        by_partition[record.partition].append(record.value)
    assert by_partition == {0: numbers(5000), 1: numbers(5000)}
    assert paused_again and all(record.partition == 0 for record in task.records[:4000])


def test_a_partition_stays_paused_when_the_whole_task_was_paused(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic, partitions=2)
    second = TopicPartition(topic, 1)
    task = RecordingSink(open=lambda partitions: task.context.pause(second))
    with run_sink(task, kafka.client, [topic], f"g-{topic}") as running:
        until(lambda: task.opened, "the partitions are assigned")
        running.supervisor.pause()
        running.supervisor.resume()
        kafka.produce(topic, ["a"], partition=1)
        kafka.produce(topic, ["b"], partition=0)
        until(lambda: task.values == ["b"], "the first partition is read")
        task.context.resume(second)
        until(lambda: task.values == ["b", "a"], "the second partition is read")


def test_pausing_a_strange_partition_fails(kafka: TestKafka, filled: str) -> None:
    task = RecordingSink(put=lambda records: task.context.pause(TopicPartition("strange", 0)))
    with run_sink(task, kafka.client, [filled], f"g-{filled}") as running:
        assert "Not assigned to this task: strange-0" in str(running.failure())


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_a_task_that_keeps_its_own_offsets_begins_where_it_likes(kafka: TestKafka, filled: str, strategy: str) -> None:
    partition = TopicPartition(filled, 0)
    task = RecordingSink(open=lambda partitions: task.context.offset({partition: 60}))
    with run_sink(
        task, kafka.client, [filled], f"g-{filled}", partition_assignment_strategy=strategy, commit_interval_s=3600
    ) as running:
        until(lambda: len(task.values) == 40, "the rest is put")
        running.stop()
    assert task.values == numbers(60, 100)
    assert committed(kafka, filled) == 100


def test_a_task_rewinds_from_put(kafka: TestKafka, filled: str) -> None:
    partition = TopicPartition(filled, 0)
    rewinds = iter([{partition: 10}])

    def rewind_at_the_end(records: Any) -> None:
        if records and records[-1].kafka_offset == 99:
            task.context.offset(next(rewinds, {}))

    task = RecordingSink(put=rewind_at_the_end)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", max_poll_records=33) as running:
        until(lambda: len(task.values) == 190, "it was put again")
        running.stop()
    assert task.values == [*numbers(100), *numbers(10, 100)]
    assert committed(kafka, filled) == 100


def test_a_task_rewinds_an_idle_partition(kafka: TestKafka, filled: str) -> None:
    """Directly after the assignment the consumer is not able to seek yet."""
    partition = TopicPartition(filled, 0)
    rewinds = iter([{partition: 50}])
    task = RecordingSink(put=lambda records: task.context.offset(next(rewinds, {})))
    with run_sink(task, kafka.client, [filled], f"g-{filled}", auto_offset_reset="latest") as running:
        until(lambda: len(task.values) >= 50, "the second half is put")
        running.stop()
    assert task.values == numbers(50, 100)


# --- subscriptions, topics, conversion --------------------------------------------------------------------------------


def test_topics_of_an_expression_as_they_come_and_go(kafka: TestKafka, topic: str) -> None:
    task = RecordingSink()
    # What librdkafka's own expressions do not know: groups without capture, looking ahead.
    pattern = re.compile(rf"(?:{re.escape(topic)})-(?!not)\w+")
    with run_sink(task, kafka.client, pattern, f"g-{topic}") as running:
        for name in (f"{topic}-a", f"{topic}-nothing", f"x{topic}-a"):
            kafka.create_topic(name)
            kafka.produce(name, [name])
        until(lambda: task.values == [f"{topic}-a"], "the first topic is read")
        kafka.create_topic(f"{topic}-b")
        kafka.produce(f"{topic}-b", ["b"])
        until(lambda: task.values == [f"{topic}-a", "b"], "the second topic is read")
        kafka.admin.delete_topics([f"{topic}-a", f"{topic}-b"])[f"{topic}-a"].result(30)
        until(lambda: not task.opened, "the topics are gone")
        running.stop()


def test_a_topic_that_is_not_there_yet_is_waited_for(kafka: TestKafka, topic: str) -> None:
    task = RecordingSink()
    with capture_logs() as logs, run_sink(task, kafka.client, [topic], f"g-{topic}") as running:
        until(lambda: logs, "it is said")
        kafka.create_topic(topic)
        kafka.produce(topic, numbers(3))
        until(lambda: task.values == numbers(3), "the records are put")
        running.stop()
    waiting = [(entry["log_level"], entry["event"]) for entry in logs if "waiting" in entry["event"]]
    assert waiting == [("info", f"waiting for topic {topic} to appear")]


def test_several_topics_each_in_order(kafka: TestKafka, topic: str) -> None:
    topics = [f"{topic}-{name}" for name in "abc"]
    for name in topics:
        kafka.create_topic(name)
        kafka.produce(name, [f"{name} {number}" for number in range(500)])
    seen: dict[str, list[str]] = {}

    def take(batch: SinkBatch) -> list[str]:
        for value, (name, _), offset, schema in zip(
            batch.values, batch.topic_partitions, batch.offsets, batch.value_schemas, strict=True
        ):
            assert schema == Schema.OPTIONAL_STRING_SCHEMA
            assert value == f"{name} {offset}"
            seen.setdefault(name, []).append(value)
        return list(batch.values)

    task = ColumnSink(take)
    with run_sink(task, kafka.client, topics, f"g-{topic}") as running:
        until(lambda: len(task.values) == 1500, "all is put")
        running.stop()
    assert seen == {name: [f"{name} {number}" for number in range(500)] for name in topics}


def test_nulls_headers_and_timestamps(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    headers: list[tuple[str, str | bytes | None]] = [("a", b"12"), ("b", None), ("a", b"text")]
    write(kafka, topic, value=b"v", key=b"k", headers=headers, timestamp=1_600_000_000_123)
    write(kafka, topic, value=None, key=b"k")
    write(kafka, topic, value=b"", key=None)
    task = RecordingSink()
    with run_sink(task, kafka.client, [topic], f"g-{topic}"):
        until(lambda: len(task.records) == 3, "all is put")
    first, second, third = task.records
    assert (first.key, first.value, first.timestamp) == ("k", "v", 1_600_000_000_123)
    assert first.timestamp_type is TimestampType.CREATE_TIME
    assert [(header.key, header.value) for header in first.headers] == [("a", 12), ("b", None), ("a", "text")]
    assert (second.key, second.value, len(second.headers)) == ("k", None, 0)
    assert (third.key, third.value, third.kafka_offset) == (None, "", 2)


def test_a_converter_may_read_headers(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    write(kafka, topic, value=b"see header", headers=[("original", b"told")])
    write(kafka, topic, value=b"no header")
    pipeline = strings(value_converter=HeaderConverting())
    for task in (RecordingSink(), ColumnSink()):
        with run_sink(task, kafka.client, [topic], f"g-{topic}-{type(task).__name__}", pipeline=pipeline):
            until(lambda task=task: len(task.values) == 2, "all is put")
        assert task.values == ["told", None]


@pytest.mark.parametrize(
    ("sink", "steps"),
    [
        (RecordingSink, []),
        (ColumnSink, []),
        (RecordingSink, [Step(Applying(lambda record: record))]),
    ],
    ids=["records", "columns", "transformed"],
)
@pytest.mark.parametrize("several_topics", [False, True])
def test_a_record_that_cannot_be_converted_fails_the_task_and_is_named(
    kafka: TestKafka, filled: str, sink: Callable[[], RecordingSink], steps: list[Step], several_topics: bool
) -> None:
    pipeline = strings(value_converter=MoodyConverter(poison="57"), steps=steps)
    topics = [filled, kafka.create_topic(f"{filled}-2")] if several_topics else [filled]
    task = sink()
    with run_sink(task, kafka.client, topics, f"g-{filled}", pipeline=pipeline, max_poll_records=20) as running:
        error = running.failure()
    assert isinstance(error, ConnectException)
    assert str(error) == (
        f"Tolerance exceeded in error handler: Cannot convert the value of the record in {filled}-0 at offset 57: "
        "ValueError: this is poison"
    )
    assert task.values == numbers(len(task.values))
    assert committed(kafka, filled) == len(task.values) <= 57


def test_headers_and_transformations_that_fail_name_the_record(kafka: TestKafka, filled: str) -> None:
    failing = strings(steps=[Step(Applying(lambda record: record if record.value != "7" else 1 / 0))])
    with run_sink(RecordingSink(), kafka.client, [filled], f"g-{filled}", pipeline=failing) as running:
        assert f"Cannot transform the record in {filled}-0 at offset 7: ZeroDivision" in str(running.failure())

    class Broken(HeaderConverting):
        def to_connect_header(self, topic: str, header_key: str, value: Any) -> Any:
            raise ValueError("what a header")

    write(kafka, filled, value=b"x", headers=[("a", b"b")])
    pipeline = strings(header_converter=Broken())
    with run_sink(RecordingSink(), kafka.client, [filled], f"g-{filled}-2", pipeline=pipeline) as running:
        assert f"Cannot convert the headers of the record in {filled}-0 at offset 100" in str(running.failure())


def test_what_a_task_does_not_ask_for_is_not_converted(kafka: TestKafka, filled: str) -> None:
    pipeline = strings(value_converter=MoodyConverter(poison="57"))
    task = ColumnSink(lambda batch: list(batch.keys))
    with run_sink(task, kafka.client, [filled], f"g-{filled}", pipeline=pipeline) as running:
        until(lambda: len(task.values) == 100, "all is put")
        running.stop()
    assert committed(kafka, filled) == 100


@pytest.mark.parametrize("sink", [RecordingSink, ColumnSink])
def test_what_a_converter_refuses_for_now_comes_again(
    kafka: TestKafka, filled: str, sink: Callable[[], RecordingSink]
) -> None:
    task = sink()
    pipeline = strings(
        value_converter=MoodyConverter(refusals=3),
        steps=[Step(Applying(lambda record: record))],
        errors=operator(retry_timeout_ms=-1),
    )
    with run_sink(task, kafka.client, [filled], f"g-{filled}", pipeline=pipeline) as running:
        until(lambda: len(task.values) == 100, "all is put")
        running.stop()
    assert task.values == numbers(100)


def test_offsets_of_dropped_records_are_committed_too(kafka: TestKafka, filled: str) -> None:
    task = RecordingSink()
    counters = SinkCounters()
    few = strings(steps=[Step(Applying(lambda record: record if record.value == "3" else None))])
    with run_sink(task, kafka.client, [filled], f"g-{filled}", pipeline=few, counters=counters) as running:
        until(lambda: committed(kafka, filled) == 100, "all is committed")
        running.stop()
    assert task.values == ["3"]
    assert (counters.read, counters.sent, counters.active) == (100, 1, 0)


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_put_that_fails_keeps_what_was_put_before(kafka: TestKafka, filled: str) -> None:
    def fail_late(records: Any) -> None:
        if any(record.value == "70" for record in records):
            raise OSError("the system is gone")

    task = RecordingSink(put=fail_late)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", commit_interval_s=3600, max_poll_records=20) as running:
        assert isinstance(running.failure(), OSError)
    assert committed(kafka, filled) == len(task.values) <= 70
    assert task.calls[-1][0] == "close"


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_an_open_that_fails_fails_the_task(kafka: TestKafka, filled: str, strategy: str) -> None:
    def fail(partitions: Any) -> None:
        raise OSError("no table for these")

    task = RecordingSink(open=fail)
    with run_sink(task, kafka.client, [filled], f"g-{filled}", partition_assignment_strategy=strategy) as running:
        assert "no table for these" in str(running.failure())
    assert task.records == []
    assert committed(kafka, filled) is None


def test_a_close_that_fails_at_the_end_fails_the_task_but_hides_nothing(kafka: TestKafka, filled: str) -> None:
    def fail(argument: Any) -> None:
        raise OSError("cannot close")

    def fail_put(records: Any) -> None:
        raise ValueError("cannot put")

    with run_sink(RecordingSink(close=fail), kafka.client, [filled], f"g-{filled}") as running:
        until(lambda: committed(kafka, filled) == 100, "all is committed")
        with pytest.raises(OSError, match="cannot close"):
            running.stop()
    kafka.produce(filled, ["more"])
    with run_sink(RecordingSink(close=fail, put=fail_put), kafka.client, [filled], f"g-{filled}") as running:
        assert isinstance(running.failure(), ValueError)


def test_nothing_committed_and_no_reset_fails_the_task(kafka: TestKafka, filled: str) -> None:
    with run_sink(RecordingSink(), kafka.client, [filled], f"g-{filled}", auto_offset_reset="error") as running:
        error = running.failure()
    assert isinstance(error, ConnectException) and "_AUTO_OFFSET_RESET" in str(error)


def test_a_stop_before_anything_is_assigned(kafka: TestKafka, topic: str) -> None:
    task = RecordingSink()
    with run_sink(task, kafka.client, [topic], f"g-{topic}") as running:
        running.stop()
    assert task.calls_of("open", "close", "stop") == [("stop", None)]
