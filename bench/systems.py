"""The systems that are compared: how each is told to copy a file to a topic, and a topic to a file."""

from __future__ import annotations

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.connect_files import FILE_SINK, FILE_SOURCE, WORKER, derive
from bench.processes import CONNECTD
from plugins.jars.artifacts import Progress, class_path
from plugins.jars.java import java, join
from supervisor.embedded.ports import HOST, free_port

_REPOSITORY = Path(__file__).resolve().parent.parent
_STRING_CONVERTER = "org.apache.kafka.connect.storage.StringConverter"


@dataclass(frozen=True)
class Job:
    """One run: where everything is. `folder` is the run's own; `name` is unique."""

    name: str
    bootstrap_servers: str
    topic: str
    source: Path
    sink: Path
    folder: Path
    records: int


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the file that its standard output goes to if that is what it moves."""

    arguments: Sequence[str]
    stdout: Path | None = None


class System(ABC):
    """One of the systems."""

    name: str

    def prepare(self, progress: Progress) -> str | None:
        """Get ready before anything is measured. Returns the reason if it cannot run here."""
        return None

    @abstractmethod
    def file_to_topic(self, job: Job) -> Command:
        """Copies the job's source to the topic."""

    @abstractmethod
    def topic_to_file(self, job: Job) -> Command:
        """Copies the topic to the job's sink."""


class Worker(System):
    """A standalone worker of Kafka Connect with its connector files."""

    worker_settings: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def command(self, worker: Path, connectors: Sequence[Path]) -> list[str]:
        """The program's arguments."""

    def file_to_topic(self, job: Job) -> Command:
        return Command(self.command(self._worker(job), [_source(job)]))

    def topic_to_file(self, job: Job) -> Command:
        return Command(self.command(self._worker(job), [_sink(job)]))

    def both(self, job: Job) -> Command:
        """Both connectors in one worker."""
        return Command(self.command(self._worker(job), [_source(job), _sink(job)]))

    def _worker(self, job: Job) -> Path:
        settings = {
            "bootstrap.servers": job.bootstrap_servers,
            "key.converter": _STRING_CONVERTER,
            "value.converter": _STRING_CONVERTER,
            "listeners": f"http://{HOST}:{free_port()}",
            **self.worker_settings,
        }
        return derive(WORKER, job.folder / WORKER.name, settings)


class Connectd(Worker):
    """This project, as it is without any setting."""

    name = "connectd"

    def command(self, worker: Path, connectors: Sequence[Path]) -> list[str]:
        return [CONNECTD, "standalone", *map(str, (worker, *connectors))]


class KafkaConnectJava(Worker):
    """Apache Kafka's own runtime with the JVM options of its connect-standalone.sh and kafka-run-class.sh."""

    name = "kafka-connect-java"

    _JVM = (
        "-Xms256M",
        "-Xmx2G",
        "-server",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:InitiatingHeapOccupancyPercent=35",
        "-XX:+ExplicitGCInvokesConcurrent",
        "-Djava.awt.headless=true",
    )
    _jars: Sequence[Path] = ()

    def prepare(self, progress: Progress) -> str | None:
        self._jars = class_path(_REPOSITORY / "supervisor" / "embedded" / "connect-4.3.0.lock", progress)
        return None

    def command(self, worker: Path, connectors: Sequence[Path]) -> list[str]:
        main = "org.apache.kafka.connect.cli.ConnectStandalone"
        return [str(java()), *self._JVM, "-cp", join(self._jars), main, *map(str, (worker, *connectors))]


class KafkaConnectJavaTuned(KafkaConnectJava):
    """The same program with the producer and consumer settings that served it best here."""

    name = "kafka-connect-java-tuned"
    worker_settings: ClassVar[Mapping[str, str]] = {
        "producer.batch.size": "131072",
        "producer.linger.ms": "20",
        "producer.buffer.memory": "8388608",
        # Connect switches idempotence off and so has one request under way at a time; connectd has both as here.
        "producer.enable.idempotence": "true",
        "producer.max.in.flight.requests.per.connection": "5",
        "consumer.max.poll.records": "5000",
        "consumer.max.partition.fetch.bytes": "4194304",
        "plugin.discovery": "service_load",
    }


class RawLibrdkafka(System):
    """The plain loops of `bench.raw`: the same client and language without a framework."""

    name = "raw-librdkafka"

    def file_to_topic(self, job: Job) -> Command:
        return self._command("produce", job, job.source)

    def topic_to_file(self, job: Job) -> Command:
        return self._command("consume", job, job.sink)

    def _command(self, direction: str, job: Job, file: Path) -> Command:
        arguments = [direction, job.bootstrap_servers, job.topic, str(file), str(job.records)]
        # -P: the script's own folder is no place for imports.
        return Command([sys.executable, "-P", str(_REPOSITORY / "bench" / "raw.py"), *arguments])


class Kcat(System):
    """kcat: librdkafka driven by C. The version on this machine, with queues that do not run full."""

    name = "kcat"

    def prepare(self, progress: Progress) -> str | None:
        return None if shutil.which("kcat") else "kcat is not installed (Debian: apt-get install kcat)"

    def file_to_topic(self, job: Job) -> Command:
        options = ["-X", "acks=all", "-X", "enable.idempotence=true"]
        return Command(["kcat", "-P", "-b", job.bootstrap_servers, "-t", job.topic, *options, "-l", str(job.source)])

    def topic_to_file(self, job: Job) -> Command:
        options = ["-X", "queued.min.messages=1000000", "-X", "queued.max.messages.kbytes=1048576"]
        position = ["-p", "0", "-o", "beginning", "-e", "-q"]
        return Command(
            ["kcat", "-C", "-b", job.bootstrap_servers, "-t", job.topic, *position, *options], stdout=job.sink
        )


SYSTEMS: Mapping[str, type[System]] = {
    system.name: system for system in (Connectd, RawLibrdkafka, Kcat, KafkaConnectJava, KafkaConnectJavaTuned)
}


def _source(job: Job) -> Path:
    changes = {"name": f"{job.name}-source", "file": str(job.source), "topic": job.topic}
    return derive(FILE_SOURCE, job.folder / FILE_SOURCE.name, changes)


def _sink(job: Job) -> Path:
    changes = {"name": f"{job.name}-sink", "file": str(job.sink), "topics": job.topic}
    return derive(FILE_SINK, job.folder / FILE_SINK.name, changes)
