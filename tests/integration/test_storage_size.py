"""Storage topics with many records are read to their end, in memory that does not grow with their number."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from supervisor.storage.config_log import ConfigLog
from supervisor.storage.offset_log import OffsetLog
from supervisor.storage.status_log import StatusLog
from supervisor.units.lifecycle import UnitId
from tasks.settings.distributed import DistributedConfig
from tests.support.kafka import TestKafka
from tests.support.storage import Heard, worker_props

MANY, MILLION = 150_000, 1_000_000
# For what is read ahead. With librdkafka's own settings it would be more than twice as much.
BOUND_MIB = 30.0
PARTITIONS = {"config": 1, "offset": 25, "status": 5}


class Read(msgspec.Struct):
    """What a process that has read a topic needed beyond what it had before, at the most and in the end, in MiB; `last` is the
    number in the last record."""

    peak: float
    end: float
    last: int


def record(kind: str, number: int, keys: int) -> tuple[str, str]:
    """Each key is written again and again, with the number of the record."""
    name = f"c{number % keys}"
    if kind == "config":
        properties = f'"connector.class":"FileStreamSource","file":"/var/log/{name}","n":"{number}"'
        return f"connector-{name}", f'{{"properties":{{{properties}}}}}'
    if kind == "offset":
        return f'["c{number % 1000}",{{"filename":"/var/log/{name}"}}]', f'{{"position":{number}}}'
    state = f'"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:8083","generation":{number}'
    return f"status-connector-{name}", f"{{{state}}}"


def write(kafka: TestKafka, topic: str, kind: str, records: Iterable[tuple[str, str]]) -> None:
    kafka.create_topic(topic, PARTITIONS[kind], cleanup_policy="compact")
    producer = Producer({**kafka.client, "linger.ms": 20, "queue.buffering.max.messages": 0})
    for count, (key, value) in enumerate(records):
        producer.produce(topic, value, key)
        if count % 1000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0


def read(kind: str, props: dict[str, str], last: tuple[str, str]) -> Read:
    """In a process of its own."""
    return asyncio.run(_read(kind, DistributedConfig(props), *last))


async def _read(kind: str, worker: DistributedConfig, key: str, value: str) -> Read:
    before = mib("VmRSS")
    if kind == "config":
        configs = ConfigLog(worker, Heard())
        await configs.start()
        found = (configs.snapshot().connector_config(key.removeprefix("connector-")) or {})["n"]
        await configs.stop()
    elif kind == "offset":
        offsets = OffsetLog(worker)
        await offsets.start()
        found = str((await offsets.read([key.encode()]))[0])
        await offsets.stop()
    else:
        statuses = StatusLog(worker)
        await statuses.start()
        status = statuses.get(UnitId(key.removeprefix("status-connector-")))
        found = str(status and status.generation)
        await statuses.stop()
    return Read(mib("VmHWM") - before, mib("VmRSS") - before, int(re.findall(r"\d+", found)[-1]))


def mib(field: str) -> float:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.parametrize(
    ("kind", "count", "keys"),
    [
        ("status", MANY, 1_000),
        pytest.param("config", MILLION, 1_000, marks=pytest.mark.long),
        pytest.param("offset", MILLION, 1_000, marks=pytest.mark.long),
        pytest.param("status", MILLION, 1_000, marks=pytest.mark.long),
        # As after compaction: no key comes twice.
        pytest.param("offset", MILLION, MILLION, marks=pytest.mark.long),
    ],
)
def test_what_is_not_applied_yet_takes_little_memory(
    kafka: TestKafka, topic: str, kind: str, count: int, keys: int
) -> None:
    write(kafka, f"{topic}-{kind}s", kind, (record(kind, number, keys) for number in range(count)))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        props = worker_props(topic, kafka.bootstrap_servers)
        found = process.submit(read, kind, props, record(kind, count - 1, keys)).result()
    assert found.last == count - 1
    state_mib = 0.0 if keys < count else found.end
    assert found.peak - state_mib < BOUND_MIB, found
