"""The client's commands against Java's worker: what is Kafka Connect's works there as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from supervisor.cli import cli
from tests.peer.rest_workers import HOST, java_worker
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until

FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"


@pytest.fixture
def url(kafka: TestKafka, tmp_path: Path) -> Iterator[str]:
    """Of a Java worker."""
    with java_worker(tmp_path, kafka.bootstrap_servers) as worker:
        yield f"http://{HOST}:{worker.port}"


def test_a_connectors_life_on_java(url: str, topic: str, tmp_path: Path) -> None:
    def run(*arguments: str, input: str | None = None) -> Result:
        result = CliRunner().invoke(cli, arguments, input=input, env={"CONNECTD_URL": url})
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return result

    def shown(*arguments: str) -> Any:
        return json.loads(run(*arguments, "--output", "json").stdout)

    (tmp_path / "in.txt").write_text("one\ntwo\n")
    config = {"name": "lines", "connector.class": FILE_SOURCE, "file": str(tmp_path / "in.txt"), "topic": topic}
    assert run("apply", "-f", "-", input=json.dumps(config)).stdout.startswith("lines created")
    assert run("apply", "-f", "-", input=json.dumps(config)).stdout == "lines unchanged\n"
    run("wait", "lines")
    assert shown("get", "connectors")[0]["type"] == "source"
    run("patch", "connector", "lines", "--set", "batch.size=10")
    assert shown("get", "config", "lines")["batch.size"] == "10"
    wait_until(lambda: shown("offsets", "show", "lines")["offsets"] != [], "both lines were read and committed")
    run("offsets", "reset", "lines", "--stop")
    run("wait", "lines")
    run("pause", "*")
    run("wait", "lines", "--for", "paused")
    run("restart", "lines", "--tasks")
    assert shown("describe", "connector", "lines")["topics"] == [topic]
    assert any(key["name"] == "batch.size" for key in shown("describe", "plugin", FILE_SOURCE))
    assert all(each["level"] for each in shown("get", "loggers").values())
    assert [(each["task"], each["state"], each["records"]) for each in shown("top")][1] == (0, "PAUSED", None)
    # What is connectd's own is refused politely, and nothing is changed.
    for arguments in (
        ("logs", "lines"),
        ("logs", "lines", "--follow", "--task", "0"),
        ("patch", "logger", "root", "--level", "DEBUG", "--connector", "lines"),
        ("get", "loggers", "--connector", "lines"),
    ):
        refused = CliRunner().invoke(cli, arguments, env={"CONNECTD_URL": url})
        assert (refused.exit_code, refused.stdout) == (65, "")
        assert "it is Kafka's own" in refused.stderr
    assert shown("get", "loggers", "root")["root"]["level"] != "DEBUG"
    run("delete", "lines")
    run("wait", "lines", "--for", "deleted")
