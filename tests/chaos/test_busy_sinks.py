"""A sink that is in one `put` for many poll intervals: it stays in its consumer group, and holds no more than it may."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer

from tests.support.chaos import Chaos, chaos, wait_for
from tests.support.kafka import TestKafka

# The shortest session that a broker allows, and no poll interval may be shorter.
INTERVAL_MS = 6000
BUSY_S = 15
# Between two looks at the members: each costs a connection.
LOOK_S = 0.1
RECORD_BYTES = 10_000
RECORDS = 15_000
# librdkafka's queue (queued.max.messages.kbytes, 32 MiB here), what it fetches at a time, one batch, and some more.
BUFFERS_BYTES = 64 << 20


@pytest.fixture
def world(kafka: TestKafka, tmp_path: Path) -> Iterator[Chaos]:
    with chaos(
        tmp_path, kafka, f"chaos-{uuid.uuid4().hex[:8]}", connector_client_config_override_policy="All"
    ) as running:
        yield running


class Fellow:
    """Another member of the group, with a partition of its own: it sees each generation of the group."""

    def __init__(self, kafka: TestKafka, group: str, topic: str) -> None:
        self.assignments = 0
        self._consumer = Consumer({**kafka.client, "group.id": group, "partition.assignment.strategy": "range"})
        self._consumer.subscribe([topic], on_assign=self._on_assign)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def _on_assign(self, consumer: Consumer, partitions: list[object]) -> None:
        if partitions:
            self.assignments += 1

    def _poll(self) -> None:
        while not self._ended.is_set():
            self._consumer.poll(0.1)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()
            self._consumer.close()


def members(world: Chaos, group: str) -> dict[str, list[int]]:
    """The partitions that each member has; the sink, a static member, comes first."""
    found = world.kafka.admin.describe_consumer_groups([group])[group].result(30)
    return {
        member.member_id: [each.partition for each in member.assignment.topic_partitions]
        for member in sorted(found.members, key=lambda member: not member.group_instance_id)
    }


def test_ten_minutes_in_put(world: Chaos) -> None:
    """In small: more than two poll intervals and two sessions of the group."""
    topic = world.kafka.create_topic(f"{world.sink.name}-busy", partitions=2)
    sink = world.create(
        "busy",
        "sink",
        {"put": f"once after 3 sleep {BUSY_S}"},
        topics=topic,
        consumer_override_max_poll_interval_ms=str(INTERVAL_MS),
        consumer_override_session_timeout_ms=str(INTERVAL_MS),
        consumer_override_partition_assignment_strategy="range",
    )
    group = f"connect-{sink.name}"
    fellow = Fellow(world.kafka, group, topic)
    with fellow.running():
        shared: dict[str, list[int]] = {}

        def both_have_one() -> bool:
            shared.clear()
            shared.update(members(world, group))
            return sorted(shared.values()) == [[0], [1]]

        wait_for(both_have_one, "both have a partition")
        pid = world.pid(f"{sink.name}-0")
        mine = next(iter(shared.values()))[0]
        number = 0
        done = sink.folder / "task-0" / "put.done"
        while not done.exists():
            world.kafka.produce(topic, [str(number)], partition=mine)
            number += 1
            time.sleep(LOOK_S)
        before, assignments = members(world, group), fellow.assignments
        at_first = most = psutil.Process(pid).memory_full_info().uss
        world.kafka.produce(topic, [str(each).rjust(RECORD_BYTES) for each in range(RECORDS)], partition=mine)
        while len(sink.written()) < number:
            most = max(most, psutil.Process(pid).memory_full_info().uss)
            assert members(world, group) == before
            time.sleep(LOOK_S)
        wait_for(lambda: len(sink.written()) == number + RECORDS, "all is written")
        assert members(world, group) == before
        assert fellow.assignments == assignments
    print(
        f"{RECORDS * RECORD_BYTES >> 20} MiB came in {BUSY_S} s; memory {at_first >> 20} MiB, at most {most >> 20} MiB"
    )
    assert most - at_first < BUFFERS_BYTES
    assert world.pid(f"{sink.name}-0") == pid
    offsets = [offset for _, offset, _ in sink.written()]
    assert offsets == list(range(number + RECORDS))
    wait_for(lambda: world.kafka.committed(group, topic).get(mine) == number + RECORDS, "all is committed")
    said = [str(event["message"]) for event in world.worker.events]
    assert any(each.startswith("in put for ") and each.endswith("it stays in its consumer group") for each in said)
    world.remove(sink)
    world.assert_unharmed()
