"""How long a worker takes to read its storage topics, and how much memory: ours and Java's, `python -m bench.storage`.

Writes `bench/storage.json`: for each case and system the records, the seconds until all of them were read, the processor's
seconds of the whole process, and its memory at its peak (MiB). Java has the heap that `connect-distributed` gives it.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.results import machine
from supervisor.embedded import EmbeddedKafka
from supervisor.storage import config_records as configs
from supervisor.storage.config_listener import ConfigListener
from supervisor.storage.config_log import ConfigLog
from supervisor.storage.offset_log import OffsetLog
from supervisor.storage.status_log import StatusLog
from supervisor.storage.status_records import WorkStatus, status_key, status_value
from supervisor.units.lifecycle import UnitId
from tasks.settings.distributed import DistributedConfig
from tasks.states import State, TargetState
from tests.peer.jvm import compile_java, java_command
from tests.support.storage import worker_props

RESULTS: Final = Path(__file__).with_name("storage.json")
STORES: Final = Path(__file__).parents[1] / "tests/peer/StorageRecords.java"
JAVA_HEAP: Final = "-Xmx2g"

Record = tuple[bytes, bytes]


class Log(Protocol):
    """What all three have."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def offsets(records: int, keys: int) -> Iterator[Record]:
    """Offsets of files, each written again and again."""
    for number in range(records):
        yield b'["files",{"filename":"/data/in/%09d.csv"}]' % (number % keys), b'{"position":%d}' % number


def configurations(records: int) -> Iterator[Record]:
    """A hundred connectors that are reconfigured again and again, with ten tasks each."""
    config = {"connector.class": "FileStreamSource", "tasks.max": "10", "topic": "lines", "file": "/data/in/lines.txt"}
    written = 0
    while written < records:
        name = f"connector-{written // 13 % 100}"
        entries = [configs.connector_record(name, {**config, "name": name, "step": str(written)})]
        entries += [configs.task_record(UnitId(name, task), {**config, "step": str(written)}) for task in range(10)]
        entries += [configs.commit_record(name, 10), configs.target_state_record(name, TargetState.STARTED)]
        yield from ((key.encode(), value or b"") for key, value in entries[: records - written])
        written += len(entries)


def statuses(records: int) -> Iterator[Record]:
    """A thousand tasks that start and stop again and again."""
    for number in range(records):
        state = (State.RUNNING, State.UNASSIGNED)[number // 1000 % 2]
        status = WorkStatus(state=state, worker_id="10.0.0.1:8083", generation=number // 2000, version="1.0")
        yield status_key(UnitId("connector", number % 1000)).encode(), status_value(status) or b""


CASES: Final[dict[str, tuple[str, Callable[[int], Iterator[Record]]]]] = {
    "offsets-compacted": ("offset", lambda records: offsets(records, records)),
    "offsets-uncompacted": ("offset", lambda records: offsets(records, 1000)),
    "configs-uncompacted": ("config", configurations),
    "statuses-uncompacted": ("status", statuses),
}
_PARTITIONS: Final = {"offset": 25, "config": 1, "status": 5}


def main(records: int = 1_000_000) -> None:
    """Measure all cases one after another."""
    rows: list[dict[str, Any]] = []
    with EmbeddedKafka() as broker:
        for case, (kind, make) in CASES.items():
            props = worker_props(case, broker.bootstrap_servers)
            fill(broker.bootstrap_servers, props[f"{kind}.storage.topic"], _PARTITIONS[kind], make(records))
            for system, measure in (("connectd", ours), ("kafka-connect-java", java)):
                figures = {name: round(figure, 2) for name, figure in measure(kind, props).items()}
                rows.append({"case": case, "system": system, "records": records, **figures, "machine": machine()})
                print(f"{case:22}{system:20}{figures}", flush=True)
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")


def fill(bootstrap_servers: str, topic: str, partitions: int, records: Iterator[Record]) -> None:
    """Write the records to a new topic."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(topic, partitions, 1, config={"cleanup.policy": "compact"})])[topic].result(60)
    settings = {
        "partitioner": "murmur2_random",
        "acks": "1",
        "linger.ms": "20",
        "queue.buffering.max.messages": "200000",
    }
    producer = Producer({"bootstrap.servers": bootstrap_servers, **settings})
    for key, value in records:
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    assert producer.flush(120) == 0, f"not all records reached {topic}"


def ours(kind: str, props: dict[str, str]) -> dict[str, float]:
    """The log in a process of its own."""
    command = [sys.executable, "-m", "bench.storage", kind, json.dumps(props)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=600)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def load(kind: str, props: dict[str, str]) -> dict[str, float]:
    """What that process does."""
    worker = DistributedConfig(props)
    deaf: Any = type("Deaf", (), {"__getattr__": lambda self, name: lambda *arguments: None})()
    listener: ConfigListener = deaf
    logs: dict[str, Callable[[], Log]] = {
        "config": lambda: ConfigLog(worker, listener),
        "offset": lambda: OffsetLog(worker),
        "status": lambda: StatusLog(worker),
    }

    async def run() -> dict[str, float]:
        log = logs[kind]()
        started = time.monotonic()
        await log.start()
        seconds = time.monotonic() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        await log.stop()
        return {"seconds": seconds, "cpu_s": cpu_seconds(os.getpid()), "peak_rss_mib": peak}

    return asyncio.run(run())


def java(kind: str, props: dict[str, str]) -> dict[str, float]:
    """Kafka's own stores in a JVM; the other two topics are empty."""
    settings = [f"{key}={value}" for key, value in props.items()]
    main_class = "org.apache.kafka.connect.storage.StorageRecords"
    command = java_command(main_class, "topics", *settings, classes=[compile_java(STORES)], jvm=[JAVA_HEAP])
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, bufsize=1) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write('["load-seconds"]\n')
        seconds = dict(zip(("config", "status", "offset"), json.loads(process.stdout.readline()), strict=True))
        rows = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        peak = next(int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM"))
        cpu_s = cpu_seconds(process.pid)
        process.stdin.close()
    return {"seconds": seconds[kind], "cpu_s": cpu_s, "peak_rss_mib": peak}


def cpu_seconds(pid: int) -> float:
    """Of a process since its start."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(load(sys.argv[1], json.loads(sys.argv[2]))))
    else:
        main()
