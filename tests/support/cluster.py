"""A cluster of real connectd workers on the shared Kafka, and what clients of its REST API see."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from supervisor.embedded.ports import free_port
from tests.support import processes
from tests.support.kafka import TestKafka
from tests.support.worker_process import CONNECTD

WORKER = """
bootstrap.servers={servers}
group.id={name}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic={name}-configs
offset.storage.topic={name}-offsets
status.storage.topic={name}-statuses
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=3
status.storage.partitions=2
listeners=http://127.0.0.1:{port}
connectors.directory=
"""
# Times of the group that let tests go fast, and none of them end early on a busy machine.
QUICK = {
    "session.timeout.ms": "6000",
    "heartbeat.interval.ms": "500",
    "scheduled.rebalance.max.delay.ms": "2000",
    "offset.flush.interval.ms": "500",
}
PATIENCE_S = 120.0


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
    """As that of `tests.support.processes`, for conditions that cost those more who are asked."""
    processes.wait_until(condition, what, timeout_s, longest_s=0.1)


def processes_of(connector: str) -> dict[str, list[int]]:
    """The pids of all processes on this machine that run tasks of a connector, by task: never more than one."""
    return _running_tasks(connector, psutil.process_iter())


def _running_tasks(connector: str, processes: Iterable[psutil.Process]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    title = f"connectd: task {connector}-"
    for process in processes:
        with contextlib.suppress(psutil.Error):
            text = " ".join(process.cmdline())
            if text.startswith(title):
                found.setdefault(text.removeprefix("connectd: task ").split()[0], []).append(process.pid)
    return found


class ClusterMember:
    """One worker process; `log` is where it writes JSON lines."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, number: int, port: int, text: str) -> None:
        self.folder = folder
        self.port = port
        self.file = folder / f"worker-{number}.properties"
        self.log = folder / f"worker-{number}.log"
        self.file.write_text(text)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def worker_id(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def command(self) -> Sequence[str]:
        """What runs it."""
        return [*CONNECTD, "distributed", str(self.file)]

    def start(self) -> None:
        """Start the process; its log goes on."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "CONNECTD_LOG_FORMAT": "json"},
            )

    def wait_until_ready(self) -> None:
        wait_until(self.is_ready, f"{self.worker_id} is ready, see {self.log}", PATIENCE_S)

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.worker_id} has ended with {self.process.returncode}, see {self.log}"
        return self.answers() and self.request("GET", "/health")[0] == 200

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            self.request("GET", "/health")
            return True
        return False

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal and, if it is to end the process, wait for that."""
        assert self.process is not None
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(60)

    def stop(self) -> int:
        """Stop it as systemd does; its exit code."""
        self.kill(signal.SIGTERM)
        assert self.process is not None
        return self.process.returncode

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded body. Raises OSError if nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.worker_id}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        return status, json.loads(content) if content else None

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that is a success. A rebalance that is under way is waited for."""
        answers: list[tuple[int, Any]] = []

        def done() -> bool:
            answers.append(self.request(method, path, body))
            return answers[-1][0] not in (409, 503)

        wait_until(done, f"{method} {path} is possible", PATIENCE_S)
        status, content = answers[-1]
        assert 200 <= status < 300, (method, path, status, content)
        return content


class Cluster:
    """Workers with one group and one set of topics."""

    def __init__(self, kafka: TestKafka, folder: Path, name: str, settings: Mapping[str, str]) -> None:
        self.kafka = kafka
        self.folder = folder
        self.name = name
        self._settings = {**QUICK, **settings}
        self.members: list[ClusterMember] = []

    def add(self, kind: type[ClusterMember] = ClusterMember, **settings: str) -> ClusterMember:
        """Another worker, which is started but not waited for; underscores in the keys stand for dots."""
        port = free_port()
        text = WORKER.format(servers=self.kafka.bootstrap_servers, name=self.name, port=port)
        own = {key.replace("_", "."): value for key, value in settings.items()}
        text += "".join(f"{key}={value}\n" for key, value in {**self._settings, **own}.items())
        member = kind(self.folder, len(self.members), port, text)
        self.members.append(member)
        member.start()
        return member

    @property
    def living(self) -> list[ClusterMember]:
        return [each for each in self.members if each.process is not None and each.process.poll() is None]

    @property
    def leader(self) -> ClusterMember:
        """By the last word of any worker about a round."""
        rounds = [event for each in self.living for event in each.events if "leader" in event]
        url = max(rounds, key=lambda event: str(event["timestamp"]))["leader"]
        return next(each for each in self.members if url == f"http://{each.worker_id}/")

    @property
    def followers(self) -> list[ClusterMember]:
        leader = self.leader
        return [each for each in self.living if each is not leader]

    def processes_of(self, connector: str) -> dict[str, list[int]]:
        """As the function of this name, but of these workers only: others may have a connector of the same name."""
        workers = [psutil.Process(each.process.pid) for each in self.living if each.process is not None]
        return _running_tasks(connector, [child for worker in workers for child in worker.children(recursive=True)])

    def statuses(self, connector: str) -> dict[str, tuple[str, str]]:
        """State and worker of a connector and its tasks, as some worker sees them; empty while that is not known."""
        status, body = self.living[0].request("GET", f"/connectors/{connector}/status")
        if status != 200:
            return {}
        found = {connector: (body["connector"]["state"], body["connector"]["worker_id"])}
        return found | {f"{connector}-{task['id']}": (task["state"], task["worker_id"]) for task in body["tasks"]}

    def wait_until_in(self, state: str, connector: str, tasks: int, on: Sequence[ClusterMember] | None = None) -> None:
        """Until a connector with so many tasks is in a state, all of it on living workers, or on these."""

        def there() -> bool:
            workers = {each.worker_id for each in on or self.living}
            found = self.statuses(connector)
            return len(found) == 1 + tasks and all(each[0] == state and each[1] in workers for each in found.values())

        wait_until(there, f"{connector} with {tasks} tasks is {state}; see {self.folder}", PATIENCE_S)

    def close(self) -> None:
        for each in self.living:
            each.kill()


@contextlib.contextmanager
def cluster(kafka: TestKafka, folder: Path, name: str, workers: int, **settings: str) -> Iterator[Cluster]:
    """So many workers, all ready; `settings` are those of all of them, with underscores for dots. Ends with the block."""
    found = Cluster(kafka, folder, name, {key.replace("_", "."): value for key, value in settings.items()})
    try:
        for _ in range(workers):
            found.add()
        for each in found.members:
            each.wait_until_ready()
        yield found
    finally:
        found.close()
