"""A standalone worker as a process, with children that only pretend to be connectors and tasks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.processes import parent_of, wait_until

WORKER = """
bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename={folder}/offsets
listeners=http://127.0.0.1:0
"""


class Running:
    """A worker process, and what its log says so far."""

    def __init__(
        self, folder: Path, files: list[str], preexec: Callable[[], None] | None = None, **environment: str
    ) -> None:
        self.log = folder / "log"
        command = [sys.executable, "-m", "tests.support.standalone", f"{folder}/worker.properties", *files]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **environment},
                start_new_session=True,
                preexec_fn=preexec,
            )

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    @property
    def messages(self) -> list[str]:
        return [str(event["message"]).split("\n")[0] for event in self.events]

    def wait_for(self, *messages: str) -> None:
        wait_until(lambda: set(messages) <= set(self.messages), f"the log says {messages}")

    def pids(self) -> dict[str, int]:
        """Of everything that was said to run, by the last word about it."""
        found = {}
        for event in self.events:
            if "process" in event and str(event["message"]).endswith(" is RUNNING"):
                found[str(event["message"]).removesuffix(" is RUNNING")] = int(str(event["process"]))
        return found

    def everybody(self) -> list[int]:
        """All processes of the worker: it, the forkserver, and the forkserver's children."""
        family = [self.process.pid]
        for path in Path("/proc").iterdir():
            if path.name.isdecimal():
                with contextlib.suppress(OSError):
                    parents = {parent_of(int(path.name))}
                    parents |= {parent_of(parent) for parent in parents if parent}
                    if self.process.pid in parents:
                        family.append(int(path.name))
        return family

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def reloads(self) -> list[str]:
        """What was said at the end of each reload."""
        return [message for message in self.messages if message.startswith("reloaded:")]

    def reload(self) -> str:
        """SIGHUP, until a reload is over; what was said at its end."""
        before = len(self.reloads())
        self.signal(signal.SIGHUP)
        wait_until(lambda: len(self.reloads()) > before, "it is reloaded")
        return self.reloads()[-1]

    def ends_with(self, code: int) -> None:
        assert self.process.wait(30) == code, self.log.read_text()


def connector(folder: Path, name: str, **config: str) -> str:
    lines = [f"name={name}", *(f"{key.replace('_', '.')}={value}" for key, value in config.items())]
    path = folder / f"{name}.properties"
    path.write_text("\n".join(lines))
    return str(path)


@contextlib.contextmanager
def running(
    folder: Path, *files: str, preexec: Callable[[], None] | None = None, **environment: str
) -> Iterator[Running]:
    worker = Running(folder, list(files), preexec, **environment)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.process.wait()
