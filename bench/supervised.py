"""A worker under the benchmarks of supervision: its files, what its tasks say, its REST API and its reloads."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import javaproperties
import psutil

from bench.processes import CONNECTD, Program, RunFailed, running

PLUGINS = Path(__file__).with_name("plugins")
TIMEOUT_S = 60.0
START_TIMEOUT_S = 900.0
_REST_READY = re.compile(r"REST API at http://([^:\s\"]+):(\d+)")


class Listener:
    """What a datagram socket hears, each with its time (`time.monotonic`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(str(path))

    def hear(self, program: Program, timeout_s: float = TIMEOUT_S) -> tuple[float, str]:
        """The next datagram. Raises RunFailed when none comes, or the program has ended."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(min(left, 1.0))
            try:
                text = self._socket.recv(4096)
            except TimeoutError:
                program.check()
                continue
            return time.monotonic(), text.decode()
        raise RunFailed(f"{program.name}: nothing was heard for {timeout_s:.0f} s:\n{program.log_tail()}")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Supervised:
    """A running worker. `pids` are those of the tasks that have said that they work, by name."""

    def __init__(self, folder: Path, program: Program, tasks: Listener, states: Listener) -> None:
        self.folder = folder
        self.program = program
        self.pids: dict[str, int] = {}
        self._tasks = tasks
        self._states = states

    @property
    def pid(self) -> int:
        """That of the supervisor."""
        return self.program.process.pid

    def wait_for_pulse(self, name: str, timeout_s: float = TIMEOUT_S) -> float:
        """Until another process works as this task; the time when it said so."""
        before = self.pids.get(name)
        while True:
            heard, text = self._tasks.hear(self.program, timeout_s)
            task, pid = text.split()
            self.pids[task] = int(pid)
            if task == name and self.pids[name] != before:
                return heard

    def wait_for_pulses(self, names: set[str]) -> None:
        """Until all of these tasks work."""
        while names - self.pids.keys():
            self.wait_for_pulse(next(iter(names - self.pids.keys())), START_TIMEOUT_S)

    def kill(self, name: str) -> float:
        """SIGKILL to a task; the time when that was done."""
        now = time.monotonic()
        os.kill(self.pids[name], signal.SIGKILL)
        return now

    def wait_for_spare(self) -> None:
        """Until a warm process waits for work again."""
        self.wait_until(lambda: any("spare" in _title(each) for each in self.children()), "a spare process")

    def children(self) -> list[psutil.Process]:
        """All processes below the supervisor."""
        return list(psutil.Process(self.pid).children(recursive=True))

    def tasks(self) -> list[int]:
        """The pids of all tasks."""
        return [each.pid for each in self.children() if _title(each).startswith("connectd: task ")]

    def forkserver(self) -> int:
        """Its pid."""
        return next(int(each.pid) for each in self.children() if "forkserver" in _title(each))

    def reload(self) -> float:
        """SIGHUP; the seconds until it is carried out."""
        began = time.monotonic()
        os.kill(self.pid, signal.SIGHUP)
        while not self._states.hear(self.program)[1].startswith("RELOADING=1"):
            pass
        while (heard := self._states.hear(self.program))[1] != "READY=1":
            pass
        return heard[0] - began

    def wait_until(self, condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Look every few milliseconds. Raises RunFailed after the timeout."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.program.check()
            if time.monotonic() > deadline:
                raise RunFailed(f"{self.program.name}: no {what} in {timeout_s:.0f} s:\n{self.program.log_tail()}")
            time.sleep(0.005)

    @property
    def address(self) -> str:
        """Host and port of its REST API."""
        found = _REST_READY.search(self.program.log.read_text(errors="replace"))
        if found is None:
            raise RunFailed(f"{self.program.name}: there is no REST API:\n{self.program.log_tail()}")
        return f"{found[1]}:{found[2]}"

    @contextmanager
    def fetching(self) -> Iterator[Callable[[str], bytes]]:
        """GET by paths, over one connection."""
        with closing(http.client.HTTPConnection(self.address, timeout=TIMEOUT_S)) as connection:

            def get(path: str) -> bytes:
                connection.request("GET", path)
                return connection.getresponse().read()

            yield get

    @contextmanager
    def rest(self) -> Iterator[Callable[[str], Any]]:
        """GET of JSON by paths, over one connection."""
        with self.fetching() as fetch:
            yield lambda path: json.loads(fetch(path))


@contextmanager
def supervised(
    folder: Path, bootstrap_servers: str, connectors: Mapping[str, Mapping[str, str]]
) -> Iterator[Supervised]:
    """A worker in a folder with these connectors, from when it is ready until it has stopped."""
    (folder / "connectors.d").mkdir(parents=True, exist_ok=True)
    for name, config in connectors.items():
        write_connector(folder, name, config)
    settings = {
        "bootstrap.servers": bootstrap_servers,
        "key.converter": "StringConverter",
        "value.converter": "StringConverter",
        "offset.storage.file.filename": str(folder / "offsets"),
        "connectors.directory": str(folder / "connectors.d"),
        "plugin.path": str(PLUGINS),
        "listeners": "http://127.0.0.1:0",
        "task.shutdown.graceful.timeout.ms": "20000",
    }
    worker = folder / "worker.properties"
    worker.write_text(javaproperties.dumps(settings, timestamp=False), encoding="utf-8")
    with closing(Listener(folder / "tasks")) as tasks, closing(Listener(folder / "notify")) as states:
        command = ["env", f"NOTIFY_SOCKET={states.path}", CONNECTD, "standalone", str(worker)]
        with running(folder.name, command, folder, folder / "log.txt") as program:
            while states.hear(program, START_TIMEOUT_S)[1] != "READY=1":
                pass
            yield Supervised(folder, program, tasks, states)


def write_connector(folder: Path, name: str, config: Mapping[str, str]) -> None:
    """The file of a connector, in one step as an editor does it."""
    settings = {"name": name, "pulse.socket": str(folder / "tasks"), **config}
    new = folder / "connectors.d" / f".{name}"
    new.write_text(javaproperties.dumps(settings, timestamp=False), encoding="utf-8")
    new.rename(new.with_name(f"{name}.properties"))


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
