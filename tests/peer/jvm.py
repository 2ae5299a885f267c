"""Java for peer tests and benchmarks, without a JDK: Kafka Connect's class path, a compiler, running classes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import supervisor.embedded
import tasks.java
from plugins.jars.artifacts import class_path
from plugins.jars.cache import cache_dir
from plugins.jars.java import java, join

CONNECT_LOCK = Path(supervisor.embedded.__file__).with_name("connect-4.3.0.lock")
ECJ_LOCK = Path(tasks.java.__file__).with_name("ecj.lock")
# As source and target: `--release` needs a file that only a JDK has.
JAVA_LEVEL = "17"

# Tiered compilation's first level alone: peer programs are short, and two cores are shared by all tests.
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")


def connect_class_path() -> list[Path]:
    """The jars of Apache Kafka Connect 4.3.0: runtime, file connectors, JSON converter, SMTs, MirrorMaker 2."""
    return class_path(CONNECT_LOCK)


def compile_java(*sources: Path, libraries: Sequence[Path] | None = None) -> Path:
    """Compile Java source files together and return the folder of their classes.

    `libraries` is the class path, by default that of Kafka Connect. The result is kept in the cache under the content of
    the sources, so the compiler (two seconds) runs once. Raises AssertionError with the compiler's messages.
    """
    libraries = connect_class_path() if libraries is None else libraries
    digest = hashlib.sha256(join(libraries).encode())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    classes = cache_dir() / "peer-classes" / digest.hexdigest()[:24]
    if not classes.exists():
        classes.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=classes.parent))
        try:
            _compile(sources, libraries, draft)
            _publish(draft, classes)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return classes


def java_command(
    main: str,
    *args: str,
    classes: Sequence[Path] = (),
    libraries: Sequence[Path] | None = None,
    jvm: Sequence[str] = (),
) -> list[str]:
    """The command that runs class `main`; on its class path `classes` come before `libraries` (default: Kafka Connect)."""
    libraries = connect_class_path() if libraries is None else libraries
    return [str(java()), *jvm, "-cp", join([*classes, *libraries]), main, *args]


def run_java(
    main: str,
    *args: str,
    stdin: bytes = b"",
    classes: Sequence[Path] = (),
    libraries: Sequence[Path] | None = None,
    timeout_s: float = 60,
) -> bytes:
    """Run class `main` to its end and return its standard output; raises AssertionError with its standard error."""
    command = java_command(main, *args, classes=classes, libraries=libraries, jvm=_QUICK)
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout_s)
    assert done.returncode == 0, f"{main} ended with {done.returncode}:\n{done.stderr.decode(errors='replace')}"
    return done.stdout


def _compile(sources: Sequence[Path], libraries: Sequence[Path], classes: Path) -> None:
    compiler = [str(java()), *_QUICK, "-jar", *map(str, class_path(ECJ_LOCK))]
    options = [
        "-nowarn",
        "-proc:none",
        "-encoding",
        "UTF-8",
        "-source",
        JAVA_LEVEL,
        "-target",
        JAVA_LEVEL,
        "-d",
        str(classes),
    ]
    command = [*compiler, *options, "-cp", join(libraries), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (
        f"the Java compiler refuses {', '.join(map(str, sources))}:\n{done.stdout}{done.stderr}"
    )


def _publish(draft: Path, classes: Path) -> None:
    try:
        draft.replace(classes)
    except OSError:
        # Another process compiled the same sources meanwhile.
        if not classes.exists():
            raise
