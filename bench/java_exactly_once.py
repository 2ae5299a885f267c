"""Exactly once in `python -m bench.java`: what a file source writes while what it runs in is killed again and again."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Final

import psutil
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from bench.bed import Bed
from bench.cases import Figures
from bench.cluster import BenchedJava
from bench.java_systems import Hosted
from bench.systems import Worker
from tests.support.cluster import Cluster, ClusterMember, wait_until
from tests.support.kafka import TestKafka

_KILLS: Final = 3
# For each kill, before it and after it.
_LINES: Final = 20_000
_TIMEOUT_S: Final = 180.0
_FETCH_S: Final = 1.0
# For records that should not be there.
_LISTEN_S: Final = 5.0
_SETTINGS: Final[Mapping[str, str]] = {
    "exactly.once.source.support": "enabled",
    "session.timeout.ms": "10000",
    "heartbeat.interval.ms": "3000",
    "scheduled.rebalance.max.delay.ms": "0",
}


def exactly_once(bed: Bed, name: str, system: Worker) -> Figures:
    """Kills the Java virtual machine of the task, which in a worker of Java's is all of it, and is started again at once."""
    hosted = isinstance(system, Hosted)
    kafka = TestKafka({"bootstrap.servers": bed.bootstrap_servers})
    with bed.topic(name) as topic, bed.job(name, topic) as job:
        lines = _Lines(job.folder / "lines")
        cluster = Cluster(kafka, job.folder, name, _SETTINGS)
        try:
            member = cluster.add(ClusterMember if hosted else BenchedJava)
            member.wait_until_ready()
            member.ok("PUT", "/connectors/lines/config", _config(topic, lines.file))
            waits = []
            for _ in range(_KILLS):
                before = _committed(kafka, topic)
                lines.append(_LINES)
                _wait_for_more(kafka, topic, before)
                before = _committed(kafka, topic)
                began = time.monotonic()
                _kill(member, hosted)
                lines.append(_LINES)
                _wait_for_more(kafka, topic, before)
                waits.append(time.monotonic() - began)
            came = _all(kafka, topic, lines)
        finally:
            cluster.close()
    return {
        "lost": float(lines.count - len(set(came))),
        "repeated": float(len(came) - len(set(came))),
        "record_again_s": median(waits),
    }


class _Lines:
    """A file of different lines."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.count = 0
        file.touch()

    def append(self, count: int) -> None:
        with self.file.open("a") as file:
            file.writelines(f"line {number}\n" for number in range(self.count, self.count + count))
        self.count += count


def _config(topic: str, file: Path) -> dict[str, str]:
    return {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "plugin.runtime": "java",
        "exactly.once.support": "required",
        "tasks.max": "1",
        "file": str(file),
        "topic": topic,
    }


def _kill(member: ClusterMember, hosted: bool) -> None:
    if not hosted:
        member.kill(signal.SIGKILL)
        member.start()
        return
    assert member.process is not None
    for each in psutil.Process(member.process.pid).children(recursive=True):
        if each.cmdline()[-1:] == ["connectd: task lines-0"]:
            each.kill()
            return
    raise AssertionError("the task has no virtual machine")


def _committed(kafka: TestKafka, topic: str) -> int:
    return kafka.end_offsets(topic)[0]


def _wait_for_more(kafka: TestKafka, topic: str, before: int) -> None:
    wait_until(lambda: _committed(kafka, topic) > before, f"more than {before} committed in {topic}", _TIMEOUT_S)


def _all(kafka: TestKafka, topic: str, lines: _Lines) -> list[str]:
    """What is committed in the end."""
    # Kafka's file source leaves aside what is more than a batch until the file grows.
    deadline = time.monotonic() + _TIMEOUT_S
    came: list[str] = []
    before = -1
    while time.monotonic() < deadline and len(set(came)) < lines.count:
        if _committed(kafka, topic) == before:
            lines.append(1)
        before = _committed(kafka, topic)
        time.sleep(1)
        came = _read(kafka, topic)
    time.sleep(_LISTEN_S)
    return _read(kafka, topic)


def _read(kafka: TestKafka, topic: str) -> list[str]:
    """All that is committed now."""
    settings = {"group.id": f"{topic}-reader", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({**kafka.client, **settings, "isolation.level": "read_committed"})
    found = []
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while True:
            for message in consumer.consume(5000, timeout=_FETCH_S):
                error = message.error()
                if error is None:
                    found.append(bytes(message.value() or b"").decode())
                elif error.code() == KafkaError._PARTITION_EOF:
                    return found
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
