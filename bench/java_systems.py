"""The systems of `python -m bench.java`: connectors written in Java in connectd's hosts, and in Java's own worker."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from bench.bed import Bed
from bench.connect_files import WORKER, derive
from bench.systems import Connectd, KafkaConnectJava, Worker
from plugins.jars.artifacts import Progress, class_path
from plugins.jars.cache import cache_dir
from plugins.java.settings import JAVA, PLUGIN_RUNTIME
from supervisor.embedded.ports import HOST, free_port
from tasks.java.installation import host_command
from tasks.java.machine import machine

_DEBEZIUM: Final = Path(__file__).resolve().parent.parent / "tests" / "java" / "debezium-mysql-1.9.7.lock"


class Hosted(Connectd):
    """This project with connectors in Java, as it is without any setting. `cache`: another folder than the user's."""

    worker_settings: ClassVar[Mapping[str, str]] = {PLUGIN_RUNTIME: JAVA}

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache

    def prepare(self, progress: Progress) -> str | None:
        host_command(machine(None))
        return None

    def command(self, worker: Path, connectors: Sequence[Path]) -> list[str]:
        command = super().command(worker, connectors)
        return command if self._cache is None else ["env", f"CONNECTD_CACHE={self._cache}", *command]


SYSTEMS: Final[Mapping[str, type[Worker]]] = {each.name: each for each in (Hosted, KafkaConnectJava)}


def worker_file(system: Worker, bed: Bed, folder: Path, settings: Mapping[str, str] = {}) -> tuple[Path, str]:
    """The file of a standalone worker in `folder`, and the address of its REST API."""
    address = f"{HOST}:{free_port()}"
    string = "org.apache.kafka.connect.storage.StringConverter"
    changes = {
        "bootstrap.servers": bed.bootstrap_servers,
        "key.converter": string,
        "value.converter": string,
        "offset.storage.file.filename": str(folder / "offsets"),
        "listeners": f"http://{address}",
        **system.worker_settings,
        **settings,
    }
    return derive(WORKER, folder / WORKER.name, changes), address


def empty_cache(folder: Path) -> Path:
    """A cache as it is before the first connector in Java, but that Kafka's jars have been fetched."""
    folder.mkdir()
    shutil.copytree(cache_dir() / "jars", folder / "jars", ignore=shutil.ignore_patterns(".*"), copy_function=_link)
    return folder


def debezium(folder: Path) -> Path:
    """A `plugin.path` with Debezium's MySQL connector 1.9.7."""
    plugin = folder / "debezium-connector-mysql"
    plugin.mkdir(parents=True)
    for jar in class_path(_DEBEZIUM):
        shutil.copy(jar, plugin)
    return folder


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(source)
