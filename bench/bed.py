"""The test bed of one benchmark run: a broker, the file of lines, topics, and a folder for each run of a system."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.measuring import TopicCounter
from bench.systems import Job

LINE_BYTES = 100
_TIMEOUT_S = 30.0
_BLOCK_LINES = 100_000


@dataclass(frozen=True)
class Bed:
    """`lines` is the file that is copied; `filled` the topic that holds its lines already."""

    bootstrap_servers: str
    folder: Path
    lines: Path
    records: int
    filled: str = "filled"

    @contextmanager
    def topic(self, name: str) -> Iterator[str]:
        """A new topic with one partition, deleted afterwards."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 3})
        admin.create_topics([NewTopic(name, 1, 1)])[name].result(_TIMEOUT_S)
        try:
            yield name
        finally:
            admin.delete_topics([name])[name].result(_TIMEOUT_S)

    def counter(self, topic: str) -> TopicCounter:
        """Counts the topic's records, as a context."""
        return TopicCounter(self.bootstrap_servers, topic)

    @contextmanager
    def job(self, name: str, topic: str, source: Path | None = None) -> Iterator[Job]:
        """A run with a folder of its own, removed afterwards."""
        folder = self.folder / name
        folder.mkdir()
        try:
            yield Job(
                name, self.bootstrap_servers, topic, source or self.lines, folder / "sink.txt", folder, self.records
            )
        finally:
            shutil.rmtree(folder)


def write_lines(path: Path, count: int) -> None:
    """Write `count` different lines of `LINE_BYTES` bytes, their end included."""
    with path.open("wb") as file:
        for start in range(0, count, _BLOCK_LINES):
            numbers = range(start, min(start + _BLOCK_LINES, count))
            file.write(b"".join([b"%099d\n" % (number * 1_000_003) for number in numbers]))
