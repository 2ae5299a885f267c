"""Makes the broker start in half the time: an archive of loaded classes (JEP 483, JEP 514), made once a Kafka version."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from plugins.jars.artifacts import Progress
from plugins.jars.cache import cache_dir
from plugins.jars.java import java

from .broker import Broker, Watched, end, start_broker
from .data_folder import DataFolder
from .errors import EmbeddedKafkaError
from .runtime import KafkaRuntime
from .settings import BrokerOptions

# Writing the archive is the last thing that the virtual machine does.
_ARCHIVE_TIMEOUT_S = 120.0
_TRY_AGAIN_S = 24 * 3600.0


def with_archive(runtime: KafkaRuntime, progress: Progress) -> KafkaRuntime:
    """The runtime that uses its archive, which is made now if it is missing. Without one Kafka starts too, only slower."""
    folder = cache_dir() / "fast-start"
    archive = folder / f"kafka-{runtime.version}-{_key(runtime)}.aot"
    failed = archive.with_suffix(".failed")
    try:
        if _worth_a_try(archive, failed):
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if _worth_a_try(archive, failed):
                    progress(f"Preparing fast starts of Kafka {runtime.version}, once")
                    _make(runtime, archive, failed)
    except OSError:
        # A cache that cannot be written: no archive.
        return runtime
    return replace(runtime, extra=[f"-XX:AOTCache={archive}"]) if archive.exists() else runtime


def _worth_a_try(archive: Path, failed: Path) -> bool:
    """Whether the archive is missing and no try failed within a day: a start must not take long each time."""
    failed_lately = failed.exists() and time.time() - failed.stat().st_mtime < _TRY_AGAIN_S
    return not archive.exists() and not failed_lately


def _make(runtime: KafkaRuntime, archive: Path, failed: Path) -> None:
    """Run a broker on a throwaway folder and let the virtual machine keep what it loaded; on failure say so in a file."""
    for left_over in archive.parent.glob("training-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix="training-", dir=archive.parent))
    try:
        draft = scratch / archive.name
        training = replace(runtime, extra=[f"-XX:AOTCacheOutput={draft}"])
        options = BrokerOptions(version=runtime.version, port=0)
        broker = start_broker(lambda: training, DataFolder(scratch / "data"), options, Watched(os.getpid()))
        try:
            _exercise(broker)
        finally:
            end(broker.process, _ARCHIVE_TIMEOUT_S)
        draft.replace(archive)
    except (EmbeddedKafkaError, OSError) as error:
        failed.write_text(str(error))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _exercise(broker: Broker) -> None:
    """What every client does at first: write to a new topic, and read it as a group."""
    from confluent_kafka import Consumer, Producer

    client = {**broker.security.librdkafka_client(), "log_level": 0}
    producer = Producer({**client, "enable.idempotence": True})
    producer.produce("training", b"value", b"key")
    producer.flush(10)
    consumer = Consumer({**client, "group.id": "training", "auto.offset.reset": "earliest"})
    consumer.subscribe(["training"])
    consumer.consume(1, timeout=10)
    consumer.close()


def _key(runtime: KafkaRuntime) -> str:
    """An archive fits one Java build and these jar files as they are on disk (times and all)."""
    digest = hashlib.sha256(runtime.lock_digest.encode())
    for file in (java(), *runtime.class_path):
        stat = file.stat()
        digest.update(f"{file} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
