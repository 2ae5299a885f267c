"""The cases of `python -m bench.java`. Each runs one system once and returns what was measured."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import javaproperties
import psutil

from bench.bed import Bed
from bench.cases import Figures, file_to_topic, topic_to_file
from bench.java_exactly_once import exactly_once
from bench.java_systems import Hosted, debezium, empty_cache, worker_file
from bench.measuring import TreeSampler, watch
from bench.processes import Program, RunFailed, running
from bench.systems import Worker
from tests.java.mariadb import MariaDB

# Connectors that are created one after the other.
_STARTS: Final = 5
_TASKS: Final = 10
# Rows that are inserted into the database.
CHANGES: Final = 200_000
_TIMEOUT_S: Final = 120.0
_LOOK_S: Final = 0.01
# Until what a start has left to be done is done, and memory is at rest.
_SETTLE_S: Final = 20.0
# A statement of SQL inserts so many rows.
_INSERT_ROWS: Final = 1000


@dataclass(frozen=True)
class Place:
    """Where a run happens: `database` is there for the case that needs it alone."""

    bed: Bed
    name: str
    database: MariaDB | None = None


def start(place: Place, system: Worker) -> Figures:
    """Connectors with a task each, created by the REST API one after the other."""
    with _worker(place, system) as worker:
        waits = [worker.create(f"c{number}") for number in range(_STARTS)]
    return {"first_created_s": waits[0], "created_s": median(waits[1:])}


def start_worker(place: Place, system: Worker) -> Figures:
    """A worker with a connector's file, from exec on until its task is RUNNING."""
    with _worker(place, system, "c") as worker:
        return {"exec_to_running_s": worker.wait_until_runs("c") - worker.program.started_at}


def first_ever(place: Place, system: Worker) -> Figures:
    """The same where connectd never had a connector in Java, but Kafka's jars have been fetched: the host is made."""
    if not isinstance(system, Hosted):
        return {}
    cache = empty_cache(place.bed.folder / f"{place.name}-cache")
    with _worker(place, Hosted(cache), "c") as worker:
        return {"exec_to_running_s": worker.wait_until_runs("c") - worker.program.started_at}


def idle(place: Place, system: Worker) -> Figures:
    """The memory of a worker that has one task, which does nothing, and then ten."""
    with _worker(place, system) as worker:
        worker.create("c0")
        time.sleep(_SETTLE_S)
        figures = {"worker_with_1_pss_mib": worker.pss_mib(), "task_pss_mib": worker.pss_mib("connectd: task c0-0")}
        for number in range(1, _TASKS):
            worker.create(f"c{number}")
        time.sleep(_SETTLE_S)
        return figures | {"worker_with_10_pss_mib": worker.pss_mib()}


def changes(place: Place, system: Worker) -> Figures:
    """Debezium reads the binary log of MariaDB from its beginning, which is full of inserted rows."""
    assert place.database is not None
    bed = place.bed
    with (
        _debezium(place, system) as (program, topic),
        bed.counter(topic) as count,
        TreeSampler(program.process.pid).sampling() as sampler,
    ):
        transfer = watch(program, sampler, count, CHANGES)
        peak = sampler.peak()
    return {
        "events_per_s": transfer.records_per_s,
        "cpu_s_per_million": transfer.cpu_s_per_million,
        "pss_mib": peak.pss_mib,
        "startup_s": transfer.startup_s,
    }


def fill(database: MariaDB) -> None:
    """The rows whose changes are read."""
    database.run(
        "CREATE USER 'debezium'@'127.0.0.1' IDENTIFIED BY 'dbz'; GRANT ALL ON *.* TO 'debezium'@'127.0.0.1';"
        "CREATE DATABASE bench; CREATE TABLE bench.orders"
        " (id INT PRIMARY KEY AUTO_INCREMENT, customer VARCHAR(50), amount DECIMAL(10, 2), note VARCHAR(100))"
    )
    for first in range(0, CHANGES, _INSERT_ROWS):
        rows = ",".join(
            f"('customer {i}', {i % 997}.25, 'a note on the order {i:07}')" for i in range(first, first + _INSERT_ROWS)
        )
        database.run(f"INSERT INTO bench.orders (customer, amount, note) VALUES {rows}")


CASES: Final[Mapping[str, Callable[[Place, Worker], Figures]]] = {
    "start": start,
    "start-worker": start_worker,
    "first-ever": first_ever,
    "idle": idle,
    "file-to-topic": lambda place, system: file_to_topic(place.bed, system, place.name),
    "topic-to-file": lambda place, system: topic_to_file(place.bed, system, place.name),
    "debezium": changes,
    "exactly-once": lambda place, system: exactly_once(place.bed, place.name, system),
}


@dataclass
class _Running:
    """A worker with sources of a file that stays as it is."""

    program: Program
    folder: Path
    address: str

    def create(self, name: str) -> float:
        """A connector; the seconds until its task is RUNNING."""
        began = time.monotonic()
        status, body = self._request("PUT", f"/connectors/{name}/config", _source(self.folder, name))
        if status != 201:
            raise RunFailed(f"{self.program.name}: {body}")
        return self.wait_until_runs(name) - began

    def wait_until_runs(self, name: str) -> float:
        """Until the task of a connector is RUNNING; when that was seen (`time.monotonic`)."""
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            self.program.check()
            try:
                status, body = self._request("GET", f"/connectors/{name}/status")
            except (OSError, ValueError):
                status = 0  # it does not listen yet
            if status == 200 and [each["state"] for each in body["tasks"]] == ["RUNNING"]:
                return time.monotonic()
            time.sleep(_LOOK_S)
        raise RunFailed(f"{self.program.name}: {name} does not run:\n{self.program.log_tail()}")

    def wait_until_answers(self) -> None:
        """Until its REST API is there."""
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            self.program.check()
            try:
                if self._request("GET", "/connectors") == (200, []):
                    return
            except (OSError, ValueError):
                time.sleep(_LOOK_S)
        raise RunFailed(f"{self.program.name} does not answer:\n{self.program.log_tail()}")

    def pss_mib(self, title: str = "") -> float:
        """Of all processes, or of those that are called so: a Java virtual machine has its title as last word."""
        root = psutil.Process(self.program.process.pid)
        tree = [
            each for each in (root, *root.children(recursive=True)) if " ".join(each.cmdline()).strip().endswith(title)
        ]
        return float(sum(each.memory_full_info().pss for each in tree)) / (1 << 20)

    def _request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection(self.address, timeout=_TIMEOUT_S)) as connection:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.load(answer)


@contextmanager
def _worker(place: Place, system: Worker, *connectors: str) -> Iterator[_Running]:
    """With the files of these connectors."""
    with place.bed.topic(place.name) as topic, place.bed.job(place.name, topic) as job:
        files = []
        for name in connectors:
            files.append(job.folder / f"{name}.properties")
            files[-1].write_text(javaproperties.dumps(_source(job.folder, name), timestamp=False))
        file, address = worker_file(system, place.bed, job.folder)
        command = system.command(file, files)
        with running(place.name, command, job.folder, job.folder / "log.txt") as program:
            worker = _Running(program, job.folder, address)
            if not connectors:
                worker.wait_until_answers()
            yield worker


def _source(folder: Path, name: str) -> dict[str, str]:
    (folder / f"{name}.txt").write_text("a line\n")
    return {
        "name": name,
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1",
        "file": str(folder / f"{name}.txt"),
        "topic": folder.name,
    }


@contextmanager
def _debezium(place: Place, system: Worker) -> Iterator[tuple[Program, str]]:
    """A worker with Debezium's connector; and the topic that its changes come to."""
    assert place.database is not None
    topic = f"{place.name}.bench.orders"
    with place.bed.topic(topic), place.bed.job(place.name, topic) as job:
        config = {
            "name": place.name,
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "tasks.max": "1",
            "database.hostname": "127.0.0.1",
            "database.port": str(place.database.port),
            "database.user": "debezium",
            "database.password": "dbz",
            "database.server.id": str(random.randrange(2, 1 << 31)),
            "database.server.name": place.name,
            "database.include.list": "bench",
            "database.history.kafka.bootstrap.servers": place.bed.bootstrap_servers,
            "database.history.kafka.topic": f"{place.name}.history",
            "snapshot.mode": "never",
        }
        connector = job.folder / "connector.properties"
        connector.write_text(javaproperties.dumps(config, timestamp=False))
        settings = {
            "plugin.path": str(debezium(job.folder / "plugins")),
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        }
        file, _ = worker_file(system, place.bed, job.folder, settings)
        with running(place.name, system.command(file, [connector]), job.folder, job.folder / "log.txt") as program:
            yield program, topic
