"""Sinks that are busy for longer than `max.poll.interval.ms`: they stay in their group, and nothing is lost or put twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tasks.messages import Stop
from tests.support.kafka import TestKafka
from tests.support.loops import Running, all_of, run_sink, until
from tests.support.sinks import RecordingSink, Refusing

STRATEGIES = ["range", "cooperative-sticky"]
PARTITIONS = 2
# The smallest that a broker and librdkafka accept.
INTERVAL_S = 6.0
LONG_S = 7.5


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.RETRY_BACKOFF_S", 0.05)
    monkeypatch.setattr("tasks.sink.loop.POLL_TIMEOUT_S", 0.1)


@pytest.fixture
def topic(kafka: TestKafka, topic: str) -> str:
    return kafka.create_topic(topic, partitions=PARTITIONS)


def write(kafka: TestKafka, topic: str, count: int) -> None:
    for partition in range(PARTITIONS):
        kafka.produce(topic, [f"{partition} {number}" for number in range(count)], partition=partition)


def member(task: RecordingSink, kafka: TestKafka, topic: str, strategy: str, **settings: Any) -> Running:
    settings = {"commit_interval_s": 3600, "heartbeat_interval_ms": 100, **settings}
    return run_sink(
        task,
        kafka.client,
        [topic],
        f"g-{topic}",
        partition_assignment_strategy=strategy,
        session_timeout_ms=int(INTERVAL_S * 1000),
        max_poll_interval_ms=int(INTERVAL_S * 1000),
        **settings,
    )


class Busy:
    """A call that takes long, once; `entered` is set while it does."""

    def __init__(self, seconds: float = LONG_S, then: Callable[[Any], None] = lambda argument: None) -> None:
        self.entered = threading.Event()
        self._seconds = seconds
        self._then = then

    def __call__(self, argument: Any) -> None:
        if argument and not self.entered.is_set():
            self.entered.set()
            time.sleep(self._seconds)
            self._then(argument)


def members(kafka: TestKafka, topic: str) -> list[str]:
    group = f"g-{topic}"
    return sorted(each.member_id for each in kafka.admin.describe_consumer_groups([group])[group].result(30).members)


def everything(count: int) -> Counter[tuple[int, int]]:
    return Counter((partition, offset) for partition in range(PARTITIONS) for offset in range(count))


@pytest.mark.parametrize(
    ("strategy", "call"),
    [
        ("range", "put"),
        ("cooperative-sticky", "put"),
        ("range", "flush"),
        ("range", "open"),
        ("cooperative-sticky", "close"),
    ],
)
def test_a_long_call_costs_no_membership(kafka: TestKafka, topic: str, strategy: str, call: str) -> None:
    busy = Busy()
    task = RecordingSink(**{call: busy})
    write(kafka, topic, 100)
    with member(task, kafka, topic, strategy, commit_interval_s=0.2) as running:
        if call == "close":
            until(lambda: task.places == everything(100), "all is read")
            running.supervisor.order(Stop())
        assert busy.entered.wait(30)
        until(lambda: members(kafka, topic), "it is in the group")
        before = members(kafka, topic)
        write(kafka, topic, 100)
        if call != "close":
            until(lambda: task.places == everything(200), "it reads on")
        assert members(kafka, topic) == before
        assert len(before) == 1
        assert len(task.calls_of("open")) == 1
        running.stop()
    assert len(task.calls_of("close")) == 1
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), 100 if call == "close" else 200)
    assert len(task.threads) == 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_member_that_joins_meanwhile_gets_its_share_after_the_call(
    kafka: TestKafka, topic: str, strategy: str
) -> None:
    busy = Busy()
    first, second = RecordingSink(put=busy), RecordingSink()
    write(kafka, topic, 100)
    one = member(first, kafka, topic, strategy)
    with all_of(one):
        assert busy.entered.wait(30)
        # Well before the end of the call: with eager assignment the group waits for the others as long as for a poll.
        began = time.monotonic()
        until(lambda: time.monotonic() > began + LONG_S - INTERVAL_S + 2, "time has passed")
        two = member(second, kafka, topic, strategy)
        with all_of(two):
            until(lambda: len(members(kafka, topic)) == 2, "the second has joined")
            assert not first.calls_of("close")
            until(lambda: len(first.opened) == len(second.opened) == 1, "they share the partitions")
            write(kafka, topic, 100)
            until(lambda: first.places + second.places == everything(200), "all is read, and once")
            two.stop()
        one.stop()
    assert first.calls_of("put", "close")[0][0] == "put"
    assert len(first.threads) == 1
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), 200)


def test_a_member_that_joins_early_waits_for_a_call_of_any_length(kafka: TestKafka, topic: str) -> None:
    """With cooperative assignment the others go on meanwhile, so that nobody is thrown out for being slow to give."""
    busy = Busy(INTERVAL_S + 5)
    first, second = RecordingSink(put=busy), RecordingSink()
    write(kafka, topic, 100)
    one = member(first, kafka, topic, "cooperative-sticky")
    with all_of(one):
        assert busy.entered.wait(30)
        two = member(second, kafka, topic, "cooperative-sticky")
        with all_of(two):
            until(lambda: len(first.opened) == len(second.opened) == 1, "they share the partitions")
            until(lambda: first.places + second.places == everything(100), "all is read, and once")
            two.stop()
        one.stop()
    assert len(first.calls_of("open")) <= 2  # the second time when the other has gone


def test_records_that_are_refused_at_last_come_again(kafka: TestKafka, topic: str) -> None:
    refusing = Refusing(1, before=lambda: time.sleep(LONG_S))
    task = RecordingSink(put=refusing)
    write(kafka, topic, 100)
    with member(task, kafka, topic, "range") as running:
        until(lambda: refusing.refused, "they are refused")
        write(kafka, topic, 100)
        until(lambda: task.places == everything(200), "all is read, and once")
        assert len(task.calls_of("open")) == 1
        running.stop()
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), 200)


def test_what_a_rebalance_raises_after_the_call_fails_the_task(kafka: TestKafka, topic: str) -> None:
    def fail(partitions: Any) -> None:
        raise ValueError("the lake is frozen")

    busy = Busy()
    first, second = RecordingSink(put=busy, close=fail), RecordingSink()
    write(kafka, topic, 10)
    one = member(first, kafka, topic, "cooperative-sticky")
    with all_of(one):
        assert busy.entered.wait(30)
        two = member(second, kafka, topic, "cooperative-sticky")
        with all_of(two):
            error = one.failure()
            assert str(error) == "the lake is frozen"
            two.stop()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_who_is_attended_all_the_time_misses_nothing(
    kafka: TestKafka, topic: str, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.sink.attendant.LONG_CALL_S", 0.01)
    records = 400

    def some_time(argument: Any) -> None:
        if argument:
            time.sleep(0.08)

    first, second = RecordingSink(put=some_time, flush=some_time), RecordingSink(put=some_time, close=some_time)
    one = member(first, kafka, topic, strategy, commit_interval_s=0.3, max_poll_records=50)
    with all_of(one):
        write(kafka, topic, records)
        until(lambda: len(first.records) > records / 3, "it has read some")
        two = member(second, kafka, topic, strategy, max_poll_records=50)
        with all_of(two):
            until(lambda: len(second.records) > records / 3, "the second has read some")
            two.stop()
        until(lambda: first.places + second.places >= everything(records), "all is read")
        one.stop()
    assert first.places + second.places == everything(records)
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), records)
    assert len(first.threads) == len(second.threads) == 1
