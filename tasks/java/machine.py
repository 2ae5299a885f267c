"""The Java runtime that connectors run on, and the options of its virtual machines."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from connectd.errors import ConfigException
from plugins.jars.errors import MissingPackageError
from plugins.jars.java import java as packaged_java
from plugins.java.settings import JAVA_HOME

OLDEST: Final = 17

_HEAP_BYTES: Final = 512 << 20
_LEAST_HEAP_BYTES: Final = 64 << 20
# What a host that works takes beside its heap: classes, compiled code, threads, and the process that keeps it.
_BESIDE_HEAP_BYTES: Final = 160 << 20
# Of all collectors this one lets the part for new objects grow at once when there is work. Records that are on their way to
# Kafka live for so long that from a small part they are all moved among the old ones, which costs a third of all time.
_COLLECTOR: Final = ("-XX:+UseParallelGC", "-XX:ParallelGCThreads=2")
_OPTIONS: Final = (
    # A heap that begins small stays so for a task that does nothing: of a large one all of it is used before it is cleaned up.
    "-Xms32m",
    f"-Xmx{_HEAP_BYTES >> 20}m",
    *_COLLECTOR,
    "-XX:+ExitOnOutOfMemoryError",
    # task.open.files.max counts, not what the system would allow.
    "-XX:-MaxFDLimit",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
)
_CHOICE_OF_COLLECTOR: Final = re.compile(r"-XX:\+Use\w+GC")
# What -XX:+ExitOnOutOfMemoryError ends with.
OUT_OF_MEMORY_CODE: Final = 3


class JavaNotFound(ConfigException):
    """There is no Java to run a connector on; the message says how to get one."""


class Machine(msgspec.Struct, frozen=True):
    """One Java runtime: its `java` command and its version, 17 or newer."""

    java: Path
    version: int

    @property
    def options(self) -> list[str]:
        """What each virtual machine is started with."""
        # From Java 24 on it warns of what Kafka's own jars do.
        quiet = ["--sun-misc-unsafe-memory-access=allow"] if self.version >= 24 else []
        return [*_OPTIONS, *quiet]

    def options_with(self, memory_max_bytes: int, own: Sequence[str]) -> list[str]:
        """The same for a process that may use so many bytes, 0 being no limit, and that has options of its `own`."""
        options = self.options
        if any(_CHOICE_OF_COLLECTOR.fullmatch(each) for each in own):
            # Java refuses to start with two of them.
            options = [each for each in options if each not in _COLLECTOR]
        if memory_max_bytes:
            # Full, it is cleaned up; grown beyond the limit, it would be killed.
            heap = max(_LEAST_HEAP_BYTES, min(_HEAP_BYTES, memory_max_bytes - _BESIDE_HEAP_BYTES))
            options.append(f"-Xmx{heap >> 20}m")
        return [*options, *own]

    @property
    def stamp(self) -> str:
        """Another one for each installation."""
        release = self.java.parent.parent / "release"
        return f"{self.java} {release.stat().st_mtime_ns}"


def machine(home: str | None) -> Machine:
    """The runtime in `java.home`, or if that is None the one that comes as a package. Raises JavaNotFound."""
    java = _packaged() if home is None else Path(home).expanduser() / "bin" / "java"
    try:
        release = (java.parent.parent / "release").read_text()
    except OSError as error:
        raise JavaNotFound(JAVA_HOME, home, f"Expected the folder of a Java runtime: {error}") from error
    if not os.access(java, os.X_OK):
        raise JavaNotFound(JAVA_HOME, home, f"Expected the folder of a Java runtime: {java} is no program")
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', release, re.MULTILINE)
    version = int(found[1]) if found else 0
    if version < OLDEST:
        raise JavaNotFound(JAVA_HOME, home, f"Expected Java {OLDEST} or newer; this is Java {version}")
    return Machine(java, version)


def _packaged() -> Path:
    try:
        return packaged_java()
    except MissingPackageError as error:
        raise needs_extra(error) from error


def needs_extra(error: MissingPackageError) -> JavaNotFound:
    """What to say when a package is missing that only Java connectors need."""
    return JavaNotFound(
        JAVA_HOME,
        None,
        f"Connectors written in Java need the package {error.package}: pip install 'connectd[java]'",
    )
