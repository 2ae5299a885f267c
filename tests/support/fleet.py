"""Twenty connectors that move records on a cluster of real workers, and what must be true of them whatever happens to it."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.support.cluster import PATIENCE_S, Cluster, ClusterMember, wait_until

PAIRS = 10  # of a source and a sink
_READ_S = 30.0


class Runs:
    """What one task has written, by the runs of it: numbers from 0 on, again and again after each crash, but none is
    missing, and whoever was replaced writes no more."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._run: str | None = None
        self._over: set[str] = set()
        self.next = 0

    def add(self, run: str, number: int) -> None:
        if run != self._run:
            assert run not in self._over, f"{self._what}: {run} wrote {number} after {self._run} had begun"
            if self._run is not None:
                self._over.add(self._run)
            self._run = run
        assert number <= self.next, f"{self._what}: {self.next} to {number - 1} are missing or late"
        self.next = max(self.next, number + 1)


class Log:
    """Some topics, read on from where they were read before."""

    def __init__(self, client: dict[str, str], topics: dict[str, int]) -> None:
        # A broker that was away is to be seen soon again.
        own = {"group.id": "fleet-log", "enable.auto.commit": False, "reconnect.backoff.max.ms": 300}
        self._consumer = Consumer({**client, **own})
        self._positions = {
            (topic, partition): OFFSET_BEGINNING for topic, count in topics.items() for partition in range(count)
        }

    def news(self) -> Iterator[Message]:
        """All records that were written until now, in order within each partition."""
        ends = {}
        for topic, partition in self._positions:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), _READ_S)
            if high > max(low, self._positions[topic, partition]):
                ends[topic, partition] = high
        self._consumer.assign([TopicPartition(*each, self._positions[each]) for each in ends])
        while ends:
            message = self._consumer.poll(_READ_S)
            assert message is not None, f"{ends} are not reached"
            if message.error():
                if message.error().code() == KafkaError._ALL_BROKERS_DOWN:
                    continue
                raise KafkaException(message.error())
            where = message.topic(), message.partition()
            if where in ends:
                self._positions[where] = message.offset() + 1
                if message.offset() + 1 >= ends[where]:
                    del ends[where]
                yield message
        self._consumer.unassign()

    def close(self) -> None:
        self._consumer.close()


class Fleet:
    """Sources, each with a topic of its own, and as many sinks, each of one of these topics; one task each."""

    def __init__(self, cluster: Cluster, pairs: int = PAIRS) -> None:
        self.cluster = cluster
        self.sources = [f"{cluster.name}-source-{number}" for number in range(pairs)]
        self.sinks = [f"{cluster.name}-sink-{number}" for number in range(pairs)]
        self._records = {source: Runs(source) for source in self.sources}
        self._lines = {sink: Runs(sink) for sink in self.sinks}
        self._read: dict[str, int] = dict.fromkeys(self.sinks, 0)
        self._committed: dict[str, int] = {}
        self._said: dict[str, tuple[int, str]] = {}
        self._log: Log | None = None

    @property
    def _offsets(self) -> str:
        return f"{self.cluster.name}-offsets"

    @property
    def names(self) -> list[str]:
        return [*self.sources, *self.sinks]

    def create(self) -> None:
        """All of them, by requests to any worker."""
        workers = self.cluster.living
        for number, name in enumerate(self.names):
            if name in self.sources:
                self.cluster.kafka.create_topic(name)
            body = {"name": name, "config": self.config(name)}
            workers[number % len(workers)].ok("POST", "/connectors", body)

    def config(self, name: str) -> dict[str, str]:
        if name in self.sources:
            return {"connector.class": "chaos_runs.RunsSource", "tasks.max": "1", "topic": name, "file": ""}
        topic = name.replace("-sink-", "-source-")
        file = str(self.file(name))
        return {"connector.class": "chaos_runs.RunsSink", "tasks.max": "1", "topics": topic, "file": file}

    def file(self, sink: str) -> Path:
        return self.cluster.folder / f"{sink}.out"

    def processes(self) -> list[int]:
        """The pids of all connectors and tasks, wherever they run."""
        titles = {f"connectd: {unit}" for name in self.names for unit in (f"connector {name}", f"task {name}-0")}
        return [process.pid for process, title in _titles() if title in titles]

    # --- what must be true --------------------------------------------------------------------------------------------

    def converge(self, on: Sequence[ClusterMember] | None = None) -> None:
        """Until all workers agree that everything is RUNNING on these workers, each with its share, and it is so."""
        workers = list(on or self.cluster.living)
        wait_until(lambda: self.has_converged(workers), f"all has converged; see {self.cluster.folder}", 2 * PATIENCE_S)

    def has_converged(self, workers: Sequence[ClusterMember]) -> bool:
        # A worker that is just beginning to stop might answer once more.
        return runs_once(self.names) and all(self._sees_all_running(each, workers) for each in workers)

    def _sees_all_running(self, member: ClusterMember, workers: Sequence[ClusterMember]) -> bool:
        with contextlib.suppress(OSError):
            status, body = member.request("GET", "/connectors?expand=status")
            states = [each["status"] for name, each in body.items() if name in self.names] if status == 200 else []
            connectors, tasks = (
                [each["connector"] for each in states],
                [task for each in states for task in each["tasks"]],
            )
            return all(
                len(units) == len(self.names)
                and all(unit["state"] == "RUNNING" for unit in units)
                and _is_balanced(Counter(unit["worker_id"] for unit in units), [each.worker_id for each in workers])
                for units in (connectors, tasks)
            )
        return False

    def flow(self) -> None:
        """Until every source has written more, and every sink has written more than that."""
        for names in (self.sources, self.sinks):
            self._advance(names)

    def _advance(self, names: Sequence[str]) -> None:
        self.check()
        goals = {name: self._written(name).next + 1 for name in names}

        def reached() -> bool:
            self.check()
            return all(self._written(name).next >= goal for name, goal in goals.items())

        wait_until(reached, f"records flow through {names}; see {self.cluster.folder}")

    def _written(self, name: str) -> Runs:
        return self._records[name] if name in self._records else self._lines[name]

    def check(self) -> None:
        """Nothing is lost, none that was replaced has written, no source's offset went back, and no worker has said anything of
        what another one was given since."""
        for message in self._news():
            key, value = bytes(message.key() or b"").decode(), bytes(message.value() or b"")
            if message.topic() in self._records:
                run, number = value.decode().split()
                self._records[message.topic()].add(run, int(number))
            elif value and message.topic() == self._offsets:
                self._check_offset(key, json.loads(value)["next"])
            elif value and key.startswith(("status-connector-", "status-task-")):
                self._check_status(key, json.loads(value))
        for sink in self.sinks:
            self._read_lines(sink)

    def _check_offset(self, key: str, offset: int) -> None:
        connector = json.loads(key)[0]
        if connector in self.sources:
            before = self._committed.get(connector, 0)
            assert offset >= before, f"the offset of {connector} went back from {before} to {offset}"
            assert offset <= self._records[connector].next, (
                f"{connector} has committed {offset}, which it has not written"
            )
            self._committed[connector] = offset

    def _check_status(self, key: str, status: dict[str, Any]) -> None:
        generation, worker = status["generation"], status["worker_id"]
        last_generation, last_worker = self._said.get(key, (generation, worker))
        late = worker != last_worker and generation < last_generation
        assert not late, (
            f"{key}: {worker} said {status['state']} in {generation}, after {last_worker} in {last_generation}"
        )
        self._said[key] = generation, worker

    def _news(self) -> list[Message]:
        if self._log is None:
            # Offsets come first: what they say was written before them, and so is seen too.
            topics = {self._offsets: 3, **dict.fromkeys(self.sources, 1), f"{self.cluster.name}-statuses": 2}
            self._log = Log(dict(self.cluster.kafka.client), topics)
        found = list(self._log.news())
        return sorted(found, key=lambda message: message.topic() not in self._records)

    def _read_lines(self, sink: str) -> None:
        if self.file(sink).exists():
            with self.file(sink).open("rb") as file:
                file.seek(self._read[sink])
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read[sink] += len(line)
                    run, offset = line.decode().split()
                    self._lines[sink].add(run, int(offset))

    def close(self) -> None:
        if self._log is not None:
            self._log.close()


def runs_once(connectors: Sequence[str]) -> bool:
    """Whether each task has exactly one process on this machine, and no connector more than one."""
    found = Counter(title for _, title in _titles())
    return all(
        found[f"connectd: task {name}-0"] == 1 and found[f"connectd: connector {name}"] <= 1 for name in connectors
    )


def _titles() -> list[tuple[psutil.Process, str]]:
    found = [(process, " ".join(process.info["cmdline"] or ()).strip()) for process in psutil.process_iter(["cmdline"])]
    return [(process, title) for process, title in found if title.startswith("connectd: ")]


def _is_balanced(loads: Counter[str], workers: Sequence[str]) -> bool:
    counts = [loads[worker] for worker in workers]
    return sum(counts) == loads.total() and max(counts) - min(counts) <= 1
