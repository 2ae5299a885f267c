"""Sinks as static members of their groups: who replaces a task goes on at once, and so do others when nobody replaces it.

All waits here are shorter than the session of 45 s, after which everything would be in order by itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import MemberDescription

from tasks.messages import LeaveGroups, LogSettings, Membership
from tasks.sink.leaving import leave_groups
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.worker_process import WorkerProcess, worker_process

WAIT_S = 30.0
CONNECTORS = ("one", "two")


class Bed:
    """Two sinks of one topic with two partitions."""

    def __init__(self, kafka: TestKafka, topic: str, folder: Path) -> None:
        self._kafka = kafka
        self._topic = kafka.create_topic(topic, 2)
        self._written = 0
        self.folder = folder
        self.connectors = folder / "connectors"
        self.connectors.mkdir()
        (folder / "worker.properties").write_text(
            f"bootstrap.servers={kafka.bootstrap_servers}\nkey.converter=String\nvalue.converter=String\n"
            f"offset.storage.file.filename={folder}/offsets\nconnectors.directory={self.connectors}\nlisteners=http://127.0.0.1:0\n"
        )
        for name in CONNECTORS:
            (self.connectors / f"{name}.properties").write_text(
                f"name={name}-{topic}\nconnector.class=FileStreamSink\ntopics={topic}\nfile={folder}/{name}.txt\n"
            )

    def group(self, name: str) -> str:
        return f"connect-{name}-{self._topic}"

    def task(self, name: str) -> str:
        return f"{name}-{self._topic}-0"

    def members(self, name: str) -> int:
        described = self._kafka.admin.describe_consumer_groups([self.group(name)])[self.group(name)]
        return len(described.result(WAIT_S).members)

    def write(self) -> None:
        """One more record in each partition."""
        self._written += 1
        for partition in (0, 1):
            self._kafka.produce(self._topic, [f"{self._written}-{partition}"], partition=partition)

    def arrive(self, *names: str) -> None:
        """Until these sinks have everything."""
        expected = {f"{number + 1}-{partition}" for number in range(self._written) for partition in (0, 1)}
        for name in names:
            file = self.folder / f"{name}.txt"
            wait_until(
                lambda file=file: file.exists() and set(file.read_text().splitlines()) >= expected,  # type: ignore[misc]
                f"{name} has everything",
                WAIT_S,
            )


@pytest.fixture
def bed(kafka: TestKafka, topic: str, tmp_path: Path) -> Bed:
    return Bed(kafka, topic, tmp_path)


@pytest.fixture
def worker(bed: Bed) -> Iterator[WorkerProcess]:
    with worker_process(bed.folder, "worker.properties") as worker:
        bed.write()
        bed.arrive(*CONNECTORS)
        yield worker


def test_after_a_stop_another_consumer_gets_the_partitions_at_once(
    bed: Bed, kafka: TestKafka, topic: str, worker: WorkerProcess
) -> None:
    assert [bed.members(name) for name in CONNECTORS] == [1, 1]
    assert worker.stop() == 0
    assert [bed.members(name) for name in CONNECTORS] == [0, 0]
    consumer = Consumer({**kafka.client, "group.id": bed.group("one"), "enable.auto.commit": False})
    try:
        consumer.subscribe([topic])
        wait_until(lambda: consumer.poll(0.1) or len(consumer.assignment()) == 2, "it has both partitions", WAIT_S)
    finally:
        consumer.close()


def test_a_removed_connector_leaves_and_the_other_one_stays(bed: Bed, worker: WorkerProcess) -> None:
    (bed.connectors / "one.properties").unlink()
    worker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: bed.members("one") == 0, "its member has left", WAIT_S)
    assert bed.members("two") == 1
    bed.write()
    bed.arrive("two")


def test_the_replacement_of_a_killed_task_gets_records_at_once(bed: Bed, worker: WorkerProcess) -> None:
    os.kill(worker.wait_until_runs(bed.task("one"))[bed.task("one")], signal.SIGKILL)
    bed.write()
    bed.arrive(*CONNECTORS)
    assert [bed.members(name) for name in CONNECTORS] == [1, 1]


def static_consumer(kafka: TestKafka, group: str, topic: str) -> Consumer:
    consumer = Consumer({**kafka.client, "group.id": group, "group.instance.id": "one-0", "enable.auto.commit": False})
    consumer.subscribe([topic])
    wait_until(lambda: consumer.poll(0.1) or consumer.assignment(), "it has partitions", WAIT_S)
    return consumer


def test_a_member_that_was_taken_over_stays_and_one_that_was_not_leaves(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic, 1)
    group = f"group-{topic}"
    first = static_consumer(kafka, group, topic)
    member = first.memberid()
    first.close()  # a static member does not leave
    second = static_consumer(kafka, group, topic)
    try:
        assert leave(kafka, group, member) == []
        assert [each.member_id for each in members(kafka, group)] == [second.memberid()]
    finally:
        member = second.memberid()
        second.close()
    assert leave(kafka, group, member) == []
    assert members(kafka, group) == []


def members(kafka: TestKafka, group: str) -> list[MemberDescription]:
    found: list[MemberDescription] = kafka.admin.describe_consumer_groups([group])[group].result(WAIT_S).members
    return found


def leave(kafka: TestKafka, group: str, member: str | None) -> list[str]:
    worker = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    }
    connector = {"name": "one", "connector.class": "FileStreamSink", "topics": "t"}
    left = Membership(group=group, instance="one-0", connector_config=connector, task=0, member=member or "")
    order = LeaveGroups(members=[left], worker_config=worker, log=LogSettings(levels={}), timeout_s=WAIT_S)
    return leave_groups(order).problems
