"""A broker's data folder: who uses it, which Kafka version wrote it, and the files in it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from pathlib import Path

from .errors import DataFolderError
from .files import read_json, write_json
from .processes import started_at

_LEAST_FREE_BYTES = 100 << 20


class DataFolder:
    """The folder of one broker.

    kafka-logs: the topics. broker.log: the log of the last start (.1: of the one before). broker.json: the running
    broker. client.properties (Java's names), librdkafka.properties: how to connect. format.json, users.json, tls: made
    once and kept. .lock is held by the broker's processes as long as one of them lives.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.topics = self.path / "kafka-logs"
        self.log = self.path / "broker.log"
        self.running = self.path / "broker.json"
        self._format = self.path / "format.json"
        self._lock = self.path / ".lock"

    def acquire(self) -> int:
        """Make the folder if need be and take its lock; returns the descriptor that holds it, for the broker to inherit.

        Raises DataFolderError when the folder cannot be written, its disk is full, or a broker uses it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self.unusable(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DataFolderError(f"data folder {self.path} is in use by {self._user()}") from None
        free = shutil.disk_usage(self.path).free
        if free < _LEAST_FREE_BYTES:
            os.close(descriptor)
            raise DataFolderError(
                f"data folder {self.path}: {free >> 20} MiB are free on its disk, {_LEAST_FREE_BYTES >> 20} MiB are needed"
            )
        return descriptor

    def broker(self) -> dict[str, str]:
        """What broker.json says if its process is the one that wrote it and still runs, else nothing."""
        record = read_json(self.running)
        if record and started_at(int(record["pid"])) == record["started_at"]:
            return record
        return {}

    def check_version(self, version: str) -> None:
        """Raise DataFolderError when a newer Kafka than `version` has written the folder."""
        written_by = self._written_by()
        if written_by and _numbers(written_by) > _numbers(version):
            raise DataFolderError(
                f"data folder {self.path} was written by Kafka {written_by}, which {version} cannot read: "
                f"start it with --version {written_by}, or name another folder with --data"
            )

    def note_version(self, version: str) -> None:
        """Remember that Kafka `version` writes this folder from now on."""
        write_json(self._format, {"kafka_version": version})

    @property
    def cluster_id(self) -> str:
        """The cluster's id, given when the folder was formatted."""
        lines = (self.topics / "meta.properties").read_text().splitlines()
        return next(line.partition("=")[2] for line in lines if line.startswith("cluster.id="))

    def rotate_log(self) -> None:
        """Give this start a log of its own, and keep the last one's."""
        if self.log.exists():
            self.log.replace(self.path / f"{self.log.name}.1")

    def _written_by(self) -> str:
        return read_json(self._format).get("kafka_version", "") if self.topics.exists() else ""

    def _user(self) -> str:
        if record := self.broker():
            return f"a running broker (pid {record['pid']}, {record['bootstrap_servers']})"
        return "a broker that is starting or stopping"

    def unusable(self, error: OSError) -> DataFolderError:
        """The error of a folder that the operating system refuses."""
        if error.errno == errno.ENOSPC:
            return DataFolderError(f"data folder {self.path}: its disk is full")
        return DataFolderError(f"data folder {self.path} cannot be used: {error.strerror} ({error.filename})")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
