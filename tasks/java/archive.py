"""Makes hosts start in half the time, and with less memory: an archive of loaded classes, made once.

Java 25 keeps them linked (JEP 483, JEP 514); older versions have the plain archive (JEP 350).
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from plugins.jars.java import join
from tasks.java.machine import Machine

log = structlog.get_logger(__name__)

_TRAINING_TIMEOUT_S: Final = 180.0
# A disk that was full may have room again.
_RETRY_S: Final = 3600.0
AHEAD_OF_TIME: Final = 25
_UNLOCK: Final = "-XX:+UnlockDiagnosticVMOptions"
# Where all hosts have the archive at the address that it was made for, they share its pages: each is smaller by 15 MiB.
_IN_PLACE: Final = (_UNLOCK, "-XX:ArchiveRelocationMode=0")
# Java 25 warns that adapters it stored in the archive are not those it finds again; classes are what saves the time.
_QUIRKS: Final = (_UNLOCK, "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching")


def archive_options(machine: Machine, jars: Sequence[Path], folder: Path, main: str) -> list[str]:
    """The options with which a host uses its archive, in `folder`, which is made now if there is none.

    Without one hosts start too, only slower. For one caller at a time.
    """
    archive = folder / f"{_digest(machine, jars)}.classes"
    failed = archive.with_suffix(".failed")
    if not archive.exists() and not _is_recent(failed):
        log.info("preparing fast starts of Java connectors, once")
        problem = _make(machine, jars, archive, main)
        if problem is not None:
            log.warning(f"Java connectors will start slower, for no archive of classes could be made: {problem}")
            with contextlib.suppress(OSError):
                failed.write_text(problem)
    if not archive.exists():
        return []
    if machine.version >= AHEAD_OF_TIME:
        return [*_QUIRKS, *_IN_PLACE, f"-XX:AOTCache={archive}"]
    return [*_IN_PLACE, f"-XX:SharedArchiveFile={archive}"]


def _is_recent(failed: Path) -> bool:
    try:
        return time.time() - failed.stat().st_mtime < _RETRY_S
    except OSError:
        return False


def _digest(machine: Machine, jars: Sequence[Path]) -> str:
    """The archive fits these jars only, down to the time of their last change."""
    stamps = [f"{jar} {jar.stat().st_mtime_ns}" for jar in jars]
    return hashlib.sha256("\n".join([machine.stamp, *machine.options, *stamps]).encode()).hexdigest()[:24]


def _make(machine: Machine, jars: Sequence[Path], archive: Path, main: str) -> str | None:
    """Have a host do a bit of everything and keep what it loaded; returns why that failed."""
    scratch = Path(tempfile.mkdtemp(prefix="training-", dir=archive.parent))
    try:
        draft = scratch / archive.name
        option = "AOTCacheOutput" if machine.version >= AHEAD_OF_TIME else "ArchiveClassesAtExit"
        quirks = _QUIRKS if machine.version >= AHEAD_OF_TIME else ()
        command = [str(machine.java), *machine.options, *quirks, f"-XX:{option}={draft}", "-cp", join(jars), main]
        output = _train([*command, "training"], scratch)
        if not draft.exists():
            errors = [line for line in output.splitlines() if "error" in line]
            return "\n".join(errors[-5:]) or output[-500:] or "it ended without one"
        draft.replace(archive)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return None


def _train(command: list[str], scratch: Path) -> str:
    """Run a host; returns what it has written. Raises OSError, SubprocessError."""
    ours, theirs = socket.socketpair()
    with ours, theirs, (scratch / "output").open("wb") as output:
        process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=output, stderr=output)
        theirs.close()
        try:
            # What ends too early leaves its reasons in its output.
            with contextlib.suppress(ConnectionError):
                ours.settimeout(_TRAINING_TIMEOUT_S)
                ours.sendall(orjson.dumps(_exercise(scratch)) + b"\n")
                with ours.makefile("rb") as events:
                    for line in events:
                        if orjson.loads(line)["event"] == "trained":
                            ours.sendall(orjson.dumps({"order": "stop"}) + b"\n")
            process.wait(_TRAINING_TIMEOUT_S)
        finally:
            process.kill()
            process.wait()
    return (scratch / "output").read_text("utf-8", "replace")


def _exercise(scratch: Path) -> dict[str, Any]:
    """A source, a sink and a validation, without a Kafka: nothing listens at the port."""
    (scratch / "input").write_text("a line\n")
    worker = {
        "bootstrap.servers": "127.0.0.1:1",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "topic.creation.enable": "false",
        "task.shutdown.graceful.timeout.ms": "500",
        "plugin.discovery": "service_load",
        "plugin.path": str(scratch),
    }
    source, sink = (
        {
            "name": kind.lower(),
            "connector.class": f"org.apache.kafka.connect.file.FileStream{kind}Connector",
            "tasks.max": "1",
            "file": str(scratch / ("input" if kind == "Source" else "output.txt")),
            ("topic" if kind == "Source" else "topics"): "training",
        }
        for kind in ("Source", "Sink")
    )
    common = {"worker": worker, "worker_id": "connectd", "state": "STARTED", "task": 0}
    orders = [
        {"order": "validate", "config": source, **common},
        {"order": "connector", "connector": "source", "config": source, **common},
        *(
            {
                "order": "task",
                "connector": config["name"],
                "config": config,
                "class": config["connector.class"],
                "task_config": {**config, "task.class": config["connector.class"].replace("Connector", "Task")},
                **common,
            }
            for config in (source, sink)
        ),
    ]
    return {"order": "train", "orders": orders, "levels": {"root": "30"}}
