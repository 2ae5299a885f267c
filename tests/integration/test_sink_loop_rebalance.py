"""Sink loops that share the partitions of a topic: nothing is lost, nothing is put after `close`, whoever comes or goes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient, MemberToRemove

from connectd.errors import ConnectException
from connectd.records import TopicPartition
from tests.support.kafka import TestKafka
from tests.support.loops import Running, all_of, run_sink, until
from tests.support.sinks import RecordingSink, Refusing

STRATEGIES = ["range", "cooperative-sticky"]
PARTITIONS = 4


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.RETRY_BACKOFF_S", 0.05)
    monkeypatch.setattr("tasks.sink.loop.POLL_TIMEOUT_S", 0.1)


@pytest.fixture
def topic(kafka: TestKafka, topic: str) -> str:
    return kafka.create_topic(topic, partitions=PARTITIONS)


def write(kafka: TestKafka, topic: str, count: int, partitions: int = PARTITIONS) -> None:
    """`count` records into each partition."""
    for partition in range(partitions):
        kafka.produce(topic, [f"{partition} {number}" for number in range(count)], partition=partition)


def member(task: RecordingSink, kafka: TestKafka, topic: str, strategy: str, **settings: Any) -> Running:
    """One of the group. Offsets are committed only when partitions are taken away."""
    settings = {"commit_interval_s": 3600, "max_poll_records": 50, "heartbeat_interval_ms": 100, **settings}
    return run_sink(task, kafka.client, [topic], f"g-{topic}", partition_assignment_strategy=strategy, **settings)


def shared(*tasks: RecordingSink) -> bool:
    """Whether each of the tasks has as many partitions as the others, and all are taken."""
    return all(len(task.opened) == PARTITIONS // len(tasks) for task in tasks)


def places(*tasks: RecordingSink) -> Counter[tuple[int, int]]:
    return sum((task.places for task in tasks), Counter[tuple[int, int]]())


def everything(count: int) -> Counter[tuple[int, int]]:
    """Each of `count` records of each partition, once."""
    return Counter((partition, offset) for partition in range(PARTITIONS) for offset in range(count))


def in_order(task: RecordingSink) -> bool:
    last: dict[int, int] = {}
    for record in task.records:
        if record.kafka_offset <= last.get(record.partition, -1):
            return False
        last[record.partition] = record.kafka_offset
    return True


@pytest.mark.parametrize("static", [False, True], ids=["dynamic", "static"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_members_come_and_go_and_no_record_is_lost_or_put_twice(
    kafka: TestKafka, topic: str, strategy: str, static: bool
) -> None:
    def settings(name: str) -> dict[str, Any]:
        return {"group_instance_id": f"{topic}-{name}"} if static else {}

    first, second = RecordingSink(), RecordingSink()
    write(kafka, topic, 500)
    one = member(first, kafka, topic, strategy, **settings("one"))
    with all_of(one):
        until(lambda: first.places == everything(500), "the first reads all alone")
        two = member(second, kafka, topic, strategy, **settings("two"))
        with all_of(two):
            until(lambda: shared(first, second), "they share the partitions")
            write(kafka, topic, 500)
            until(lambda: places(first, second) == everything(1000), "they read on")
            assert second.records
            two.stop()
            if static:
                _remove(kafka, topic, "two")
            until(lambda: shared(first), "the first has all again")
            write(kafka, topic, 500)
            until(lambda: places(first, second) == everything(1500), "the first reads on alone")
        one.stop()
    assert in_order(first) and in_order(second)
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), 1500)


def _remove(kafka: TestKafka, topic: str, name: str) -> None:
    """Static members do not leave by themselves."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.remove_group_members(f"g-{topic}", [MemberToRemove(group_instance_id=f"{topic}-{name}")])
    admin.close()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_rebalance_in_full_swing_loses_nothing(kafka: TestKafka, topic: str, strategy: str) -> None:
    write(kafka, topic, 5000)
    first, second = RecordingSink(), RecordingSink()
    one = member(first, kafka, topic, strategy)
    with all_of(one):
        until(lambda: first.records, "the first begins")
        two = member(second, kafka, topic, strategy)
        with all_of(two):
            until(lambda: second.opened, "the second joins")
            until(lambda: len(places(first, second)) == PARTITIONS * 5000, "all is read")
            two.stop()
        one.stop()
    assert set(places(first, second)) == set(everything(5000))
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), 5000)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_static_member_comes_back_and_the_other_notices_nothing(kafka: TestKafka, topic: str, strategy: str) -> None:
    first, second = RecordingSink(), RecordingSink()
    one = member(first, kafka, topic, strategy, group_instance_id=f"{topic}-one")
    two = member(second, kafka, topic, strategy, group_instance_id=f"{topic}-two")
    with all_of(one, two):
        until(lambda: shared(first, second), "they share the partitions")
        calls, had = len(first.calls_of("open", "close")), set(second.opened)
        two.stop()
        write(kafka, topic, 100)
        again = RecordingSink()
        back = member(again, kafka, topic, strategy, group_instance_id=f"{topic}-two")
        with all_of(back):
            until(lambda: places(first, again) == everything(100), "all is read")
            assert again.opened == had
            assert len(first.calls_of("open", "close")) == calls
            back.stop()
        one.stop()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_member_that_was_replaced_fails_and_commits_nothing(kafka: TestKafka, topic: str, strategy: str) -> None:
    zombie, task = RecordingSink(), RecordingSink()
    write(kafka, topic, 100)
    old = member(zombie, kafka, topic, strategy, group_instance_id=topic)
    with all_of(old):
        until(lambda: zombie.places == everything(100), "the first reads")
        new = member(task, kafka, topic, strategy, group_instance_id=topic)
        with all_of(new):
            error = old.failure()
            assert isinstance(error, ConnectException) and "fenced" in str(error)
            assert kafka.committed(f"g-{topic}", topic) == {}
            until(lambda: task.places == everything(100), "the second reads all again")
            new.stop()
    assert zombie.opened == set()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_lost_partitions_are_closed_without_a_commit(kafka: TestKafka, topic: str, strategy: str) -> None:
    task = RecordingSink()
    write(kafka, topic, 100)
    with member(task, kafka, topic, strategy, group_instance_id=f"{topic}-one") as running:
        until(lambda: task.places == everything(100), "all is read")
        _remove(kafka, topic, "one")
        until(lambda: len(task.calls_of("open")) == 2, "the member joins again")
        assert [name for name, _ in task.calls_of("open", "flush", "close")] == ["open", "close", "open"]
        until(lambda: task.places == everything(100) + everything(100), "all is read again")
        running.stop()
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), 100)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_paused_task_stays_paused_through_a_rebalance(kafka: TestKafka, topic: str, strategy: str) -> None:
    first, second = RecordingSink(), RecordingSink()
    one = member(first, kafka, topic, strategy)
    with all_of(one):
        until(lambda: shared(first), "the first has all")
        one.supervisor.pause()
        two = member(second, kafka, topic, strategy)
        with all_of(two):
            until(lambda: shared(first, second), "they share the partitions")
            write(kafka, topic, 50)
            until(lambda: len(second.records) == 2 * 50, "the second reads its part")
            two.stop()
        until(lambda: shared(first), "the first has all again")
        write(kafka, topic, 50)
        assert first.records == []
        one.supervisor.resume()
        until(lambda: places(first, second) == everything(100), "the first reads the rest")
        one.stop()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_partitions_that_a_task_paused(kafka: TestKafka, topic: str, strategy: str) -> None:
    """What the task paused stays so while it keeps the partition, and is forgotten with it."""
    first, second = RecordingSink(), RecordingSink()
    one = member(first, kafka, topic, strategy)
    with all_of(one):
        until(lambda: shared(first), "the first has all")
        first.context.pause(*(TopicPartition(topic, partition) for partition in range(PARTITIONS)))
        two = member(second, kafka, topic, strategy)
        with all_of(two):
            until(lambda: shared(first, second), "they share the partitions")
            kept = set(first.opened)
            two.stop()
        until(lambda: shared(first), "the first has all again")
        write(kafka, topic, 50)
        readable = {place for place in everything(50) if TopicPartition(topic, place[0]) not in kept}
        until(lambda: len(first.records) >= len(readable), "what is not paused is read")
        assert set(first.places) == readable
        first.context.resume(*first.opened)
        until(lambda: first.places == everything(50), "the rest is read")
        one.stop()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_rebalance_while_records_are_refused(kafka: TestKafka, topic: str, strategy: str) -> None:
    """The records of partitions that are taken away are the other's; the rest comes again, and all goes on."""
    refusing = Refusing(10**9)
    first, second = RecordingSink(put=refusing), RecordingSink()
    write(kafka, topic, 10)
    one = member(first, kafka, topic, strategy)
    with all_of(one):
        until(lambda: refusing.refused, "records are refused")
        two = member(second, kafka, topic, strategy)
        with all_of(two):
            until(lambda: shared(first, second), "they share the partitions")
            until(lambda: len(second.records) == 2 * 10, "the second reads its part")
            write(kafka, topic, 10)
            refusing.times = 0
            until(lambda: places(first, second) == everything(20), "the first goes on")
            two.stop()
        one.stop()
    assert in_order(first)
    assert kafka.committed(f"g-{topic}", topic) == dict.fromkeys(range(PARTITIONS), 20)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_close_that_fails_fails_the_task(kafka: TestKafka, topic: str, strategy: str) -> None:
    def fail(partitions: Any) -> None:
        raise OSError("cannot close the file")

    first, second = RecordingSink(close=fail), RecordingSink()
    one = member(first, kafka, topic, strategy)
    with all_of(one):
        until(lambda: shared(first), "the first has all")
        two = member(second, kafka, topic, strategy)
        with all_of(two):
            assert "cannot close the file" in str(one.failure())
            write(kafka, topic, 10)
            until(lambda: second.places == everything(10), "the second reads all")
            two.stop()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("before", "now"), [("ab", "b"), ("a", "ab")])
def test_a_static_member_that_asks_for_other_topics_within_its_session_gets_them(
    kafka: TestKafka, topic: str, strategy: str, before: str, now: str
) -> None:
    """Its old assignment would come back otherwise, for the group's leader is not asked."""
    names = {letter: kafka.create_topic(f"{topic}-{letter}", partitions=PARTITIONS) for letter in "ab"}
    for name in names.values():
        write(kafka, name, 1)

    def run(letters: str) -> tuple[RecordingSink, Running]:
        task = RecordingSink()
        return task, run_sink(
            task,
            kafka.client,
            [names[letter] for letter in letters],
            f"g-{topic}",
            twice=True,
            partition_assignment_strategy=strategy,
            group_instance_id="one",
        )

    def reads(task: RecordingSink, letters: str) -> bool:
        return {each.topic for each in task.opened} == {names[letter] for letter in letters}

    first, running = run(before)
    with running:
        until(
            lambda: reads(first, before) and len(first.records) >= PARTITIONS * len(before), "the first topics are read"
        )
    second, running = run(now)
    with running:
        until(lambda: reads(second, now), "the topics asked for are read")
        for name in names.values():
            write(kafka, name, 1)
        until(
            lambda: len({(r.topic, r.partition) for r in second.records}) == PARTITIONS * len(now), "their records come"
        )
        assert reads(second, now)
