"""`python -m bench.cluster`: three workers of connectd beside three of Java's, on one Kafka: what they take when workers come,
go and die, and when connectors are created."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import click
import psutil

from bench.command import choice_of_cases, choice_of_systems, ending_in_order
from supervisor.embedded import EmbeddedKafka
from tests.peer.jvm import java_command
from tests.peer.neighbours import JavaMember
from tests.support.cluster import Cluster, ClusterMember, wait_until
from tests.support.kafka import TestKafka

_RESULTS: Final = Path(__file__).with_name("cluster.json")
# As connect-distributed.sh and kafka-run-class.sh have it.
_JVM: Final = ("-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true")
_WORKERS: Final = 3
_PAIRS: Final = 10
# Of each of ten sinks.
_TASKS: Final = 20
_MORE: Final = 11
_FEED_S: Final = 0.1
_BURST_LINES: Final = 100_000
_SAMPLE_S: Final = 0.5
_LOOK_S: Final = 0.01
_PATIENCE_S: Final = 300.0
# Until what a start has left to be done is done, before memory is looked at.
_SETTLE_S: Final = 15.0
_BETWEEN_S: Final = 3.0
# Both kinds: what Java's workers have without these lines, but that work moves at once when a worker is gone.
_AT_ONCE: Final = {
    "session.timeout.ms": "10000",
    "heartbeat.interval.ms": "3000",
    "scheduled.rebalance.max.delay.ms": "0",
    "offset.flush.interval.ms": "10000",
}
_PATIENT: Final = {**_AT_ONCE, "session.timeout.ms": "60000", "scheduled.rebalance.max.delay.ms": "300000"}

Figures = dict[str, float]


class Sizes(NamedTuple):
    """Of the cases that would take too long on a slow machine. Java's workers answer 409 to most requests while they rebalance:
    of `connectors` those count that are there after `creation_s`."""

    connectors: int
    creation_s: float


class BenchedJava(JavaMember):
    """With the heap of its own scripts."""

    @property
    def command(self) -> Sequence[str]:
        return java_command("org.apache.kafka.connect.cli.ConnectDistributed", str(self.file), jvm=_JVM)


SYSTEMS: Final[Mapping[str, type[ClusterMember]]] = {"connectd": ClusterMember, "kafka-connect-java": BenchedJava}


class Bench:
    """Workers of one kind, with what moves and what is measured."""

    def __init__(self, kind: type[ClusterMember], cluster: Cluster) -> None:
        self.cluster = cluster
        self._kind = kind

    @property
    def _asked(self) -> ClusterMember:
        return self.cluster.living[0]

    def add(self, **settings: str) -> ClusterMember:
        """One more worker, not waited for."""
        return self.cluster.add(self._kind, **settings)

    def create(self, name: str, config: Mapping[str, str]) -> None:
        """A connector."""
        self._asked.ok("PUT", f"/connectors/{name}/config", config)

    def where(self) -> dict[str, tuple[str, str]]:
        """State and worker of all connectors and tasks; empty while the workers have other things to do."""
        try:
            status, body = self._asked.request("GET", "/connectors?expand=status")
        except OSError:
            return {}
        if status != 200:
            return {}
        found = {}
        for name, each in body.items():
            connector = each["status"]["connector"]
            found[name] = (connector["state"], connector["worker_id"])
            for task in each["status"]["tasks"]:
                found[f"{name}-{task['id']}"] = (task["state"], task["worker_id"])
        return found

    def wait_until_all_run(self, connectors: int, *, tasks: int = 1, spread: bool = False) -> float:
        """Until so many connectors run on living workers, with so many tasks each; `spread`: as many on each, but one. When."""

        def running() -> bool:
            found, living = self.where(), {each.worker_id for each in self.cluster.living}
            if len(found) != (1 + tasks) * connectors or any(
                s != "RUNNING" or w not in living for s, w in found.values()
            ):
                return False
            counts = Counter(dict.fromkeys(living, 0))
            counts.update(worker for name, (_, worker) in found.items() if name.rpartition("-")[2] == "0")
            return not spread or max(counts.values()) - min(counts.values()) <= 1

        wait_until(running, f"{connectors} connectors run; see {self.cluster.folder}", _PATIENCE_S)
        return time.time()

    def wait_until_runs(self, name: str) -> float:
        """Until a connector with one task runs. When."""
        deadline = time.monotonic() + _PATIENCE_S
        while [state for state, _ in self.cluster.statuses(name).values()] != ["RUNNING"] * 2:
            assert time.monotonic() < deadline, f"{name} does not run; see {self.cluster.folder}"
            time.sleep(_LOOK_S)
        return time.time()

    def memory_mib(self) -> float:
        """Of all workers with all that they started; pages that processes share count once."""
        return sum(map(_pss, self._processes())) / (1 << 20)

    @contextmanager
    def highest_memory_mib(self) -> Iterator[list[float]]:
        """What they took at the most while the block ran, as the last of the list when it is over."""
        highest = [self.memory_mib()]
        end = threading.Event()

        def sample() -> None:
            while not end.wait(_SAMPLE_S):
                highest.append(max(highest[-1], self.memory_mib()))

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield highest
        finally:
            end.set()
            thread.join()

    def pids(self) -> set[int]:
        """Of all tasks, where they have processes."""
        return {each.pid for each in self._processes() if _title(each).startswith("connectd: task ")}

    def _processes(self) -> list[psutil.Process]:
        trees = [psutil.Process(each.process.pid) for each in self.cluster.living if each.process is not None]
        return [process for tree in trees for process in (tree, *tree.children(recursive=True))]


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


class Pairs:
    """Files that grow all the time, each read into a topic of its own, which a sink writes into another file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._end = threading.Event()
        self._burst = 0
        self._thread = threading.Thread(target=self._feed)

    def connectors(self, prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Their names and configurations."""
        for number in range(_PAIRS):
            topic = f"{prefix}-{number}"
            self._file("in", number).touch()
            source = {"connector.class": "FileStreamSource", "file": str(self._file("in", number)), "topic": topic}
            yield f"source{number}", source
            yield (
                f"sink{number}",
                {
                    "connector.class": "FileStreamSink",
                    "file": str(self._file("out", number)),
                    "topics": topic,
                    "consumer.override.auto.offset.reset": "earliest",
                    "consumer.override.metadata.max.age.ms": "1000",
                },
            )

    @contextmanager
    def growing(self) -> Iterator[None]:
        """While the block runs."""
        self._thread.start()
        try:
            yield
        finally:
            self._end.set()
            self._thread.join()

    def wait_until_all_move(self, since: float) -> float:
        """Until each sink has a line that was written to its source's file after this time. When."""
        wait_until(lambda: all(self._last(number) >= since for number in range(_PAIRS)), "all move", _PATIENCE_S)
        return time.time()

    def burst(self) -> None:
        """Have each file grow by many lines at once, and wait until all are through."""
        self._burst = _BURST_LINES
        wait_until(lambda: self._burst == 0, "the lines are written", _PATIENCE_S)
        self.wait_until_all_move(time.time())

    def _file(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number}.txt"

    def _feed(self) -> None:
        while not self._end.wait(_FEED_S):
            burst = self._burst
            for number in range(_PAIRS):
                with self._file("in", number).open("a") as file:
                    # A hundred characters each.
                    file.write(f"{time.time():.88f}\n" * burst or f"{time.time():.3f}\n")
            self._burst -= burst

    def _last(self, number: int) -> float:
        try:
            with self._file("out", number).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1024))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return 0.0
        # A killed worker may leave half a line.
        return float(lines[-2]) if len(lines) > 2 else 0.0


def moving(bench: Bench, _: Sizes) -> Figures:
    """Records move through ten sources and ten sinks while a fourth worker comes, goes, and a third one dies."""
    time.sleep(_SETTLE_S)
    without = bench.memory_mib()
    pairs = Pairs(bench.cluster.folder)
    for name, config in pairs.connectors(bench.cluster.name):
        bench.create(name, config)
    bench.wait_until_all_run(2 * _PAIRS)
    with pairs.growing():
        pairs.wait_until_all_move(time.time())
        time.sleep(_SETTLE_S)
        memory = bench.memory_mib()
        with bench.highest_memory_mib() as burst:
            pairs.burst()

        began = time.time()
        fourth = bench.add()
        fourth.wait_until_ready()
        spread = bench.wait_until_all_run(2 * _PAIRS, spread=True) - began
        pairs.wait_until_all_move(time.time())

        began = time.time()
        fourth.kill(signal.SIGTERM)
        elsewhere = bench.wait_until_all_run(2 * _PAIRS) - began
        moved = pairs.wait_until_all_move(began) - began

        victim = bench.cluster.living[-1]
        began = time.time()
        victim.kill(signal.SIGKILL)
        # The killed one is told by nobody: what it left is what the others still take for running on it.
        again = pairs.wait_until_all_move(began) - began
        bench.wait_until_all_run(2 * _PAIRS)
    return {
        "memory_without_connectors_mib": without,
        "memory_20_tasks_mib": memory,
        "memory_20_tasks_moving_a_burst_mib": burst[-1],
        "worker_added_s": spread,
        "sigterm_running_elsewhere_s": elsewhere,
        "sigterm_all_move_s": moved,
        "kill_all_move_s": again,
    }


def restarted(bench: Bench, _: Sizes) -> Figures:
    """A worker is stopped and started again within the delay: as a static member, where there are such."""
    pairs = Pairs(bench.cluster.folder)
    for name, config in pairs.connectors(bench.cluster.name):
        bench.create(name, config)
    bench.wait_until_all_run(2 * _PAIRS)
    member = bench.cluster.members[-1]
    with pairs.growing():
        pairs.wait_until_all_move(time.time())
        began = time.time()
        member.kill(signal.SIGTERM)
        stopped = time.time() - began
        began = time.time()
        member.start()

        member.wait_until_ready()
        bench.wait_until_all_run(2 * _PAIRS, spread=True)
        back = time.time() - began
        moved = pairs.wait_until_all_move(began) - began
    return {"restart_stop_s": stopped, "restart_all_back_s": back, "restart_all_move_s": moved}


def added(bench: Bench, _: Sizes) -> Figures:
    """A connector more, and another, where there are 200 tasks."""
    topic = bench.cluster.kafka.create_topic(f"{bench.cluster.name}-many", _TASKS)
    for number in range(_PAIRS):
        file = bench.cluster.folder / f"{number}.txt"
        sink = {"connector.class": "FileStreamSink", "file": str(file), "topics": topic, "tasks.max": str(_TASKS)}
        bench.create(f"sink{number}", sink)
    bench.wait_until_all_run(_PAIRS, tasks=_TASKS)
    time.sleep(_SETTLE_S)
    memory, before = bench.memory_mib(), bench.pids()
    took = []
    for number in range(_MORE):
        config = _source(bench, number)
        began = time.time()
        bench.create(f"c{number}", config)
        took.append(bench.wait_until_runs(f"c{number}") - began)
        # So that the next one does not come on top of it.
        time.sleep(_BETWEEN_S)
    figures = {"memory_200_tasks_mib": memory, "one_more_running_s": median(took), "one_more_at_most_s": max(took)}
    return figures | ({"tasks_restarted_by_that": float(len(before - bench.pids()))} if before else {})


def created(bench: Bench, sizes: Sizes) -> Figures:
    """Hundreds of connectors, one after the other, as fast as they come."""
    began, count = time.time(), 0
    while count < sizes.connectors and time.time() - began < sizes.creation_s:
        bench.create(f"c{count}", _source(bench, count))
        count += 1
    creation = time.time() - began
    running = bench.wait_until_all_run(count) - began
    time.sleep(_SETTLE_S)
    return {
        "connectors_created": float(count),
        "created_s": creation,
        "all_running_s": running,
        "connectors_running_per_s": count / running,
        "memory_with_these_mib": bench.memory_mib(),
    }


def _source(bench: Bench, number: int) -> dict[str, str]:
    """The configuration of a source with a file of its own, in which there is nothing."""
    file = bench.cluster.folder / f"source-{number}.txt"
    file.touch()
    return {"connector.class": "FileStreamSource", "file": str(file), "topic": f"{bench.cluster.name}-sources"}


CASES: Final[Mapping[str, tuple[Callable[[Bench, Sizes], Figures], Mapping[str, str]]]] = {
    "moving": (moving, _AT_ONCE),
    "restart": (restarted, _PATIENT),
    "adding": (added, _AT_ONCE),
    "connectors": (created, _AT_ONCE),
}


@click.command
@choice_of_cases(CASES)
@choice_of_systems(SYSTEMS)
@click.option("--connectors", default=500, show_default=True, help="How many there are to be in the case `connectors`.")
@click.option(
    "--creation-s",
    default=180.0,
    show_default=True,
    help="For so long they are created; those that came in time count.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=_RESULTS, help="Where figures go.")
def main(cases: list[str], systems: list[str], connectors: int, creation_s: float, output: Path) -> None:
    """Measure and print; the figures also go to bench/cluster.json, with the load average around each case."""
    sizes, failed = Sizes(connectors, creation_s), False
    with ending_in_order(), EmbeddedKafka(heap="1g", progress=click.echo) as kafka:
        for case in cases:
            for system in systems:
                try:
                    row = _measured(case, system, kafka.bootstrap_servers, sizes)
                except AssertionError as error:  # something did not come in time: the others are measured all the same
                    click.echo(f"{case}: {system}: {error}", err=True)
                    failed = True
                else:
                    _report(output, case, system, row)
    click.echo(f"Written to {output}")
    sys.exit(failed)


def _measured(case: str, system: str, bootstrap_servers: str, sizes: Sizes) -> dict[str, Any]:
    measure, settings = CASES[case]
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="connectd-bench-") as folder:
        kafka = TestKafka({"bootstrap.servers": bootstrap_servers})
        cluster = Cluster(kafka, Path(folder), f"bench-{case}-{system}", settings)
        bench = Bench(SYSTEMS[system], cluster)
        try:
            for number in range(_WORKERS):
                static = system == "connectd" and settings is _PATIENT
                bench.add(**({"group_instance_id": f"worker-{number}"} if static else {}))
            for each in cluster.members:
                each.wait_until_ready()
            figures = measure(bench, sizes)
        finally:
            cluster.close()
    load.append(os.getloadavg()[0])
    return {
        **{name: round(value, 2) for name, value in figures.items()},
        "load": [round(each, 2) for each in load],
        "cpus": os.cpu_count(),
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }


def _report(output: Path, case: str, system: str, row: dict[str, Any]) -> None:
    rows = json.loads(output.read_text()) if output.exists() else []
    rows = [each for each in rows if (each["case"], each["system"]) != (case, system)]
    output.write_text(json.dumps([*rows, {"case": case, "system": system, **row}], indent=2) + "\n")
    click.echo(f"{case}: {system}, load {row['load'][0]} to {row['load'][1]}")
    for name, value in row.items():
        if isinstance(value, float):
            click.echo(f"  {name:32}{value:10.2f}")


if __name__ == "__main__":
    main()
