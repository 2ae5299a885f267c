"""A Kafka broker as a Python object."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from plugins.jars.artifacts import Progress, silent

from .broker import Broker, Watched, end, start_broker
from .data_folder import DataFolder
from .errors import EmbeddedKafkaError
from .fast_start import with_archive
from .runtime import KafkaRuntime, fetch_runtime
from .settings import KAFKA_VERSION, BrokerOptions


class EmbeddedKafka:
    """A real Apache Kafka on 127.0.0.1 that lives as long as the `with` block, and never longer than its process.

    data: the durable data folder, or None for a throwaway one. port: 0 picks a free one. sasl: None, "PLAIN",
    "SCRAM-SHA-256" or "SCRAM-SHA-512". bound_to: the pid of the process that the broker must not outlive, even when that
    is killed with -9; by default the calling one. parent_bound=False: the broker lives on after its process.
    Errors: see `supervisor.embedded.errors`.
    """

    def __init__(
        self,
        data: Path | str | None = None,
        *,
        port: int = 0,
        version: str = KAFKA_VERSION,
        heap: str = "512m",
        tls: bool = False,
        sasl: str | None = None,
        parent_bound: bool = True,
        bound_to: int | None = None,
        progress: Progress = silent,
    ) -> None:
        if data is None and not parent_bound:
            raise EmbeddedKafkaError("a broker that lives on needs a data folder")
        self._data = Path(data) if data is not None else None
        self._options = BrokerOptions(version=version, port=port, heap=heap, tls=tls, sasl=sasl)
        self._bound_to = (bound_to or os.getpid()) if parent_bound else None
        self._progress = progress
        self._throwaway: Path | None = None
        self._broker: Broker | None = None

    def start(self) -> Self:
        """Start and return when the broker answers; at first use this fetches the jars."""
        if self._data is None:
            self._throwaway = Path(tempfile.mkdtemp(prefix="connectd-kafka-"))
        self._folder = DataFolder(self._data or self._throwaway or Path())
        watched = Watched(self._bound_to, self._throwaway) if self._bound_to else None
        try:
            self._broker = start_broker(self._fetch, self._folder, self._options, watched)
        except BaseException:
            self._remove_throwaway()
            raise
        return self

    def stop(self) -> None:
        """Stop the broker, cleanly if its folder is durable; no error if it has ended."""
        if self._broker:
            end(self._broker.process)
            self._folder.running.unlink(missing_ok=True)
            self._broker = None
        self._remove_throwaway()

    def wait(self) -> int:
        """Wait until the broker ends by itself or somebody stops it; returns its exit code."""
        return self._running.process.wait()

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect: 127.0.0.1:port."""
        return self._running.options.bootstrap_servers

    @property
    def client(self) -> dict[str, str]:
        """Settings for clients built on librdkafka, security included."""
        return self._running.security.librdkafka_client()

    @property
    def java_client(self) -> dict[str, str]:
        """Settings with Java's names, as Kafka Connect's worker files use them, security included."""
        return self._running.security.java_client()

    @property
    def pid(self) -> int:
        """The process to signal: the broker, or the guard that ends it with its parent."""
        return self._running.process.pid

    @property
    def data(self) -> DataFolder:
        """The data folder in use."""
        return self._folder

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _running(self) -> Broker:
        if self._broker is None:
            raise EmbeddedKafkaError("the broker has not been started, or was stopped")
        return self._broker

    def _fetch(self) -> KafkaRuntime:
        return with_archive(fetch_runtime(self._options.version, self._progress), self._progress)

    def _remove_throwaway(self) -> None:
        if self._throwaway:
            # The guard does it, too, unless the broker died by itself.
            shutil.rmtree(self._throwaway, ignore_errors=True)
            self._throwaway = None
