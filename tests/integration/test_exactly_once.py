"""Sources that deliver exactly once (KIP-618) on real workers and a real Kafka."""

from __future__ import annotations

import os
import signal
import uuid
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, ClusterMember, cluster, processes_of, wait_until
from tests.support.kafka import TestKafka

LINES = 30_000
KILLS = 5
ENABLED = {"exactly_once_source_support": "enabled", "task_restart_backoff_ms": "50"}


@pytest.fixture
def name(topic: str) -> str:
    return f"e-{uuid.uuid4().hex[:8]}"


def source(name: str, file: Path, topic: str, **more: str) -> dict[str, str]:
    return {
        "name": name,
        "connector.class": "FileStreamSource",
        "tasks.max": "1",
        "file": str(file),
        "topic": topic,
        "batch.size": "500",
        "exactly.once.support": "required",
        **more,
    }


def write_lines(file: Path, first: int, last: int) -> list[str]:
    lines = [f"line {number}" for number in range(first, last)]
    with file.open("a") as opened:
        opened.writelines(f"{line}\n" for line in lines)
    return lines


def kill_while_it_writes(it: Cluster, kafka: TestKafka, name: str, topic: str) -> None:
    before = kafka.end_offsets(topic)[0]
    wait_until(lambda: kafka.end_offsets(topic)[0] > before, "it writes")
    for pids in processes_of(name).values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def stored(worker: ClusterMember, name: str) -> list[object]:
    return [each["offset"] for each in worker.ok("GET", f"/connectors/{name}/offsets")["offsets"]]


@pytest.mark.parametrize("own", [False, True])
def test_each_line_comes_once_and_in_order_though_the_task_is_killed(
    kafka: TestKafka, tmp_path: Path, name: str, topic: str, own: bool
) -> None:
    kafka.create_topic(topic)
    file = tmp_path / "lines"
    expected = write_lines(file, 0, LINES)
    more = {"offsets.storage.topic": f"{name}-own", "transaction.boundary": "interval"} if own else {}
    with cluster(kafka, tmp_path, name, 1, **ENABLED) as it:
        worker = it.members[0]
        more |= {"transaction.boundary.interval.ms": "50"} if own else {}
        worker.ok("POST", "/connectors", {"name": name, "config": source(name, file, topic, **more)})
        for _ in range(KILLS):
            kill_while_it_writes(it, kafka, name, topic)
        expected += write_lines(file, LINES, LINES + 1)
        assert kafka.lines(topic, LINES + 1) == expected
        wait_until(lambda: stored(worker, name) == [{"position": file.stat().st_size}], "the offset is stored")
        assert worker.stop() == 0
