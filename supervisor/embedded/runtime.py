"""A Kafka version's jars on the Java runtime: the command lines of its programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plugins.jars.artifacts import Progress, class_path
from plugins.jars.cache import cache_dir
from plugins.jars.java import java, join
from plugins.jars.lockfile import read_lock

from .errors import EmbeddedKafkaError
from .lock import write_lock

# As bin/kafka-run-class.sh of the distribution starts a broker.
_SERVER = (
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-Djava.awt.headless=true",
)
# Warnings about what Kafka's own jars do.
_QUIET = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
# Java 25 warns that adapters it stored in the archive are not those it finds again; classes are what saves the time.
_ARCHIVED_CLASSES = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
    "-XX:-AOTStubCaching",
)
_OLDEST = (4, 0)


@dataclass(frozen=True)
class KafkaRuntime:
    """Apache Kafka `version`, ready to run. `extra` are further options of the Java virtual machine."""

    version: str
    lock_digest: str
    class_path: Sequence[Path]
    extra: Sequence[str] = field(default=())

    def command(self, main: str, *args: str, heap: str, log4j2: Path, options: Iterable[str] = ()) -> list[str]:
        """The command line that runs class `main`."""
        machine = [*_SERVER, *_QUIET, *_ARCHIVED_CLASSES, *self.extra, *options, f"-Xmx{heap}"]
        logging = f"-Dlog4j2.configurationFile={log4j2}"
        return [str(java()), *machine, logging, "-cp", join(self.class_path), main, *args]


def fetch_runtime(version: str, progress: Progress) -> KafkaRuntime:
    """The jars of a Kafka version; raises ArtifactError, MissingPackageError."""
    lock = _lock(version, progress)
    return KafkaRuntime(version, read_lock(lock).digest, class_path(lock, progress))


def _lock(version: str, progress: Progress) -> Path:
    """The lock file shipped with this package, or for another version the one that its first use left in the cache."""
    _check(version)
    shipped = Path(__file__).with_name(f"kafka-{version}.lock")
    if shipped.exists():
        return shipped
    made = cache_dir() / "locks" / shipped.name
    if not made.exists():
        progress(
            f"Kafka {version} is not the pinned version: its jars are trusted at first sight, hashes kept in {made}"
        )
        write_lock(made, _roots(version), progress)
    return made


def _roots(version: str) -> list[str]:
    """What the pinned version was resolved from, with Kafka's own version exchanged."""
    (pinned,) = Path(__file__).parent.glob("kafka-*.lock")
    pinned_version = pinned.stem.removeprefix("kafka-")
    return [root.replace(f"kafka_2.13:{pinned_version}", f"kafka_2.13:{version}") for root in read_lock(pinned).roots]


def _check(version: str) -> None:
    numbers = version.split(".")
    if len(numbers) != 3 or not all(part.isdecimal() for part in numbers) or tuple(map(int, numbers[:2])) < _OLDEST:
        raise EmbeddedKafkaError(f"--version {version}: expected a released Kafka from 4.0.0 on, such as 4.3.0")
