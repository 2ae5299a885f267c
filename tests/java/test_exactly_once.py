"""A source in Java that delivers exactly once (KIP-618), though its virtual machine is killed again and again."""

from __future__ import annotations

import uuid
from pathlib import Path

import psutil

from tests.java.worker import TIMEOUT_S
from tests.support.cluster import ClusterMember, cluster, wait_until
from tests.support.kafka import TestKafka

LINES = 8_000  # for each kill
KILLS = 2
FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"


def machine(worker: ClusterMember, task: str) -> psutil.Process | None:
    """The Java virtual machine of a task."""
    assert worker.process is not None
    for each in psutil.Process(worker.process.pid).children(recursive=True):
        try:
            words = each.cmdline()
        except psutil.Error:
            continue
        if len(words) > 1 and words[-1] == f"connectd: task {task}":
            return each
    return None


def test_each_line_comes_once_and_in_order(kafka: TestKafka, host: list[str], topic: str, tmp_path: Path) -> None:
    name = f"java-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(topic)
    file = tmp_path / "lines"
    file.touch()
    expected: list[str] = []

    def write(count: int) -> None:
        lines = [f"line {number}" for number in range(len(expected), len(expected) + count)]
        expected.extend(lines)
        with file.open("a") as opened:
            opened.writelines(f"{line}\n" for line in lines)

    config = {
        "name": name,
        "connector.class": FILE_SOURCE,
        "plugin.runtime": "java",
        "exactly.once.support": "required",
        "offsets.storage.topic": f"{name}-own",
        "file": str(file),
        "topic": topic,
        "batch.size": "500",
    }
    settings = {"exactly_once_source_support": "enabled", "task_restart_backoff_ms": "100"}
    with cluster(kafka, tmp_path, name, 1, **settings) as it:
        worker = it.members[0]
        worker.ok("POST", "/connectors", {"name": name, "config": config})
        for _ in range(KILLS):
            it.wait_until_in("RUNNING", name, 1)
            before = written(kafka, topic)
            write(LINES)
            wait_until(lambda before=before: written(kafka, topic) > before, "it writes", TIMEOUT_S)
            victim = machine(worker, f"{name}-0")
            assert victim is not None
            victim.kill()
            wait_until(lambda victim=victim: not victim.is_running(), "it is gone", TIMEOUT_S)
        assert kafka.lines(topic, len(expected), TIMEOUT_S) == expected
        # Not before: of what it has read, Kafka's file source leaves aside what is more than a batch until the file grows.
        write(1)
        assert kafka.lines(topic, len(expected), TIMEOUT_S) == expected
        position = file.stat().st_size

        def stored() -> bool:
            offsets = worker.ok("GET", f"/connectors/{name}/offsets")["offsets"]
            return [each["offset"] for each in offsets] == [{"position": position}]

        wait_until(stored, "the offset is stored", TIMEOUT_S)
        assert worker.stop() == 0


def written(kafka: TestKafka, topic: str) -> int:
    return kafka.end_offsets(topic)[0]
