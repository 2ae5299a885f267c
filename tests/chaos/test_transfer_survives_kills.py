"""kill -9 of tasks, of the forkserver and of the supervisor at random instants during a transfer: nothing is lost, order is
kept, no offset goes back behind what was committed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition

from supervisor.storage.java_map import read_map

KILLS = 20
# Fast enough that every kill hits a transfer, slow enough that the whole run stays short.
LINES_A_SECOND = 5_000
LINE_BYTES = len("line 000000000\n")
# Each kill comes within so many seconds of transfer after the one before.
KILL_WITHIN_S = 0.7
CONNECTD = Path(sys.executable).with_name("connectd")


class GrowingFile:
    """Lines 0, 1, 2, ... appended all the time by a thread, so that there is always something to move."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._grow)

    def __enter__(self) -> GrowingFile:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        self._end.set()
        self._thread.join()

    def _grow(self) -> None:
        batch = LINES_A_SECOND // 50
        with self.path.open("a") as file:
            while not self._end.wait(0.02):
                file.write("".join(f"line {self.lines + i:09d}\n" for i in range(batch)))
                file.flush()
                self.lines += batch


class Worker:
    """`connectd standalone` as a user starts it, started again when it was killed."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._arguments = arguments
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [CONNECTD, "standalone", *self._arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def tasks(self) -> list[psutil.Process]:
        """The processes that run a task now."""
        found = []
        for child in psutil.Process(self.pid).children(recursive=True):
            try:
                if " ".join(child.cmdline()).startswith("connectd: task "):
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def forkserver(self) -> psutil.Process:
        """The process that all tasks are children of."""
        (forkserver,) = psutil.Process(self.pid).children()
        return forkserver

    def family(self) -> list[psutil.Process]:
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]

    def kill(self) -> None:
        """kill -9, and everything that it started must be gone by itself."""
        family = self.family()
        family[0].send_signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, f"outlived the supervisor: {alive}"

    def stop(self) -> int:
        assert self._process is not None
        family = self.family() if self._process.poll() is None else []
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(60)
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, f"outlived the supervisor: {alive}"
        return code


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = 180) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)


def numbers(path: Path) -> Iterator[int]:
    with path.open() as file:
        for line in file:
            assert line.startswith("line ") and len(line) == LINE_BYTES, f"not a line that was sent: {line!r}"
            yield int(line[5:])


def committed_position(offsets: Path, source: Path) -> int:
    """What the source has committed, straight from the worker's offset file."""
    if not offsets.exists():
        return 0
    entries = read_map(offsets.read_bytes())
    value = entries.get(json.dumps(["chaos-source", {"filename": str(source)}], separators=(",", ":")).encode())
    return int(json.loads(value)["position"]) if value else 0


@pytest.fixture
def group_offset(kafka: object, topic: str) -> Iterator[Callable[[], int]]:
    """What the sink has committed."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "connect-chaos-sink-" + topic})  # type: ignore[attr-defined]

    def committed() -> int:
        (partition,) = consumer.committed([TopicPartition(topic, 0)], timeout=30)
        return max(0, int(partition.offset))

    yield committed
    consumer.close()


def test_nothing_is_lost_and_order_is_kept(
    kafka: object, topic: str, tmp_path: Path, group_offset: Callable[[], int]
) -> None:
    source, sink, offsets = tmp_path / "source.txt", tmp_path / "sink.txt", tmp_path / "connect.offsets"
    source.touch()
    (tmp_path / "worker.properties").write_text(
        f"bootstrap.servers={kafka.bootstrap_servers}\n"  # type: ignore[attr-defined]
        "key.converter=org.apache.kafka.connect.storage.StringConverter\n"
        "value.converter=org.apache.kafka.connect.storage.StringConverter\n"
        f"offset.storage.file.filename={offsets}\n"
        "offset.flush.interval.ms=50\n"
        "listeners=http://127.0.0.1:0\n"
        # Twenty kills in a minute are the test's doing, not a task that cannot run.
        "task.restart.max=1000\n"
        # The first restart comes at once, and so must the twentieth.
        "task.restart.backoff.ms=10\ntask.restart.backoff.max.ms=50\n"
    )
    (tmp_path / "source.properties").write_text(
        f"name=chaos-source\nconnector.class=FileStreamSource\ntasks.max=1\nfile={source}\ntopic={topic}\n"
    )
    (tmp_path / "sink.properties").write_text(
        f"name=chaos-sink-{topic}\nconnector.class=FileStreamSink\ntasks.max=1\nfile={sink}\ntopics={topic}\n"
    )
    files = ["worker.properties", "source.properties", "sink.properties"]
    worker = Worker([str(tmp_path / name) for name in files], tmp_path / "worker.log")
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    def size() -> int:
        return sink.stat().st_size if sink.exists() else 0

    worker.start()
    try:
        with GrowingFile(source) as growing:
            position = offset = 0
            for kill in range(KILLS):
                moved = size()
                # Somewhere in the middle of it: after some bytes, and some more milliseconds.
                goal = moved + chance.randrange(1, int(KILL_WITHIN_S * LINES_A_SECOND * LINE_BYTES))
                wait_for(lambda goal=goal: size() >= goal, f"the transfer goes on after kill {kill}")  # type: ignore[misc]
                time.sleep(chance.random() * 0.1)
                victims = worker.tasks()
                if kill % 3 == 2 or not victims:
                    worker.kill()
                    worker.start()
                else:
                    chance.choice([worker.forkserver(), *victims]).send_signal(signal.SIGKILL)
                new_position, new_offset = committed_position(offsets, source), group_offset()
                assert new_position >= position, "the source's committed offset went back"
                assert new_offset >= offset, "the sink's committed offset went back"
                position, offset = new_position, new_offset
            growing.finish()
            last = f"line {growing.lines - 1:09d}\n".encode()

        def arrived() -> bool:
            with sink.open("rb") as file:
                file.seek(-len(last), 2)
                return file.read() == last

        wait_for(arrived, "the last line arrives")
        assert worker.stop() == 0
    except BaseException:
        print((tmp_path / "worker.log").read_text()[-20_000:])
        raise
    finally:
        if psutil.pid_exists(worker.pid):
            worker.kill()

    expected, repeated = 0, 0
    for number in numbers(sink):
        assert number <= expected, f"lines {expected} to {number - 1} are missing or late"
        if number == expected:
            expected += 1
        else:
            repeated += 1
    assert expected == growing.lines
    assert position > 0 and offset > 0
    print(f"{expected} lines, {repeated} repeated after {KILLS} kills")
