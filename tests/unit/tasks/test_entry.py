"""The life of a child process: warm, one order, and an exit that says why."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.channel import LENGTH, decode_report, encode
from tasks.messages import LogSettings, Message, Report, RunTask, StateChanged, Warm
from tasks.states import ExitCode, State, TargetState

ROOT = Path(__file__).parents[3]
PROGRAM = "import socket, sys; from tasks.entry import main; main(socket.socket(fileno=int(sys.argv[1])), 1)"
LOG = LogSettings(levels={})


class Child:
    """A child process, with the test as its supervisor."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.socket, theirs = socket.socketpair()
        with log.open("w") as stderr:
            command = [sys.executable, "-c", PROGRAM, str(theirs.fileno())]
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, stderr=stderr)
        theirs.close()
        self._stream = self.socket.makefile("rb")
        assert self.receive() == Warm()

    def order(self, order: Message) -> None:
        self.socket.sendall(encode(order))

    def receive(self) -> Report:
        return decode_report(self._stream.read(*LENGTH.unpack(self._stream.read(LENGTH.size))))

    def close(self) -> None:
        self._stream.close()
        self.socket.close()

    def exit_code(self) -> int:
        return self.process.wait(30)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path / "log")
    yield child
    child.close()
    child.process.kill()
    child.process.wait(30)


def run(task_class: str) -> RunTask:
    worker = {"bootstrap.servers": "127.0.0.1:1", "key.converter": "StringConverter"}
    return RunTask(
        connector="c",
        task=0,
        generation=3,
        task_class=task_class,
        task_config={},
        connector_config={"name": "c", "connector.class": "tests.support.connectors:PlanningConnector"},
        worker_config={**worker, "value.converter": "StringConverter", "offset.storage.file.filename": "offsets"},
        target_state=TargetState.STARTED,
        log=LOG,
    )


def failure(child: Child) -> StateChanged:
    while not isinstance(report := child.receive(), StateChanged) or report.state is not State.FAILED:
        pass
    return report


def test_a_plugin_that_exits_is_a_failure_and_its_threads_do_not_matter(child: Child) -> None:
    child.order(run("tests.support.raising:ExitingTask"))
    failed = failure(child)
    assert failed.generation == 3 and failed.trace is not None and "SystemExit: 0" in failed.trace
    assert not failed.config_error
    assert child.exit_code() == ExitCode.FAILED


def test_a_class_that_does_not_exist_is_an_error_of_the_configuration(child: Child) -> None:
    child.order(run("tests.support.raising:NoSuchTask"))
    failed = failure(child)
    assert failed.config_error and failed.trace is not None and "NoSuchTask" in failed.trace
    assert child.exit_code() == ExitCode.CONFIG


def test_a_child_without_a_supervisor_ends(child: Child) -> None:
    child.close()
    assert child.exit_code() == ExitCode.ORPHANED


def test_an_order_that_nobody_understands_ends_the_child_and_says_why(child: Child) -> None:
    child.socket.sendall(LENGTH.pack(1) + b"\xc1")
    assert child.exit_code() == ExitCode.FAILED
    assert "DecodeError" in child.log.read_text()
