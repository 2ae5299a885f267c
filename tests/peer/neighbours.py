"""Clusters of Java's workers and ours: one group, one set of topics, one text of the worker file, and lines that they move."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.peer.jvm import java_command
from tests.support.chaos import repeated
from tests.support.cluster import Cluster, ClusterMember, wait_until
from tests.support.kafka import TestKafka

SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
# For both kinds. What is stopped in good order may take its time on a busy machine.
SETTINGS = {
    "plugin.discovery": "service_load",
    "scheduled.rebalance.max.delay.ms": "0",
    "session.timeout.ms": "15000",
    # Who does not lead sees at a heartbeat that there is something to do.
    "heartbeat.interval.ms": "500",
    "task.shutdown.graceful.timeout.ms": "30000",
    "consumer.metadata.max.age.ms": "1000",
}
# Two virtual machines that start at once on a busy machine take their time.
START_PATIENCE_S = 300.0
# As that of the distribution, but small and quick to start.
_JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true", "-Dlog4j2.level=INFO")


class JavaMember(ClusterMember):
    """A worker of Java's. Its log has Java's form."""

    @property
    def command(self) -> Sequence[str]:
        return java_command("org.apache.kafka.connect.cli.ConnectDistributed", str(self.file), jvm=_JVM)

    @property
    def events(self) -> list[dict[str, Any]]:
        return []

    def wait_until_ready(self) -> None:
        wait_until(self.is_ready, f"{self.worker_id} is ready, see {self.log}", START_PATIENCE_S)

    def is_ready(self) -> bool:
        try:
            return super().is_ready()
        except json.JSONDecodeError:
            return False  # a page of its server, before the API is there


class Lines:
    """A file whose lines are `name 0`, `name 1`, ...; a source of the same name that reads it into a topic of the same name."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.file = folder / f"{name}.in"
        self.file.touch()
        self.count = 0

    def config(self, offsets_topic: str | None = None) -> dict[str, str]:
        """Of the source, with a topic for its offsets alone or without."""
        own = {} if offsets_topic is None else {"offsets.storage.topic": offsets_topic}
        return {"connector.class": SOURCE, "tasks.max": "1", "file": str(self.file), "topic": self.name, **own}

    def append(self, count: int) -> None:
        """So many more lines."""
        numbers = range(self.count, self.count + count)
        with self.file.open("a") as file:
            file.writelines(f"{self.name} {number}\n" for number in numbers)
        self.count += count


class Written:
    """What a sink with this name has written of the lines of sources."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.file = folder / f"{name}.out"

    def config(self, *sources: Lines, tasks: int = 1) -> dict[str, str]:
        """Of the sink."""
        topics = ",".join(source.name for source in sources)
        return {
            "connector.class": SINK,
            "tasks.max": str(tasks),
            "file": str(self.file),
            "topics": topics,
            # Each topic has one partition, and by default the first task would read all of them.
            "consumer.override.partition.assignment.strategy": "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        }

    def numbers(self, source: Lines) -> list[int]:
        """Of the lines of a source, in the order in which they were written."""
        text = self.file.read_text() if self.file.exists() else ""
        return [int(number) for number in re.findall(rf"^{source.name} (\d+)\n", text, re.MULTILINE)]

    def has_all(self, *sources: Lines) -> bool:
        """Whether it has the last line of each."""
        return all(source.count - 1 in self.numbers(source) for source in sources)


class Neighbours(Cluster):
    """Workers of both kinds."""

    def agree(self, connector: str) -> bool:
        """Whether all workers say the same of a connector."""
        paths = [f"/connectors/{connector}{each}" for each in ("", "/status", "/tasks", "/offsets", "/topics")]
        answers = [[_sorted(each.request("GET", path)) for path in paths] for each in self.living]
        return all(each == answers[0] for each in answers)

    def is_balanced(self, *connectors: str) -> bool:
        """Whether each worker has as many of these connectors, and of their tasks, as any other, or one more."""
        places = {unit: worker for each in connectors for unit, (_, worker) in self.statuses(each).items()}
        for units in (set(connectors), places.keys() - set(connectors)):
            counts = [sum(places.get(unit) == each.worker_id for unit in units) for each in self.living]
            if max(counts) - min(counts) > 1:
                return False
        return True

    def starts(self, *tasks: str) -> dict[str, int]:
        """How often each task was started so far, on any worker."""
        found = dict.fromkeys(tasks, 0)
        for each in self.members:
            word = r"Creating task (\S+)" if isinstance(each, JavaMember) else r'"task (\S+) is RUNNING"'
            for task in re.findall(word, each.log.read_text()):
                found[task] = found.get(task, 0) + 1
        return {task: found[task] for task in tasks}

    def group_size(self, sink: str) -> int:
        """How many members the consumer group of a sink has."""
        group = f"connect-{sink}"
        return len(self.kafka.admin.describe_consumer_groups([group])[group].result(30).members)

    def offsets(self, connector: str) -> list[dict[str, Any]]:
        """What a connector has committed, as the REST API tells, in some order that is always the same."""
        found: list[dict[str, Any]] = self.living[0].ok("GET", f"/connectors/{connector}/offsets")["offsets"]
        return sorted(found, key=str)

    def await_offsets(self, *sources: Lines) -> None:
        """Until all lines of the sources are committed."""

        def committed() -> bool:
            return all(
                [each["offset"] for each in self.offsets(source.name)] == [{"position": source.file.stat().st_size}]
                for source in sources
            )

        wait_until(committed, "all lines are committed")

    def await_lines(self, sink: Written, *sources: Lines) -> None:
        """Until the sink has written the last line of each source, and has committed that, as the sources have."""
        wait_until(lambda: sink.has_all(*sources), f"{sink.name} has all lines; see {self.folder}")
        ends = {source.name: self.kafka.end_offsets(source.name)[0] for source in sources}

        def committed() -> bool:
            found = {
                each["partition"]["kafka_topic"]: each["offset"]["kafka_offset"] for each in self.offsets(sink.name)
            }
            return ends.items() <= found.items()

        wait_until(committed, f"{sink.name} has committed all lines; see {self.folder}")
        self.await_offsets(*sources)

    def repeats(self, source: Lines, *sinks: Written) -> int:
        """How many lines came more than once, into the topic or into the files of its sinks. None is missing, none late."""
        in_topic = [
            int(line.split()[1]) for line in self.kafka.lines(source.name, self.kafka.end_offsets(source.name)[0])
        ]
        found = [in_topic, *(sink.numbers(source) for sink in sinks)]
        assert all(numbers and max(numbers) == source.count - 1 for numbers in found), source.name
        return sum(map(repeated, found))


def _sorted(answer: Any) -> Any:
    """Lists are in any order where they have none."""
    if isinstance(answer, dict):
        return {key: _sorted(value) for key, value in answer.items()}
    return sorted(map(_sorted, answer), key=str) if isinstance(answer, list | tuple) else answer


@contextlib.contextmanager
def neighbours(kafka: TestKafka, folder: Path, name: str, **settings: str) -> Iterator[Neighbours]:
    """A cluster without workers to begin with; all end with the block."""
    own = {key.replace("_", "."): value for key, value in settings.items()}
    found = Neighbours(kafka, folder, name, SETTINGS | own)
    try:
        yield found
    finally:
        found.close()
