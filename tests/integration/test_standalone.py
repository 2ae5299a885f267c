"""`connectd standalone` with the files of the Kafka distribution, on a real Kafka."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from supervisor.storage.java_map import read_map
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.worker_process import WorkerProcess, worker_process

# Kafka's config/connect-standalone.properties, connect-file-source.properties, ... but for the places, and for the names:
# the consumer group of a sink has its name, and all tests share one broker.
WORKER = """
# These are defaults. This file just demonstrates how to override some settings.
bootstrap.servers={servers}
key.converter=org.apache.kafka.connect.{converter}
value.converter=org.apache.kafka.connect.{converter}
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.file.filename={folder}/connect.offsets
offset.flush.interval.ms={interval}
#plugin.path=
listeners=http://127.0.0.1:0
"""
FILE_SOURCE = """
name=file-source-{topic}
connector.class=FileStreamSource
tasks.max=1
file=test.txt
topic={topic}
"""
FILE_SINK = """
name=file-sink-{topic}
connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
tasks.max=1
file=test.sink.txt
topics={topic}
"""
CONSOLE_SOURCE = """
name=console-source-{topic}
connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector
tasks.max=1
topic={topic}
"""
CONSOLE_SINK = """
name=console-sink-{topic}
connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
tasks.max=1
topics={topic}
"""


@pytest.fixture
def files(kafka: TestKafka, topic: str, tmp_path: Path) -> Path:
    """A folder with a worker file and connector files; the topic does not exist yet."""
    texts = {
        "worker": WORKER,
        "file-source": FILE_SOURCE,
        "file-sink": FILE_SINK,
        "console-source": CONSOLE_SOURCE,
        "console-sink": CONSOLE_SINK,
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.properties").write_text(
            text.format(
                servers=kafka.bootstrap_servers,
                topic=topic,
                folder=tmp_path,
                converter="json.JsonConverter",
                interval=10000,
            )
        )
    return tmp_path


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_the_files_of_kafkas_quickstart_run_as_they_are(files: Path, topic: str) -> None:
    (files / "test.txt").write_text("foo\nbar\n")
    with worker_process(files, "worker.properties", "file-source.properties", "file-sink.properties") as worker:
        wait_until(lambda: lines(files / "test.sink.txt") == ["foo", "bar"], "both lines arrived")
        with (files / "test.txt").open("a") as file:
            file.write("Another line\n")
        wait_until(lambda: lines(files / "test.sink.txt")[2:] == ["Another line"], "the appended line arrived")
        assert worker.stop() == 0
    offsets = read_map((files / "connect.offsets").read_bytes())
    assert offsets == {f'["file-source-{topic}",{{"filename":"test.txt"}}]'.encode(): b'{"position":21}'}
    assert not [event for event in worker.events if event["level"] in ("error", "critical")]


def test_a_restarted_worker_goes_on_where_it_stopped(files: Path) -> None:
    (files / "test.txt").write_text("foo\nbar\n")
    names = ("worker.properties", "file-source.properties", "file-sink.properties")
    with worker_process(files, *names) as worker:
        wait_until(lambda: lines(files / "test.sink.txt") == ["foo", "bar"], "both lines arrived")
        assert worker.stop() == 0
    with (files / "test.txt").open("a") as file:
        file.write("baz\n")
    with worker_process(files, *names) as worker:
        wait_until(lambda: lines(files / "test.sink.txt")[2:], "a third line arrived")
        assert worker.stop() == 0
    assert lines(files / "test.sink.txt") == ["foo", "bar", "baz"]


def test_standard_input_to_standard_output(files: Path) -> None:
    read, write = os.pipe()
    with worker_process(
        files, "worker.properties", "console-source.properties", "console-sink.properties", stdin=read
    ) as worker:
        os.close(read)
        os.write(write, "hello\nwörld\n".encode())
        wait_until(lambda: lines(worker.output) == ["hello", "wörld"], "both lines came out")
        os.close(write)
        assert worker.stop() == 0


@pytest.mark.parametrize("victim", ["task", "supervisor"])
def test_no_line_is_lost_whoever_is_killed(files: Path, topic: str, victim: str) -> None:
    """At least once: lines may come twice, none may be missing."""
    worker_file = files / "worker.properties"
    worker_file.write_text(worker_file.read_text().replace("=10000", "=100") + "task.restart.max=100\n")
    names = ("worker.properties", "file-source.properties", "file-sink.properties")
    tasks = (f"file-source-{topic}-0", f"file-sink-{topic}-0")
    chance = random.Random(7)
    written = 0
    for _ in range(3):
        with worker_process(files, *names) as worker:
            worker.wait_until_runs(*tasks)
            for _ in range(3):
                written = append(files / "test.txt", written, 5000)
                wait_for_lines(files / "test.sink.txt", int(chance.random() * written))
                if victim == "task":
                    kill_one(worker, chance.choice(tasks))
            if victim == "task":
                assert worker.stop() == 0
            else:
                worker.process.kill()
    with worker_process(files, *names) as worker:
        worker.wait_until_runs(*tasks)
        expected = {f"line {number}" for number in range(written)}
        wait_until(lambda: set(lines(files / "test.sink.txt")) >= expected, "every line arrived", 60)
        assert worker.stop() == 0


def append(path: Path, written: int, count: int) -> int:
    """Append numbered lines after the first `written` ones; how many there are now."""
    with path.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(written, written + count))
    return written + count


def wait_for_lines(path: Path, count: int) -> None:
    wait_until(lambda: len(lines(path)) >= count, f"{count} lines arrived")


def kill_one(worker: WorkerProcess, task: str) -> None:
    before = worker.pids()[task]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: worker.pids()[task] != before, f"{task} is back")
