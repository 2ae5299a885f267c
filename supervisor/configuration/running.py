"""What a worker runs now, in a file: `connectd check` compares with it. Digests, no values."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from supervisor.configuration.connector_files import ConnectorFiles
from supervisor.configuration.marks import Mark
from supervisor.herder.herder import LocalHerder

log = structlog.get_logger(__name__)

# How workers call themselves in the list of processes.
SUPERVISOR_TITLE: Final = "connectd: supervisor"
# Changes that come together are written together; where there are many connectors, that takes a twentieth of the time.
_DELAY_S: Final = 0.05
_DELAY_PER_S: Final = 20.0

Digests = dict[str, str]  # of values, by key


class Shared(msgspec.Struct, frozen=True):
    """Of a worker of a cluster: the marks of connectors by name, and its own connector files as it read them last, by path."""

    marks: dict[str, Mark]
    read: dict[str, Digests]


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """`folder` is where the worker runs, `given` are the connector files of its command line, `sources` the files that
    connectors came from by name; all paths are absolute. `worker` and `connectors` are configurations as digests. `shared` is
    None for a standalone worker."""

    pid: int
    started: int
    folder: str
    given: list[str]
    sources: dict[str, str]
    salt: bytes
    worker: Digests
    connectors: dict[str, Digests]
    shared: Shared | None = None


class RunningRecord:
    """Keeps the file up to date until it is closed, which deletes it."""

    def __init__(self, path: Path, herder: LocalHerder, files: ConnectorFiles, given: Sequence[str]) -> None:
        self._path = path
        self._herder = herder
        self._files = files
        self._given = [os.path.abspath(each) for each in given]  # noqa: PTH100
        self._salt = secrets.token_bytes(16)
        self._known: dict[str, tuple[dict[str, str], Digests]] = {}
        self._changed = asyncio.Event()
        herder.worker.on_applied = self.refresh
        self.refresh()
        self._writer = asyncio.get_running_loop().create_task(self._keep_writing())

    def refresh(self) -> None:
        """Write the file soon."""
        self._changed.set()

    async def close(self) -> None:
        """Delete the file."""
        self._writer.cancel()
        await asyncio.wait([self._writer])
        with contextlib.suppress(OSError):
            self._path.unlink()

    async def _keep_writing(self) -> None:
        told, delay_s = False, _DELAY_S
        while True:
            await self._changed.wait()
            await asyncio.sleep(delay_s)
            self._changed.clear()
            began = time.monotonic()
            content = msgspec.json.encode(self._running())
            delay_s = max(_DELAY_S, _DELAY_PER_S * (time.monotonic() - began))
            try:
                await asyncio.to_thread(_write, self._path, content)
                told = False
            except OSError as error:
                if not told:
                    log.warning(f"connectd check cannot know what runs: cannot write {self._path}: {error.strerror}")
                told = True

    def _running(self) -> Running:
        self._known = {name: self._digested(name, config) for name, config in self._files.configs.items()}
        return Running(
            pid=os.getpid(),
            started=_start_time(os.getpid()),
            folder=str(Path.cwd()),
            given=self._given,
            sources=self._files.paths,
            salt=self._salt,
            worker=digests(self._herder.worker.surroundings.worker_config, self._salt),
            connectors={name: digested for name, (_, digested) in self._known.items()},
            shared=self._shared(),
        )

    def _shared(self) -> Shared | None:
        marks = self._files.marks
        if marks is None:
            return None
        read = {os.path.abspath(path): file.config for path, file in self._files.read_before.items()}  # noqa: PTH100
        return Shared(marks, {path: digests(config, self._salt) for path, config in read.items()})

    def _digested(self, name: str, config: dict[str, str]) -> tuple[dict[str, str], Digests]:
        known = self._known.get(name)
        return known if known is not None and known[0] == config else (config, digests(config, self._salt))


def record_path(offset_file: str) -> Path:
    """Where the standalone worker that uses this offset file says what it runs."""
    return Path(f"{os.path.realpath(offset_file)}.running")


def cluster_record_path(worker_file: str, folder: Path) -> Path:
    """Where the distributed worker with this file, which runs in this folder, says what it runs."""
    path = os.path.realpath(worker_file)
    digest = hashlib.blake2b(path.encode(), person=b"connectd", digest_size=6).hexdigest()
    return folder / f"{Path(path).name}-{digest}.running"


def read_cluster_record(worker_file: str) -> Running | None:
    """What the distributed worker with this file runs, wherever it runs; None if there is none, or nobody may know."""
    for process in Path("/proc").glob("[0-9]*"):
        running = read_record(cluster_record_path(worker_file, process / "cwd")) if _is_supervisor(process) else None
        if running is not None and running.pid == int(process.name):
            return running
    return None


def _is_supervisor(process: Path) -> bool:
    try:
        return process.joinpath("cmdline").read_bytes().startswith(SUPERVISOR_TITLE.encode())
    except OSError:
        return False


def read_record(path: Path) -> Running | None:
    """What the worker runs; None if there is no worker, or nobody may know."""
    try:
        running = msgspec.json.decode(path.read_bytes(), type=Running)
        return running if _start_time(running.pid) == running.started else None
    except (OSError, msgspec.DecodeError):
        return None


def digests(config: Mapping[str, str], salt: bytes) -> Digests:
    """A digest of each value."""
    return {
        key: hashlib.blake2b(value.encode(), key=salt, person=b"connectd", digest_size=16).hexdigest()
        for key, value in config.items()
    }


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    # For its owner only: with the salt one could try passwords.
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)


def _start_time(pid: int) -> int:
    """Clock ticks since the machine started: with the pid it tells a process from all others. Raises OSError."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
