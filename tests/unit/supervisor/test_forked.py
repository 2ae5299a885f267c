"""The first forkserver, forked off the supervisor: its children have what those of one that is started later have."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.processes import alive, wait_until

# A supervisor that has not begun yet, with an open file and what it has not written yet.
_SUPERVISOR = """
import os, socket, sys
from multiprocess import forkserver
from supervisor.processes.forked import fork
from supervisor.processes.forkserver import ChildRequest

marked = True
file = open(sys.argv[1])
os.set_inheritable(file.fileno(), True)
sys.stdout.write("once;")
fork("tests.support.inheritance:main")
for line in sys.stdin:
    ours, theirs = socket.socketpair()
    output, writing = os.pipe()
    with theirs:
        request = ChildRequest("tests.support.inheritance:main", theirs, writing)
    os.close(writing)
    told = open(output).read()
    request.close()
    print(told, flush=True)
"""


@contextlib.contextmanager
def supervisor(marker: Path) -> Iterator[subprocess.Popen[str]]:
    marker.touch()
    command = [sys.executable, "-c", _SUPERVISOR, str(marker)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def child_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a new child tells."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    told: dict[str, Any] = json.loads(process.stdout.readline().removeprefix("once;"))
    return told


def test_children_of_both_kinds_of_forkservers_have_the_same(tmp_path: Path) -> None:
    with supervisor(tmp_path / "marker") as process:
        forked, again = child_of(process), child_of(process)
        first = psutil.Process(forked["own"][0])
        assert first.ppid() == process.pid
        assert first.cmdline()[0] == "connectd: forkserver"
        first.kill()
        wait_until(lambda: not alive(first.pid), "the forkserver is dead")
        later = child_of(process)

    assert forked["facts"] == later["facts"]
    assert forked["facts"]["third-party"] == []
    assert forked["facts"]["multiprocess pickles with"] == "dill"
    assert str(tmp_path / "marker") not in forked["facts"]["descriptors"]
    assert len({each["own"][1] for each in (forked, again, later)}) == 3, "the same random numbers"
    assert later["own"][0] != first.pid


def test_a_forked_forkserver_shares_memory_and_holds_nothing_of_the_supervisor(tmp_path: Path) -> None:
    with supervisor(tmp_path / "marker") as process:
        pid = child_of(process)["own"][0]
        forkserver = psutil.Process(pid)
        assert str(tmp_path / "marker") not in [each.path for each in forkserver.open_files()]
        assert os.getsid(pid) == pid
        shared = sum(each.shared_dirty for each in forkserver.memory_maps())
        private = sum(each.private_dirty for each in forkserver.memory_maps())
        assert shared > private


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_forked_forkserver_ends_with_the_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    with supervisor(tmp_path / "marker") as process:
        forkserver = child_of(process)["own"][0]
        process.send_signal(number)
        wait_until(lambda: not alive(forkserver), "the forkserver is gone")


def test_what_is_not_written_yet_is_written_once(tmp_path: Path) -> None:
    with supervisor(tmp_path / "marker") as process:
        child_of(process)
        written, _ = process.communicate(timeout=60)
    assert "once;" not in written
