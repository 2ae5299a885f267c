"""Connectors that run under a Python interpreter of their own: the same supervision as for all others holds for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.kafka import TestKafka
from tests.support.processes import alive, wait_until
from tests.support.pythons import python_with
from tests.support.witness import (
    install,
    install_lib,
    make_environment,
    witness_source,
    witnessed,
    write_connector,
    write_witness,
    write_worker,
)
from tests.support.worker_process import CONNECTD, WorkerProcess, worker_process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a plugin folder `c`, whose dependencies are in an environment somewhere else, and a worker file."""
    install_lib(make_environment(tmp_path / "environment"), "3.0")
    write_witness(tmp_path / "plugins" / "c")
    write_worker(tmp_path)
    return tmp_path


def python(folder: Path) -> str:
    return f"{folder}/environment/bin/python"


def started(folder: Path, what: str = "task", name: str = "c", count: int = 1) -> dict[str, Any]:
    """What the last of so many starts wrote down."""
    wait_until(lambda: len(witnessed(folder, name, what)) >= count, f"{what} was started {count} times")
    return witnessed(folder, name, what)[count - 1]


def spares(worker: WorkerProcess, folder: Path) -> set[int]:
    """The processes that wait for work under the environment's interpreter."""
    children = psutil.Process(worker.process.pid).children(recursive=True)
    return {each.pid for each in children if cmdline(each).startswith(f"connectd: spare on {python(folder)}")}


def cmdline(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def said(worker: WorkerProcess, text: str) -> bool:
    return any(text in str(event["message"]) for event in worker.events)


def test_all_processes_of_the_connector_run_under_its_interpreter(kafka: TestKafka, topic: str, folder: Path) -> None:
    write_worker(folder, kafka.bootstrap_servers)
    kafka.create_topic(topic)
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder), topic=topic)
    with worker_process(folder, "worker.properties", file) as worker:
        assert [each.value() for each in kafka.consume(topic, 1)] == [b"3.0"]
        assert worker.stop() == 0
    for what in ("validate", "connector", "task"):
        (found,) = witnessed(folder, "c", what)
        assert (found["prefix"], found["lib"], found["installed"]) == (f"{folder}/environment", "3.0", "3.0")


def test_it_may_be_another_version_of_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = (sys.version_info.major, sys.version_info.minor)
    other = python_with("confluent_kafka", "msgspec", "orjson", "setproctitle", "structlog", but=here)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # so connectd is installed there
    install_lib(folder / "plugins" / "c", "8.0")
    file = write_connector(folder, "c", "Witness", plugin_python=other)
    with worker_process(folder, "worker.properties", file) as worker:
        found = started(folder)
        assert tuple(found["python"]) != here
        assert found["lib"] == "8.0"
        os.kill(found["pid"], signal.SIGKILL)
        assert started(folder, count=2)["python"] == found["python"]
        assert worker.stop() == 0


def test_a_killed_task_is_replaced_by_a_process_that_was_warm(folder: Path) -> None:
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder))
    with worker_process(folder, "worker.properties", file) as worker:
        first = started(folder)["pid"]
        wait_until(lambda: spares(worker, folder), "a spare process waits under the interpreter")
        for count in (2, 3):
            ready = spares(worker, folder)
            os.kill(started(folder, count=count - 1)["pid"], signal.SIGKILL)
            again = started(folder, count=count)
            assert again["prefix"] == f"{folder}/environment"
            assert again["pid"] in ready
            wait_until(lambda ready=ready: spares(worker, folder) - ready, "there is another spare")
        assert worker.stop() == 0
        assert not alive(first)


def test_its_processes_end_with_the_worker_whatever_ends_that(folder: Path) -> None:
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder))
    with worker_process(folder, "worker.properties", file) as worker:
        pid = started(folder)["pid"]
        wait_until(lambda: spares(worker, folder), "a spare process waits under the interpreter")
        family = [pid, *spares(worker, folder)]
        os.kill(pid, signal.SIGSTOP)  # so that it cannot see that its channel is closed
        worker.process.kill()
        for each in family:
            wait_until(lambda each=each: not alive(each), "it is gone")


def test_one_that_hangs_says_where_and_is_replaced(folder: Path) -> None:
    settings = {"task_poll_hang_timeout_ms": "1500", "task_restart_max": "1"}
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder), do="hang", **settings)
    with worker_process(folder, "worker.properties", file) as worker:
        started(folder, count=2)
        wait_until(lambda: said(worker, "hung in poll"), "it is killed")
        assert said(worker, 'witness.py", line'), "the stacks are in the log"


def test_its_limits_hold(folder: Path) -> None:
    settings = {"task_cpu_nice": "7", "task_open_files_max": "123", "task_memory_max": str(200 << 20)}
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder), do="leak", **settings)
    with worker_process(folder, "worker.properties", file) as worker:
        found = started(folder)
        assert (found["nice"], found["files"]) == (os.nice(0) + 7, 123)
        wait_until(lambda: said(worker, "task.memory.max allows 200 MiB"), "it is killed for its memory")
        # Now a spare process that was there already becomes the task.
        assert started(folder, count=2)["nice"] == os.nice(0) + 7


def test_orders_that_come_while_it_changes_over_are_not_lost(folder: Path) -> None:
    write_worker(
        folder, task_shutdown_graceful_timeout_ms="60000"
    )  # a busy machine takes seconds to start an interpreter
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder))
    with worker_process(folder, "worker.properties", file) as worker:
        wait_until(lambda: witnessed(folder, "c", "connector"), "the connector runs, its task is about to")
        assert worker.stop() == 0
        assert not said(worker, "was killed")


def test_a_change_of_interpreter_restarts_the_connector_under_the_other_one(folder: Path) -> None:
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder))
    install_lib(make_environment(folder / "other"), "4.0")
    with worker_process(folder, "worker.properties", file) as worker:
        started(folder)
        for count, (environment, lib) in enumerate((("other", "4.0"), ("environment", "3.0")), 2):
            write_connector(folder, "c", "Witness", plugin_python=f"{folder}/{environment}/bin/python")
            worker.process.send_signal(signal.SIGHUP)
            found = started(folder, count=count)
            assert (found["prefix"], found["lib"]) == (f"{folder}/{environment}", lib)
        # The library of no environment is the plugin folder's own.
        install_lib(folder / "plugins" / "c", "5.0")
        write_connector(folder, "c", "Witness")
        worker.process.send_signal(signal.SIGHUP)
        assert started(folder, count=4)["lib"] == "5.0"
        assert worker.stop() == 0


def test_the_interpreter_of_the_worker_is_for_all_that_name_none(folder: Path) -> None:
    write_worker(folder, plugin_python=python(folder))
    install_lib(make_environment(folder / "other"), "4.0")
    files = [
        write_connector(folder, "c", "Witness"),
        write_connector(folder, "d", "Witness", plugin_python=f"{folder}/other/bin/python"),
    ]
    with worker_process(folder, "worker.properties", *files) as worker:
        assert started(folder)["lib"] == "3.0"
        assert started(folder, name="d")["lib"] == "4.0"
        assert worker.stop() == 0
    assert listed(folder)["witness.WitnessConnector"]["version"] == "3.0"


def test_a_plugin_folder_may_have_an_environment_of_its_own(folder: Path) -> None:
    """What is installed in it, and what lies beside it."""
    for name, version in (("c", "6.0"), ("installed", "7.0")):
        install_lib(make_environment(folder / "plugins" / name / ".venv"), version)
    (packages,) = (folder / "plugins" / "installed" / ".venv").glob("lib/python*/site-packages")
    install(
        packages,
        "installedwitness",
        "1.0",
        witness_source("Installed"),
        {"W": "installedwitness:InstalledWitnessConnector"},
    )
    files = [write_connector(folder, "c", "Witness"), write_connector(folder, "d", "W")]
    with worker_process(folder, "worker.properties", *files) as worker:
        assert started(folder)["lib"] == "6.0"
        assert started(folder, name="d")["lib"] == "7.0"
        assert started(folder, name="d")["prefix"] == f"{folder}/plugins/installed/.venv"
        assert worker.stop() == 0
    found = listed(folder)
    assert found["witness.WitnessConnector"]["version"] == "6.0"
    assert found["installedwitness.InstalledWitnessConnector"]["location"] == f"{folder}/plugins/installed"
    assert not [each for each in found.values() if each["error"]]


def listed(folder: Path) -> dict[str, dict[str, Any]]:
    command = [*CONNECTD, "plugins", "worker.properties", "--output", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return {each["name"]: each for each in json.loads(done.stdout)}


def test_an_interpreter_that_cannot_be_used_is_an_error_of_its_key(folder: Path) -> None:
    make_environment(folder / "broken")
    (folder / "broken" / "bin" / "python").unlink()
    (folder / "broken" / "bin" / "python").write_text("#!/bin/sh\necho hello\n")
    (folder / "broken" / "bin" / "python").chmod(0o755)
    expected = {
        f"{folder}/nowhere/python": "Expected the path of a Python interpreter; there is no such program",
        f"{folder}/broken/bin/python": "Expected the path of a Python interpreter; it does not answer as Python does",
        "${env:PYTHON}": "Expected the path of a Python interpreter; references to config providers are not resolved here",
    }
    files = [
        write_connector(folder, f"c{number}", "Witness", plugin_python=each) for number, each in enumerate(expected)
    ]
    done = subprocess.run(
        [*CONNECTD, "check", "worker.properties", *files], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    for path, message in expected.items():
        assert f"Invalid value {path} for configuration plugin.python: {message}" in done.stdout


def test_an_environment_that_is_broken_later_fails_its_connector_alone(folder: Path) -> None:
    file = write_connector(folder, "c", "Witness", plugin_python=python(folder))
    with worker_process(folder, "worker.properties", file) as worker:
        pid = started(folder)["pid"]
        wait_until(lambda: spares(worker, folder), "a spare process waits under the interpreter")
        (folder / "environment" / "bin" / "python").unlink()
        for spare in spares(worker, folder):
            os.kill(spare, signal.SIGKILL)
        wait_until(lambda: said(worker, "no spare process"), "it is known")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: said(worker, "task c-0 is FAILED"), "the task has failed")
        assert any("Expected the path of a Python interpreter" in str(event) for event in worker.events)
        assert worker.stop() == 0
