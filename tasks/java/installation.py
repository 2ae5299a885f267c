"""The program that hosts Java connectors: fetched, compiled and prepared for fast starts at first use, then kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from connectd.errors import ConnectException
from plugins.jars.artifacts import class_path
from plugins.jars.cache import cache_dir, writing_to
from plugins.jars.errors import MissingPackageError
from plugins.jars.java import join
from tasks.java.archive import archive_options
from tasks.java.compatibility import restored_classes
from tasks.java.machine import Machine, needs_extra

log = structlog.get_logger(__name__)

HERE: Final = Path(__file__).parent
SOURCES: Final = HERE / "host"
LOCK: Final = HERE / "host.lock"
COMPILER_LOCK: Final = HERE / "ecj.lock"
MAIN: Final = "connectd.host.Host"
_COMPILE_TIMEOUT_S: Final = 300.0
# As source and target: `--release` needs a file that only a JDK has.
_LEVEL: Final = "17"


def host_command(machine: Machine, options: Sequence[str] = (), *, memory_max_bytes: int = 0) -> list[str]:
    """The command of a host, but for its last words, which say in `ps` what it is. At first use this takes some seconds.

    `options` are a connector's own; `memory_max_bytes` is what the host may use, 0 being no limit.

    Raises ConnectException if the host cannot be made.
    """
    jars = _jars(LOCK)
    folder = cache_dir() / "java" / "host" / _digest(jars)
    jar = folder / "host.jar"
    with _alone(folder):
        if not jar.exists():
            _compile(machine, jars, jar)
        own = [jar, *jars]
        archived = archive_options(machine, own, folder, MAIN)
    return [str(machine.java), *archived, *machine.options_with(memory_max_bytes, options), "-cp", join(own), MAIN]


def _jars(lock: Path) -> list[Path]:
    try:
        return class_path(lock, lambda line: log.info(line))
    except MissingPackageError as error:
        raise needs_extra(error) from error


def _digest(jars: Sequence[Path]) -> str:
    digest = hashlib.sha256(join(jars).encode())
    for source in [HERE / "compatibility.py", *sorted(SOURCES.glob("*.java"))]:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:24]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of several processes that need the host at once, one makes it."""
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _clear(folder)
            yield


def _clear(folder: Path) -> None:
    """What those were making who were killed."""
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)


def _compile(machine: Machine, jars: Sequence[Path], jar: Path) -> None:
    log.info("compiling the host of Java connectors, once")
    compiler = [
        str(machine.java),
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-jar",
        *map(str, _jars(COMPILER_LOCK)),
    ]
    draft = Path(tempfile.mkdtemp(dir=jar.parent))
    try:
        options = ["-nowarn", "-proc:none", "-encoding", "UTF-8", "-source", _LEVEL, "-target", _LEVEL]
        sources = map(str, sorted(SOURCES.glob("*.java")))
        command = [*compiler, *options, "-d", str(draft / "classes"), "-cp", join(jars), *sources]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_TIMEOUT_S)
        if done.returncode != 0:
            raise ConnectException(f"the host of Java connectors cannot be compiled:\n{done.stdout}{done.stderr}")
        _pack(draft / "classes", restored_classes(jars), draft / jar.name)
        (draft / jar.name).replace(jar)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _pack(classes: Path, restored: Mapping[str, bytes], jar: Path) -> None:
    """As a jar, since the archives of loaded classes know no folders."""
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in restored.items():
            file.writestr(name, content)
        for folder, _, names in os.walk(classes):
            for name in sorted(names):
                path = Path(folder, name)
                file.write(path, path.relative_to(classes))
