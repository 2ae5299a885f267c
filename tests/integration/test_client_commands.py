"""The client's commands against a running worker: each as a user types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from supervisor.cli import cli
from supervisor.embedded.ports import free_port
from supervisor.exit_codes import CommandExit
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.worker_process import worker_process

STRING = "org.apache.kafka.connect.storage.StringConverter"


class Client:
    """Runs commands against one worker."""

    def __init__(self, url: str, contexts: Path) -> None:
        self._environment = {"CONNECTD_URL": url, "CONNECTD_CONTEXTS": str(contexts)}

    def __call__(self, *arguments: str, input: str | None = None, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, arguments, input=input, env=self._environment)
        assert result.exit_code == code, (arguments, result.output, result.exception)
        return result

    def json(self, *arguments: str) -> Any:
        """The answer for programs."""
        return json.loads(self(*arguments, "--output", "json").stdout)


@pytest.fixture(scope="module")
def url(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the worker is."""
    folder = tmp_path_factory.mktemp("worker")
    url = f"http://127.0.0.1:{free_port()}"
    (folder / "worker.properties").write_text(
        f"bootstrap.servers={kafka.bootstrap_servers}\nkey.converter={STRING}\nvalue.converter={STRING}\n"
        f"offset.storage.file.filename={folder}/offsets\noffset.flush.interval.ms=200\n"
        f"listeners={url}\n"
    )
    with worker_process(folder, "worker.properties") as worker:
        client = Client(url, folder / "contexts.json")
        wait_until(lambda: _serves(client), f"the worker serves; see {worker.log}")
        yield url
        assert worker.stop() == 0


@pytest.fixture
def client(url: str, tmp_path: Path) -> Iterator[Client]:
    """Of a worker without connectors and their offsets."""
    client = Client(url, tmp_path / "contexts.json")
    yield client
    left = client.json("get", "connectors")
    for each in left:
        name, kind = each["name"], each["type"]
        client("stop", name)
        client("wait", name, "--for", "stopped")
        if kind == "source":
            client("offsets", "reset", name)
        client("delete", name)


def _serves(client: Client) -> bool:
    try:
        client("get", "connectors")
    except AssertionError:
        return False
    return True


@pytest.fixture
def source(tmp_path: Path, topic: str) -> Path:
    """A connector file."""
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    file = tmp_path / "lines.properties"
    file.write_text(f"name=lines\nconnector.class=FileStreamSource\nfile={tmp_path}/in.txt\ntopic={topic}\n")
    return file


def test_a_connectors_life(client: Client, source: Path, topic: str) -> None:
    """From a file to deleted, as the README tells it."""
    dry = client("apply", "-f", str(source), "--dry-run")
    assert dry.stdout.splitlines()[0] == "lines would be created"
    assert client.json("get", "connectors") == []

    created = client("apply", "-f", str(source)).stdout.splitlines()
    assert created[0] == "lines created" and f"  + topic: {topic}" in created
    assert client("wait", "lines").stdout == "lines running\n"
    assert client("apply", "-f", str(source)).stdout == "lines unchanged\n"

    table = client("get", "connectors").stdout.splitlines()
    assert table[0].split() == ["NAME", "TYPE", "STATE", "TASKS", "WORKER"]
    assert table[1].split()[:5] == ["lines", "source", "RUNNING", "1/1", "running"]
    assert [(task["connector"], task["id"], task["state"]) for task in client.json("get", "tasks")] == [
        ("lines", 0, "RUNNING")
    ]

    source.write_text(source.read_text() + "batch.size=10\n")
    assert client("apply", "-f", str(source)).stdout == "lines updated\n  + batch.size: 10\n"
    client("patch", "connector", "lines", "--set", "batch.size=20", "-r", "no.such.key")
    assert client.json("get", "config", "lines")["batch.size"] == "20"

    client("pause", "lin*")
    client("wait", "lines", "--for", "paused")
    client("resume", "lines")
    client("wait", "lines")
    client("restart", "lines", "--tasks")
    client("wait", "lines")
    client("restart", "lines", "--task", "0")
    client("wait", "lines")
    client("stop", "lines")
    client("wait", "lines", "--for", "stopped")
    client("delete", "lines")
    client("wait", "lines", "--for", "deleted")
    assert client.json("get", "connectors") == []


def test_describe(client: Client, source: Path, topic: str) -> None:
    client("apply", "-f", str(source))
    client("wait", "lines")
    wait_until(lambda: client.json("describe", "connector", "lines")["topics"] == [topic], "the topic is known")
    text = client("describe", "connector", "lines").stdout
    for expected in ("Name:       lines", "State:      RUNNING", f"  topic: {topic}", f"Topics:     {topic}"):
        assert expected in text.splitlines(), text
    assert yaml.safe_load(client("describe", "connector", "lines", "-o", "yaml").stdout)["info"]["type"] == "source"
    keys = client("describe", "plugin", "FileStreamSource").stdout
    assert "batch.size" in keys and "2000" in keys


def test_offsets_are_set_reset_and_carried_over(client: Client, source: Path, tmp_path: Path) -> None:
    client("apply", "-f", str(source))
    read = {"offsets": [{"partition": {"filename": f"{tmp_path}/in.txt"}, "offset": {"position": 8}}]}
    wait_until(lambda: client.json("offsets", "show", "lines") == read, "both lines were read and committed")

    partition = json.dumps(read["offsets"][0]["partition"])
    refused = client(
        "offsets", "set", "lines", "--partition", partition, "--offset", '{"position": 4}', code=CommandExit.REFUSED
    )
    assert "STOPPED" in refused.stderr

    exported = client("offsets", "export", "lines").stdout
    assert json.loads(exported) == [{"connector": "lines", **read}]
    client("stop", "lines")
    assert "reset" in client("offsets", "reset", "lines").stdout
    assert client.json("get", "offsets", "lines") == {"offsets": []}
    client("offsets", "import", "-", input=exported)
    assert client.json("get", "offsets", "lines") == read

    client("resume", "lines")
    client("wait", "lines")
    client("offsets", "set", "lines", "--partition", partition, "--offset", '{"position": 4}', "--stop")
    client("wait", "lines")
    wait_until(lambda: client.json("offsets", "show", "lines") == read, "the second line was read again")


def test_a_wrong_file_changes_nothing(client: Client, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.properties").write_text(source.read_text())
    (folder / "b.json").write_text(
        '{"name": "b", "config": {"connector.class": "FileStreamSource", "batch.size": "x"}}'
    )
    result = client("apply", "-f", str(folder), code=CommandExit.CONFIG)
    assert f"{folder}/b.json: " in result.stderr and "batch.size" in result.stderr
    assert client.json("get", "connectors") == []

    (folder / "b.json").write_text("{")
    assert "this is not JSON" in client("apply", "-f", str(folder), code=CommandExit.CONFIG).stderr
    assert client("apply", "-f", "-", input=source.read_text()).stdout.startswith("lines created")


def test_waiting_ends_when_something_fails_or_time_is_over(client: Client, source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text().replace(f"{tmp_path}/in.txt", f"{tmp_path}/missing/in.txt"))
    client("apply", "-f", str(source))
    late = client("wait", "lines", "--for", "paused", "--timeout", "0.5", code=CommandExit.NOT_YET)
    assert "not paused within 0.5 s" in late.stderr
    sink = '{"name": "bad", "connector.class": "FileStreamSink", "topics": "t", "file": "/nowhere/at/all", '
    client("apply", "-f", "-", input=sink + '"task.restart.policy": "never"}')
    failed = client("wait", "bad", code=CommandExit.NOT_YET)
    assert "task 0 of bad has failed" in failed.stderr


def test_loggers(client: Client) -> None:
    assert "root INFO" in [" ".join(line.split()) for line in client("get", "loggers").stdout.splitlines()]
    assert "some.logger DEBUG" in client("patch", "logger", "some.logger", "--level", "debug").stdout
    assert client.json("get", "loggers", "some.logger")["some.logger"]["level"] == "DEBUG"


def test_contexts(client: Client, tmp_path: Path) -> None:
    client(
        "config", "set-context", "test", "--cluster", "http://127.0.0.1:1", "--username", "me", "--password", "s3cret"
    )
    client("config", "set-context", "other", "--cluster", "http://127.0.0.1:2")
    client("config", "use-context", "test")
    assert client("config", "current-context").stdout == "test\n"
    assert (
        "s3cret" not in client("config", "get-contexts").stdout + client("config", "get-contexts", "-o", "json").stdout
    )
    assert (tmp_path / "contexts.json").stat().st_mode & 0o777 == 0o600
    unknown = client("config", "use-context", "no-such", code=CommandExit.CONFIG)
    assert "no-such" in unknown.stderr and "other" in unknown.stderr
    client("config", "remove-context", "other")
    assert [each["name"] for each in client.json("config", "get-contexts")] == ["test"]


def test_top(client: Client, source: Path) -> None:
    client("apply", "-f", str(source))
    wait_until(
        lambda: [each["records"] for each in client.json("top") if each["task"] == 0] == [2], "two records were moved"
    )
    text = client("top").stdout.splitlines()
    assert text[0].split()[:4] == ["CONNECTOR", "TASK", "STATE", "RECORDS/S"]
    assert text[2].split()[:3] == ["lines", "0", "RUNNING"] and "0 bytes" in text[2] and "MiB" in text[2]


def test_errors_are_one_line(client: Client) -> None:
    nobody = client("get", "connectors", "--url", f"http://127.0.0.1:{free_port()}", code=CommandExit.UNAVAILABLE)
    assert nobody.stderr.startswith("error: no worker answers at http://127.0.0.1:")
    missing = client("describe", "connector", "no-such", code=CommandExit.REFUSED)
    assert missing.stderr == "error: Connector no-such not found\n"
    assert "no connector is called x*" in client("pause", "x*", code=CommandExit.REFUSED).stderr


def test_completion(client: Client, source: Path) -> None:
    client("apply", "-f", str(source))
    completed = CliRunner().invoke(
        cli,
        [],
        prog_name="connectd",
        env={
            **client._environment,
            "_CONNECTD_COMPLETE": "bash_complete",
            "COMP_WORDS": "connectd pause li",
            "COMP_CWORD": "2",
        },
    )
    assert completed.stdout.split() == ["plain,lines"]
    assert "_CONNECTD_COMPLETE" in client("completion", "zsh").stdout
