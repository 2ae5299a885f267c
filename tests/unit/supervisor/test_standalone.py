"""The standalone worker as a process: signals, exit codes, reload, and that nothing of it is ever left behind."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from supervisor.storage.offset_file import OffsetFile
from tests.support.processes import alive, wait_until
from tests.support.standin_worker import WORKER, Running, connector, running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "worker.properties").write_text(WORKER.format(folder=tmp_path))
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_good_order(folder: Path, number: signal.Signals) -> None:
    with running(folder, connector(folder, "c", tasks="2", each_commit="7")) as worker:
        worker.wait_for("task c-0 is RUNNING", "task c-1 is RUNNING")
        everybody = worker.everybody()
        assert len(everybody) >= 4
        worker.signal(number)
        worker.ends_with(0)
        wait_until(lambda: not any(map(alive, everybody)), "all processes are gone")
        assert worker.messages[-1] == "stopped"
    assert OffsetFile(folder / "offsets").read() == {b'["standin",{"a":1}]': b"7"}


def test_a_signal_to_the_whole_group_is_obeyed_by_the_supervisor_alone(folder: Path) -> None:
    with running(folder, connector(folder, "c", tasks="2")) as worker:
        worker.wait_for("task c-0 is RUNNING", "task c-1 is RUNNING")
        os.killpg(worker.process.pid, signal.SIGINT)  # as a terminal does for Ctrl+C
        worker.ends_with(0)
        assert not [message for message in worker.messages if "killed" in message or "RESTARTING" in message]


def test_kill_9_leaves_no_orphan(folder: Path) -> None:
    with running(folder, connector(folder, "c", tasks="2", watching="true", task_1_stop="hang")) as worker:
        worker.wait_for("task c-0 is RUNNING", "task c-1 is RUNNING", "connector c is RUNNING")
        everybody = worker.everybody()
        assert len(everybody) >= 5
        worker.signal(signal.SIGKILL)
        worker.ends_with(-signal.SIGKILL)
        wait_until(lambda: not any(map(alive, everybody)), "all processes are gone")


def test_kill_9_takes_what_plugins_have_started(folder: Path) -> None:
    with running(folder, connector(folder, "c", each_start=f"family {folder}/pid")) as worker:
        worker.wait_for("task c-0 is RUNNING")
        relative = int((folder / "pid").read_text())
        assert alive(relative)
        worker.signal(signal.SIGKILL)
        wait_until(lambda: not alive(relative), "the task's own process is gone")


def test_without_processes_nothing_starts_and_no_file_is_blamed(folder: Path) -> None:
    with running(folder, connector(folder, "c"), STANDIN_ENTRY="tests.support.no_such_module:main") as worker:
        worker.ends_with(69)
        assert "No module named 'tests.support.no_such_module'" in worker.log.read_text()
        assert not [message for message in worker.messages if "c.properties" in message]


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.15, 0.3, 0.6])
def test_a_signal_in_the_middle_of_the_start_stops_it_too(folder: Path, seconds: float) -> None:
    files = [connector(folder, f"c{number}", tasks="3") for number in range(3)]
    with running(folder, *files) as worker:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.process.wait(seconds)
        everybody = worker.everybody()
        worker.signal(signal.SIGTERM)
        # Before the event loop runs there is nothing to stop in order: then the signal itself ends the process.
        assert worker.process.wait(30) in (0, -signal.SIGTERM)
        wait_until(lambda: not any(map(alive, everybody)), "all processes are gone")
        assert not [event for event in worker.events if event["level"] in ("error", "critical")]


def test_a_second_signal_ends_the_patience(folder: Path) -> None:
    with running(folder, connector(folder, "c", each_stop="hang")) as worker:
        worker.wait_for("task c-0 is RUNNING")
        everybody = worker.everybody()
        worker.signal(signal.SIGTERM)
        worker.wait_for("SIGTERM: stopping")
        worker.signal(signal.SIGTERM)
        worker.ends_with(137)
        assert "SIGTERM again: killing what has not stopped yet" in worker.messages
        wait_until(lambda: not any(map(alive, everybody)), "all processes are gone")


def test_wrong_files_are_all_named_and_nothing_starts(folder: Path) -> None:
    with (folder / "worker.properties").open("a") as file:
        file.write("offset.flush.interval.ms=soon\n")
    files = [connector(folder, "c"), str(folder / "missing.json")]
    with running(folder, *files) as worker:
        worker.ends_with(78)
        assert worker.messages == [
            f"{folder}/worker.properties: Invalid value soon for configuration offset.flush.interval.ms: "
            "Not a number of type LONG",
            f"{folder}/missing.json: cannot be read: No such file or directory",
        ]


def test_wrong_connectors_are_all_named_and_nothing_starts(folder: Path) -> None:
    files = [
        connector(folder, "c"),
        connector(folder, "d", wrong_key="x", unknwon="1"),
        connector(folder, "e", validate="exit 9"),
    ]
    with running(folder, *files) as worker:
        worker.ends_with(78)
        assert [each for each in worker.messages if not each.startswith("REST API")] == [
            f"{folder}/d.properties: unknown key unknwon",
            f"{folder}/d.properties: it is wrong",
            f"{folder}/e.properties: validation ended its process: exit code 9",
        ]


def test_an_offset_file_in_use_is_named(folder: Path) -> None:
    file = connector(folder, "c")
    with running(folder, file) as first:
        first.wait_for("task c-0 is RUNNING")
        second = Running(folder, [file])
        second.ends_with(69)
        assert any("another worker uses the offset file" in message for message in second.messages)
        assert first.process.poll() is None


def test_a_reload_applies_exactly_what_changed(folder: Path) -> None:
    files = [connector(folder, name) for name in ("same", "changed", "vanished", "broken")]
    (folder / "connectors.d").mkdir()
    with (folder / "worker.properties").open("a") as worker_file:
        worker_file.write(f"connectors.directory={folder}/connectors.d\n")
    with running(folder, *files) as worker:
        worker.wait_for(*(f"task {name}-0 is RUNNING" for name in ("same", "changed", "vanished", "broken")))
        before = worker.pids()
        connector(folder, "changed", tasks="2")
        Path(files[2]).unlink()
        connector(folder, "broken", wrong_key="x")
        connector(folder / "connectors.d", "new")
        (folder / "connectors.d" / ".new.properties.swp.properties").write_text("half")
        worker.signal(signal.SIGHUP)
        worker.wait_for("task changed-1 is RUNNING", "task new-0 is RUNNING", "task vanished-0 is DESTROYED")
        worker.wait_for(f"not reloaded: {folder}/broken.properties: it is wrong")
        wait_until(lambda: worker.pids()["task changed-0"] != before["task changed-0"], "changed-0 has a new process")
        after = worker.pids()
        assert {name: after[f"task {name}-0"] for name in ("same", "broken")} == {
            name: before[f"task {name}-0"] for name in ("same", "broken")
        }
        assert alive(after["task broken-0"])
        worker.signal(signal.SIGTERM)
        worker.ends_with(0)


def test_the_state_of_everything_on_request(folder: Path) -> None:
    with running(folder, connector(folder, "c", tasks="2")) as worker:
        worker.wait_for("task c-0 is RUNNING", "task c-1 is RUNNING")
        worker.signal(signal.SIGUSR1)
        worker.wait_for("state of c: RUNNING", "state of c-0: RUNNING", "state of c-1: RUNNING")
        assert worker.process.poll() is None


def test_systemd_is_told_what_goes_on(folder: Path) -> None:
    address = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(30)
        with running(folder, connector(folder, "c"), NOTIFY_SOCKET=address, WATCHDOG_USEC="200000") as worker:
            assert sorted(listener.recv(100) for _ in range(2)) == [b"READY=1", b"WATCHDOG=1"]
            assert listener.recv(100) == b"WATCHDOG=1"
            worker.wait_for("task c-0 is RUNNING")
            worker.signal(signal.SIGHUP)
            heard = [listener.recv(100)]
            while heard[-1] == b"WATCHDOG=1" or heard[-1].startswith(b"RELOADING=1"):
                heard.append(listener.recv(100))
            assert any(each.startswith(b"RELOADING=1") for each in heard)
            assert heard[-1] == b"READY=1"
            worker.signal(signal.SIGTERM)
            worker.ends_with(0)
            while heard[-1] != b"STOPPING=1":
                heard.append(listener.recv(100))


def test_a_task_killed_in_a_running_worker_comes_back(folder: Path) -> None:
    with running(folder, connector(folder, "c", tasks="2")) as worker:
        worker.wait_for("task c-0 is RUNNING", "task c-1 is RUNNING")
        before = worker.pids()
        os.kill(before["task c-0"], signal.SIGKILL)
        wait_until(lambda: worker.pids()["task c-0"] != before["task c-0"], "c-0 is back")
        assert worker.pids()["task c-1"] == before["task c-1"]


def test_tasks_keep_the_limit_of_open_files_that_the_operator_set(folder: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    file = connector(folder, "c", each_start="limits")
    # Few enough that without raising it for itself the worker could not even start its tasks.
    with running(folder, file, preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (30, hard))) as worker:
        worker.wait_for("task c-0 is RUNNING")
        assert f"open files: 30 {hard}" in worker.log.read_text()
        limits = Path(f"/proc/{worker.process.pid}/limits").read_text()
        assert f"Max open files            {hard} " in limits


def test_a_hung_task_writes_its_stack_before_it_is_killed(folder: Path) -> None:
    file = connector(folder, "c", each_start="hang", task_hang_timeout_ms="300", task_restart_max="0")
    with running(folder, file) as worker:
        wait_until(lambda: any("task c-0 is FAILED" in message for message in worker.messages), "the task has failed")
        said = worker.log.read_text()
        assert "_misbehave" in said
        assert "killed by the supervisor: hung in import for" in said
