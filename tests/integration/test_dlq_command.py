"""`connectd dlq`: what is in dead letter queues, and records that are processed again."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Message

from supervisor.cli import cli
from tasks.pipeline import Pipeline
from tasks.sink.context import WorkerSinkTaskContext
from tests.support.errors import TOLERANT, dead_letters, headers_of, reporting
from tests.support.kafka import TestKafka
from tests.support.loops import Supervisor, run_sink, run_source, strings, until
from tests.support.plugins import MoodyConverter
from tests.support.sinks import RecordingSink
from tests.support.sources import PARTITION, NumberSource
from tests.support.worker_process import CONNECTD

REPLAYED = "__connect.errors.replayed"


class Queue:
    """A dead letter queue of connector `c`, and the command on it."""

    def __init__(self, kafka: TestKafka, topic: str, folder: Path) -> None:
        self.kafka = kafka
        self.topic = topic
        self.name = f"{topic}-dlq"
        self.folder = folder

    def fill(self, *poison: str) -> None:
        """Run a sink over the numbers to 9, of which some cannot be converted."""
        supervisor, task = Supervisor(), RecordingSink()
        errors = reporting(supervisor, self.kafka.client, dead_letters=dead_letters(self.name), **TOLERANT)
        pipeline = _poisoned(errors, *poison)
        group = f"g-{self.topic}"
        with run_sink(
            task,
            self.kafka.client,
            [self.topic],
            group,
            pipeline=pipeline,
            supervisor=supervisor,
            context=WorkerSinkTaskContext({}),
        ) as running:
            end = self.kafka.end_offsets(self.topic)[0]
            until(lambda: self.kafka.committed(group, self.topic).get(0) == end, "all is committed")
            running.stop()

    def look(self, command: str, *arguments: str, topic: bool = True) -> tuple[int, Any, str]:
        """A command that changes nothing: exit code, the JSON that was printed, and what was said."""
        done = CliRunner().invoke(cli, self._words(command, arguments, topic))
        return done.exit_code, json.loads(done.stdout) if done.stdout else None, done.stderr

    def replay(self, *arguments: str) -> tuple[int, Any, str]:
        """The same of the command that starts processes: in one of its own."""
        done = subprocess.run(
            [*CONNECTD, *self._words("replay", arguments)], cwd=self.folder, capture_output=True, text=True, timeout=150
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def _words(self, command: str, arguments: Sequence[str], topic: bool = True) -> list[str]:
        where = ["--bootstrap-server", self.kafka.bootstrap_servers, "--output", "json"]
        return ["dlq", command, *([self.name] if topic else []), *where, *arguments]


def _poisoned(errors: Any, *poison: str) -> Pipeline:
    class Poisoned(MoodyConverter):
        def _check(self, value: Any) -> None:
            if value is not None and value.decode() in poison:
                raise ValueError("this is poison")

    return strings(value_converter=Poisoned(), errors=errors)


def filled(kafka: TestKafka, topic: str, folder: Path) -> Queue:
    kafka.create_topic(topic)
    kafka.produce(topic, [str(number) for number in range(10)])
    made = Queue(kafka, topic, folder)
    made.fill("3", "7")
    return made


@pytest.fixture
def queue(kafka: TestKafka, topic: str, tmp_path: Path) -> Queue:
    return filled(kafka, topic, tmp_path)


@pytest.fixture(scope="module")
def shown(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Queue:
    """One that nobody changes."""
    return filled(kafka, f"shown-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("shown"))


def test_queues_and_their_records_are_shown(shown: Queue) -> None:
    code, found, err = shown.look("list", topic=False)
    assert code == 0, err
    (row,) = [each for each in found if each["queue"] == shown.name]
    assert (row["connectors"], row["reasons"]) == (["c"], {"VALUE_CONVERTER ValueError": 2})
    assert shown.topic not in [each["queue"] for each in found]
    code, letters, _ = shown.look("show")
    assert code == 0 and [each["value"] for each in letters] == ["3", "7"]
    assert letters[0]["context"]["offset"] == "3" and "Traceback" in letters[0]["context"]["exception.stacktrace"]


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["--offset", "7"], ["7"]),
        (["--at", "0"], ["3"]),
        (["--limit", "1"], ["3"]),
        (["--stage", "VALUE_CONVERTER", "--exception", "valueerror", "--of", "c", "--partition", "0"], ["3", "7"]),
        (["--stage", "TASK_PUT"], []),
        (["--from-topic", "elsewhere"], []),
        (["--since", "1h"], ["3", "7"]),
        (["--until", "2020-01-01"], []),
    ],
)
def test_records_are_chosen(shown: Queue, arguments: list[str], values: list[str]) -> None:
    assert [each["value"] for each in shown.look("show", *arguments)[1]] == values


def test_records_go_back_to_their_topic_but_not_for_ever(queue: Queue) -> None:
    code, found, _ = queue.replay("--dry-run")
    assert code == 0 and [each["outcome"] for each in found] == [f"would be written to {queue.topic}"] * 2
    assert queue.kafka.end_offsets(queue.topic) == {0: 10}
    code, found, err = queue.replay("--offset", "3")
    assert code == 0 and [each["outcome"] for each in found] == [f"written to {queue.topic}"], err
    back: Message = queue.kafka.consume(queue.topic, 11)[-1]
    original: Message = queue.kafka.consume(queue.topic, 4)[-1]
    assert (back.key(), back.value(), back.timestamp()) == (original.key(), original.value(), original.timestamp())
    assert headers_of(back) == {REPLAYED: "1"}
    queue.fill("3")
    code, found, _ = queue.replay("--offset", "10")
    assert code == 0 and found[0]["outcome"].startswith("skipped: replayed 1 times and failed again")
    code, found, _ = queue.replay("--offset", "10", "--max-replays", "2", "--target", f"{queue.topic}-other")
    assert code == 0 and found[0]["outcome"] == f"written to {queue.topic}-other"
    assert headers_of(queue.kafka.consume(f"{queue.topic}-other", 1)[0]) == {REPLAYED: "2"}


def test_records_go_through_the_pipeline_of_a_sink(queue: Queue) -> None:
    config = {
        "name": "c",
        "connector.class": "FileStreamSink",
        "topics": queue.topic,
        "file": str(queue.folder / "sink.txt"),
        "transforms": "drop",
        "transforms.drop.type": "Filter",
        "transforms.drop.predicate": "none",
        "predicates": "none",
        "predicates.none.type": "TopicNameMatches",
        "predicates.none.pattern": "nothing",
    }
    file = queue.folder / "connector.json"
    file.write_text(json.dumps(config))
    arguments = ["--to", "pipeline", "--connector", str(file)]
    assert queue.replay(*arguments, "--dry-run")[1][0]["outcome"] == "would be put through the pipeline"
    assert not (queue.folder / "sink.txt").exists()
    code, found, err = queue.replay(*arguments)
    assert code == 0 and [each["outcome"] for each in found] == ["written", "written"], err
    assert (queue.folder / "sink.txt").read_text() == "3\n7\n"
    file.write_text(json.dumps({**config, "value.converter": "IntegerConverter"}))
    code, found, _ = queue.replay(*arguments, "--offset", "3")
    assert code == 65 and found[0]["outcome"].startswith("failed: ConnectException: Tolerance exceeded")


def test_records_go_through_the_pipeline_of_a_source(kafka: TestKafka, topic: str, tmp_path: Path) -> None:
    kafka.create_topic(topic)
    supervisor, queue = Supervisor(), Queue(kafka, topic, tmp_path)
    errors = reporting(supervisor, kafka.client, source=True, dead_letters=dead_letters(queue.name), **TOLERANT)
    pipeline = strings(value_converter=MoodyConverter(poison="13"), errors=errors)
    with run_source(NumberSource(topic, 20), kafka.client, pipeline=pipeline, supervisor=supervisor) as running:
        until(lambda: supervisor.committed(PARTITION) == {"n": 19}, "all is committed")
        running.stop()
    assert "replay it with --to pipeline" in queue.replay()[1][0]["outcome"]
    file = tmp_path / "connector.json"
    file.write_text(
        json.dumps({"name": "c", "connector.class": "FileStreamSource", "topic": topic, "file": "none.txt"})
    )
    code, found, err = queue.replay("--to", "pipeline", "--connector", str(file))
    assert code == 0 and found[0]["outcome"] == "written", err
    assert kafka.lines(topic, 20)[-1] == "13"


def test_what_is_wrong_is_said(kafka: TestKafka, topic: str, tmp_path: Path) -> None:
    none = Queue(kafka, topic, tmp_path)
    code, _, err = none.look("show")
    assert code == 78 and f"There is no topic {none.name}" in err
    code, _, err = none.replay("--to", "pipeline")
    assert code == 2 and "--to pipeline and --connector belong together" in err
    code, _, err = none.look("show", "--since", "yesterday")
    assert code == 2 and "'yesterday' is no time" in err
    kafka.create_topic(none.name)
    kafka.produce(none.name, ["no context"])
    code, found, _ = none.replay()
    assert code == 0 and "name one with --target" in found[0]["outcome"]
    nowhere = ["--bootstrap-server", "127.0.0.1:1", "--timeout", "1"]
    code, _, err = none.look("show", *nowhere)
    assert code == 69 and "Kafka did not answer" in err
