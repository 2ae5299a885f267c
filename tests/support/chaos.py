"""A worker on a real Kafka with connectors that do wrong beside healthy ones, and what must be true of them afterwards."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.support.kafka import TestKafka
from tests.support.processes import alive, wait_until
from tests.support.worker_process import WorkerProcess

PLUGINS = Path(__file__).parents[1] / "chaos" / "plugins"
# Everything here waits for conditions; on a busy machine that may take long.
TIMEOUT_S = 150.0
# The supervisor, the forkserver, two tasks and two spares.
_FAMILY = 6
WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.flush.interval.ms": "200",
    "task.shutdown.graceful.timeout.ms": "3000",
    "listeners": "http://127.0.0.1:0",
    "plugin.path": str(PLUGINS),
}


def wait_for(condition: Any, what: str) -> None:
    """With a limit that only a bug reaches."""
    wait_until(condition, what, TIMEOUT_S)


@dataclass(frozen=True)
class Numbers:
    """A source or sink of numbers. `topic` is what it writes or reads, `folder` has its notes and results."""

    name: str
    kind: str
    topic: str
    folder: Path

    def written(self, task: int = 0) -> list[tuple[int, int, int]]:
        """What a task of a sink has written and flushed: partition, offset, number."""
        path = self.folder / f"written-{task}"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(partition), int(offset), int(number)) for partition, offset, number in map(str.split, lines)]

    def bytes_written(self, task: int = 0) -> int:
        """Grows as long as the sink works."""
        path = self.folder / f"written-{task}"
        return path.stat().st_size if path.exists() else 0

    def noted_pids(self) -> list[int]:
        """The processes that its tasks have started."""
        return [int(line) for path in self.folder.glob("*/pids") for line in path.read_text().split()]


class Chaos:
    """A worker with a healthy source and a healthy sink, `good-source` and `good-sink`, that move numbers."""

    def __init__(self, worker: WorkerProcess, kafka: TestKafka, prefix: str) -> None:
        self.worker = worker
        self.kafka = kafka
        self._prefix = prefix
        self._folder = worker.log.parent
        wait_for(lambda: self._address(), f"the REST API is up; see {worker.log}")
        address = self._address()
        assert address is not None
        self._host, self._port = address
        self.source = self.create("good-source", "source")
        self.sink = self.create("good-sink", "sink", topics=self.source.topic)
        self.await_progress()
        self.note_pids()
        wait_for(lambda: len(self.family()) == _FAMILY, "nothing else runs")
        self.descriptors_at_first = self.descriptors()
        # At least once: where a healthy one was killed, or could not commit, records may come again.
        self.may_repeat = False

    # --- talking to it ------------------------------------------------------------------------------------------------

    def _address(self) -> tuple[str, int] | None:
        for event in self.worker.events:
            if found := re.fullmatch(r"REST API at http://(.*):(\d+)/?", str(event["message"])):
                return found[1], int(found[2])
        return None

    def rest(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and what the body says."""
        status, content = self._exchange(method, path, None if body is None else json.dumps(body))
        return status, json.loads(content) if content else None

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric over all that has these labels."""
        status, content = self._exchange("GET", "/metrics", None)
        assert status == 200
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = [line for line in content.decode().splitlines() if re.match(rf"{name}[{{ ]", line)]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(each in line for each in wanted))

    def create(self, name: str, kind: str, misdeeds: Mapping[str, str] | None = None, **config: str) -> Numbers:
        """Create a connector over REST. In the keys of `config` underscores stand for dots."""
        status, body, numbers = self.try_to_create(name, kind, misdeeds, **config)
        assert status == 201, body
        return numbers

    def try_to_create(
        self, name: str, kind: str, misdeeds: Mapping[str, str] | None = None, **config: str
    ) -> tuple[int, Any, Numbers]:
        """The same, with the answer."""
        full_name = f"{self._prefix}-{name}"
        folder = self._folder / name
        folder.mkdir()
        own = {key.replace("_", "."): value for key, value in config.items()}
        topic = own.get("topics") or own.get("topic") or self.kafka.create_topic(full_name)
        complete = {
            "connector.class": f"chaos_numbers.Numbers{kind.capitalize()}",
            "tasks.max": "1",
            "folder": str(folder),
            "topic" if kind == "source" else "topics": topic,
            **{f"on.{call}": misdeed for call, misdeed in (misdeeds or {}).items()},
            **own,
        }
        status, body = self.rest("POST", "/connectors", {"name": full_name, "config": complete})
        return status, body, Numbers(full_name, kind, topic, folder)

    def remove(self, numbers: Numbers) -> None:
        """Delete a connector and wait until nothing of it is left."""
        status, body = self.rest("DELETE", f"/connectors/{numbers.name}")
        assert status == 204, body
        wait_for(lambda: not self.processes_of(numbers), f"{numbers.name} has ended")

    def remove_others(self) -> None:
        """Delete what a failed test has left."""
        for name in self.rest("GET", "/connectors")[1]:
            if name not in (self.source.name, self.sink.name):
                self.rest("DELETE", f"/connectors/{name}")

    def stop(self, numbers: Numbers) -> None:
        """Stop a connector, and wait for its tasks to end."""
        assert self.rest("PUT", f"/connectors/{numbers.name}/stop")[0] == 204
        wait_for(lambda: not self.processes_of(numbers), f"{numbers.name} has ended")

    def state(self, numbers: Numbers, task: int | None = 0) -> tuple[str, str]:
        """State and trace of a task, or of the connector."""
        status, body = self.rest("GET", f"/connectors/{numbers.name}/status")
        assert status == 200, body
        states = [body["connector"]] if task is None else [each for each in body["tasks"] if each["id"] == task]
        return (states[0]["state"], states[0].get("trace", "")) if states else ("", "")

    def await_state(self, numbers: Numbers, state: str, task: int | None = 0) -> str:
        """Wait for it; the trace."""
        wait_for(lambda: self.state(numbers, task)[0] == state, f"{numbers.name} {task} is {state}")
        return self.state(numbers, task)[1]

    def changes(self, numbers: Numbers, task: int | None = 0) -> list[tuple[str, str]]:
        """All states of a task, or of the connector, that were logged, each with its trace."""
        who = f"connector {numbers.name}" if task is None else f"task {numbers.name}-{task}"
        found = []
        for event in self.worker.events:
            message = str(event["message"])
            if message.startswith(f"{who} is "):
                state, _, trace = message.removeprefix(f"{who} is ").partition(": ")
                found.append((state, trace))
        return found

    def await_failure(self, numbers: Numbers, task: int | None = 0) -> str:
        """Wait for the first one; its trace, as it was logged."""
        states = ("RESTARTING", "FAILED")
        wait_for(lambda: any(state in states for state, _ in self.changes(numbers, task)), f"{numbers.name} fails")
        return next(trace for state, trace in self.changes(numbers, task) if state in states)

    def dump(self) -> dict[str, dict[str, object]]:
        """SIGUSR1: what the log says of each connector and task, by name."""
        before = len(self.worker.events)
        self.worker.process.send_signal(signal.SIGUSR1)

        def dumped() -> dict[str, dict[str, object]]:
            found = {}
            for event in self.worker.events[before:]:
                if match := re.match(r"state of (\S+): ", str(event["message"])):
                    found[match[1]] = event
            return found

        wait_for(lambda: f"{self.sink.name}-0" in dumped() and f"{self.source.name}-0" in dumped(), "SIGUSR1 answers")
        return dumped()

    # --- processes ----------------------------------------------------------------------------------------------------

    def family(self) -> dict[int, str]:
        """The supervisor and all below it that live, by pid: how they call themselves."""
        supervisor = psutil.Process(self.worker.process.pid)
        found = {}
        for process in (supervisor, *supervisor.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid] = " ".join(process.cmdline()).strip()
        return found

    def processes_of(self, numbers: Numbers) -> list[int]:
        """The pids of a connector and its tasks."""
        title = re.compile(rf"connectd: (connector {numbers.name}|task {numbers.name}-\d+)")
        return [pid for pid, name in self.family().items() if title.match(name)]

    def pid(self, unit: str) -> int:
        """The process of a task, `name-0`."""
        found = [pid for pid, name in self.family().items() if name.startswith(f"connectd: task {unit}")]
        assert len(found) == 1, f"{unit}: {found}"
        return found[0]

    def descriptors(self) -> int:
        """How many the supervisor has open."""
        return int(psutil.Process(self.worker.process.pid).num_fds())

    def private_bytes(self) -> int:
        """The memory that would be free without the supervisor."""
        return int(psutil.Process(self.worker.process.pid).memory_full_info().uss)

    def zombies(self) -> list[psutil.Process]:
        """Processes that nobody has waited for."""
        supervisor = psutil.Process(self.worker.process.pid)
        found = []
        for process in supervisor.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.status() == psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    # --- what must be true --------------------------------------------------------------------------------------------

    def note_pids(self) -> None:
        """From now on the healthy ones are to have the processes that they have now."""
        self._pids = {name: self.pid(name) for name in (f"{self.source.name}-0", f"{self.sink.name}-0")}

    def await_progress(self) -> None:
        """The healthy ones move numbers, from the source through Kafka to the sink's file."""
        before = self.sink.bytes_written()
        # What came before was on its way already: wait for as much again.
        wait_for(lambda: self.sink.bytes_written() > before, f"the sink writes; see {self.worker.log}")
        before = self.sink.bytes_written()
        wait_for(lambda: self.sink.bytes_written() > before, f"the sink goes on; see {self.worker.log}")

    def assert_unharmed(self) -> None:
        """REST and SIGUSR1 answer, the healthy ones have their processes and move numbers."""
        assert self.rest("GET", "/")[0] == 200
        for numbers in (self.source, self.sink):
            assert self.state(numbers, None) == self.state(numbers) == ("RUNNING", "")
        dumped = self.dump()
        for unit, pid in self._pids.items():
            assert dumped[unit]["process"] == pid
            assert str(dumped[unit]["message"]).startswith(f"state of {unit}: RUNNING")
        self.await_progress()

    def assert_clean(self) -> None:
        """Nothing is left but the healthy ones: no process, no descriptor."""
        wait_for(lambda: len(self.family()) == _FAMILY, f"all others have ended: {[*self.family().values()]}")
        wait_for(lambda: self.descriptors() <= self.descriptors_at_first, "descriptors are closed")
        wait_for(lambda: not self.zombies(), "zombies were waited for")

    def moved(self, numbers: Numbers) -> int:
        """How many records it has written so far, to Kafka or to its file; some perhaps more than once."""
        return self.kafka.end_offsets(numbers.topic)[0] if numbers.kind == "source" else len(numbers.written())

    def assert_nothing_lost(self, numbers: Numbers) -> int:
        """Of one that has stopped: no number is missing, none is late. Returns how many came more than once."""
        if numbers.kind == "source":
            end = self.kafka.end_offsets(numbers.topic)[0]
            found = [int(value) for value in self.kafka.lines(numbers.topic, end, TIMEOUT_S)]
        else:
            found = [offset for _, offset, _ in numbers.written()]
            committed = self.kafka.committed(f"connect-{numbers.name}", numbers.topic).get(0, 0)
            assert committed <= len(set(found)), "committed what was not written"
        return repeated(found)

    def end(self) -> None:
        """Stop in good order: everything is gone, and of the healthy ones nothing was lost, nor came anything twice."""
        family = self.family()
        assert self.worker.stop() == 0
        wait_for(lambda: not any(map(alive, family)), f"nothing outlives the worker: {family}")
        for numbers in (self.source, self.sink):
            again = self.assert_nothing_lost(numbers)
            assert again == 0 or self.may_repeat, f"{numbers.name}: {again} came more than once"


def repeated(numbers: list[int]) -> int:
    """How many came more than once, of numbers that begin with 0 and of which none may be missing or late."""
    expected = 0
    for number in numbers:
        assert number <= expected, f"{expected} to {number - 1} are missing or late"
        expected = max(expected, number + 1)
    return len(numbers) - expected


@contextlib.contextmanager
def chaos(folder: Path, kafka: TestKafka, prefix: str, **settings: str) -> Iterator[Chaos]:
    """A worker with these settings besides those that all have; it ends with the block, whatever happens in it."""
    own = {key.replace("_", "."): value for key, value in settings.items()}
    everything = {
        **WORKER,
        "bootstrap.servers": kafka.bootstrap_servers,
        "offset.storage.file.filename": str(folder / "connect.offsets"),
        **own,
    }
    (folder / "worker.properties").write_text("".join(f"{key}={value}\n" for key, value in everything.items()))
    worker = WorkerProcess(folder, ["worker.properties"])
    try:
        running = Chaos(worker, kafka, prefix)
        yield running
        if worker.process.poll() is None:
            running.end()
    finally:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.process.wait()
