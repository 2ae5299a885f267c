"""A connectd process under test, and what its log says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import wait_until

CONNECTD = (sys.executable, "-c", "from supervisor.cli import main; main()")


class WorkerProcess:
    """`connectd standalone`, or another `command`, with these files; its log, JSON lines, and its output begin anew."""

    def __init__(
        self, folder: Path, files: Sequence[str], stdin: int = subprocess.DEVNULL, command: str = "standalone"
    ) -> None:
        self.log = folder / "connectd.log"
        self.output = folder / "connectd.out"
        with self.log.open("wb") as log, self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*CONNECTD, command, *files],
                cwd=folder,
                stdin=stdin,
                stdout=output,
                stderr=log,
                env={**os.environ, "CONNECTD_LOG_FORMAT": "json"},
            )

    @property
    def events(self) -> list[dict[str, object]]:
        """What was logged so far."""
        # What comes behind the last end of a line is just being written.
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def wait_until_runs(self, *units: str) -> dict[str, int]:
        """The pids of these connectors and tasks, once all of them run."""
        wait_until(lambda: set(units) <= set(self.pids()), f"{units} run; see {self.log}")
        return self.pids()

    def pids(self) -> dict[str, int]:
        """The processes of everything that was said to run, by the last word about it."""
        found = {}
        for event in self.events:
            words = str(event["message"]).split()
            if words[0] in ("task", "connector") and words[2:] == ["is", "RUNNING"] and "process" in event:
                found[words[1]] = int(str(event["process"]))
        return found

    def stop(self) -> int:
        """Stop it as systemd does; its exit code."""
        self.process.terminate()
        return self.process.wait(30)


@contextmanager
def worker_process(
    folder: Path, *files: str, stdin: int = subprocess.DEVNULL, command: str = "standalone"
) -> Iterator[WorkerProcess]:
    """Ends with the block, whatever happens in it."""
    worker = WorkerProcess(folder, files, stdin, command)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.process.wait()
