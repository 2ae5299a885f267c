"""The same records that fail, under the same settings, in Java's standalone worker and in ours: what becomes of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, Producer

from tests.peer.rest_workers import HERE, Worker, connectd_worker, java_worker
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until

TIMEOUT_S = 120.0
PEER = "connectd.peer.ErrorsPlugins$"
SERVICES = {
    "org.apache.kafka.connect.source.SourceConnector": f"{PEER}PickySourceConnector",
    "org.apache.kafka.connect.sink.SinkConnector": f"{PEER}PickySinkConnector",
    "org.apache.kafka.connect.transforms.Transformation": f"{PEER}PickyTransform",
}
# Of records of long ago the broker deletes whole segments, each five minutes, before they are read.
BEGIN_MS = time.time_ns() // 1_000_000
CONTEXT = "__connect.errors."
JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"
TOLERANT = {"errors.tolerance": "all"}
QUEUE = {
    "errors.deadletterqueue.topic.name": "@{name}-dlq",
    "errors.deadletterqueue.topic.replication.factor": "1",
    "errors.deadletterqueue.context.headers.enable": "true",
}
RETRYING = {"errors.retry.timeout": "2000", "errors.retry.delay.max.ms": "50"}
# What is worded by each in its own way: what the converters say of bytes that are no JSON.
OWN_WORDS = {"KEY_CONVERTER", "VALUE_CONVERTER", "HEADER_CONVERTER"}

# The values of the records, in their order.
POISON: Mapping[str, list[bytes | None]] = {
    "conversions": [b'{"n":0}', b'{"n":', b'{"n":2}', b"", None, b"nothing", b'{"n":6}'],
    "transformations": [
        b'{"do":"break"}',
        b'{"n":1}',
        b'{"do":"drop"}',
        b'{"do":"flaky"}',
        b"[1]",
        b'{"do":"break","n":5}',
    ],
    "reports": [b'{"n":0}', b'{"do":"report"}', b'{"n":2}', b'{"do":"report","n":3}', b'{"n":'],
    "stuck": [b'{"n":0}', b'{"do":"stuck"}', b'{"n":2}'],
    "failing": [b'{"n":0}', b'{"do":"fail"}'],
}
SINKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "tolerated conversions": ("conversions", {**TOLERANT, **QUEUE}),
    "tolerated conversions without context": (
        "conversions",
        {**TOLERANT, **QUEUE, "errors.deadletterqueue.context.headers.enable": "false"},
    ),
    "conversions without a queue": ("conversions", TOLERANT),
    "conversions that are not tolerated": ("conversions", QUEUE),
    "tolerated transformations": ("transformations", {**TOLERANT, **QUEUE, **RETRYING}),
    "transformations that are not tolerated": ("transformations", {**QUEUE, **RETRYING}),
    "tolerated reports": ("reports", {**TOLERANT, **QUEUE}),
    "reports that are not tolerated": ("reports", QUEUE),
    "stuck and tolerated": ("stuck", {**TOLERANT, **QUEUE, **RETRYING}),
    "stuck and not tolerated": ("stuck", {**QUEUE, **RETRYING}),
    "retriable without retries": ("transformations", {}),
    "a put that fails": ("failing", {**TOLERANT, **QUEUE}),
}
SOURCES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "all tolerated": ("fine,break,key,fine,drop,large,fine", TOLERANT),
    "broken": ("fine,fine,break,fine", {}),
    "a key that cannot be converted": ("fine,key,fine", {}),
    "too large": ("fine,large,fine", {}),
    "flaky": ("flaky,fine", RETRYING),
    "flaky without retries": ("flaky,fine", {}),
}


@pytest.fixture(scope="module")
def workers(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    folder = tmp_path_factory.mktemp("errors")
    with ExitStack() as stack:
        source = HERE / "ErrorsPlugins.java"
        ours = stack.enter_context(connectd_worker(folder, kafka.bootstrap_servers, HERE / "errors_plugins"))
        java = stack.enter_context(java_worker(folder, kafka.bootstrap_servers, source, SERVICES))
        yield [java, ours]


@pytest.mark.parametrize("case", SINKS)
def test_a_sink_does_with_poison_what_javas_does(
    case: str, kafka: TestKafka, workers: list[Worker], topic: str, tmp_path: Path
) -> None:
    records, settings = SINKS[case]
    kafka.create_topic(topic)
    producer = Producer({**kafka.client, "linger.ms": 50})
    for number, value in enumerate(POISON[records]):
        headers: Any = [("kept", b"\xff"), ("none", None), ("number", str(number).encode())]
        producer.produce(
            topic, value, f"k{number}".encode() if number else None, timestamp=BEGIN_MS + number, headers=headers
        )
    assert producer.flush(30) == 0
    outcomes = []
    for worker in workers:
        name = f"@{topic}"
        config = {
            "connector.class": f"{PEER}PickySinkConnector",
            "topics": topic,
            "out": str(tmp_path / f"{worker.kind}.txt"),
            "value.converter": JSON_CONVERTER,
            "value.converter.schemas.enable": "false",
            "transforms": "picky",
            "transforms.picky.type": f"{PEER}PickyTransform",
            **{key: value.replace("@{name}", f"{worker.kind}-{topic}") for key, value in settings.items()},
        }
        _create(worker, name, config)
        end = len(POISON[records])
        group = f"connect-{worker.private(name)}"
        wait_until(
            lambda worker=worker, name=name, group=group, end=end: (
                _failed(worker, name) or kafka.committed(group, topic).get(0) == end
            ),
            f"{worker.kind} is done with {case}; see {worker.log}",
            TIMEOUT_S,
        )
        out = tmp_path / f"{worker.kind}.txt"
        state = worker.states(name)
        _delete(worker, name)
        outcomes.append(
            {
                "states": state,
                "committed": kafka.committed(group, topic).get(0),
                "written": out.read_text() if out.exists() else "",
                "dead": _dead_letters(kafka, worker, f"{worker.kind}-{topic}-dlq"),
            }
        )
    java, ours = outcomes
    assert ours == java


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_does_with_poison_what_javas_does(
    case: str, kafka: TestKafka, workers: list[Worker], topic: str
) -> None:
    orders, settings = SOURCES[case]
    outcomes = []
    for worker in workers:
        name, target = f"@{topic}", kafka.create_topic(f"{worker.kind}-{topic}")
        config = {
            "connector.class": f"{PEER}PickySourceConnector",
            "topic": target,
            "orders": orders,
            "key.converter": "org.apache.kafka.connect.converters.IntegerConverter",
            "value.converter": JSON_CONVERTER,
            "value.converter.schemas.enable": "false",
            "transforms": "picky",
            "transforms.picky.type": f"{PEER}PickyTransform",
            "producer.override.linger.ms": "0",
            "producer.override.batch.size": "1",
            **settings,
        }
        _create(worker, name, config)
        last = {"n": orders.count(",")}
        wait_until(
            lambda worker=worker, name=name, last=last: _failed(worker, name) or _offset(worker, name) == last,
            f"{worker.kind} is done with {case}; see {worker.log}",
            TIMEOUT_S,
        )
        count = kafka.end_offsets(target)[0]
        outcomes.append(
            {
                "states": worker.states(name),
                "records": [(each.key(), json.loads(each.value() or b"")) for each in kafka.consume(target, count)],
            }
        )
        _delete(worker, name)
    java, ours = outcomes
    assert ours == java


def _create(worker: Worker, name: str, config: Mapping[str, str]) -> None:
    body = json.dumps({"name": worker.private(name), "config": {**config, "tasks.max": "1"}}).encode()
    status, _, answer = worker.request("POST", "/connectors", body, {"Content-Type": "application/json"})
    assert status == 201, answer


def _delete(worker: Worker, name: str) -> None:
    status, _, answer = worker.request("DELETE", f"/connectors/{worker.private(name)}")
    assert status == 204, answer


def _failed(worker: Worker, name: str) -> bool:
    return "FAILED" in (worker.states(name) or [])


def _offset(worker: Worker, name: str) -> Any:
    offsets = (worker.get(f"/connectors/{worker.private(name)}/offsets") or {}).get("offsets")
    return offsets[0]["offset"] if offsets else None


def _dead_letters(kafka: TestKafka, worker: Worker, queue: str) -> list[Any] | None:
    """What is in the dead letter queue, with the traces left out; None if there is no such topic."""
    if queue not in kafka.admin.list_topics(timeout=30).topics:
        return None
    assert len(kafka.admin.list_topics(queue, timeout=30).topics[queue].partitions) == 1
    letters = kafka.consume(queue, kafka.end_offsets(queue)[0])
    return [(each.key(), each.value(), each.timestamp(), _headers(each, worker)) for each in letters]


def _headers(letter: Message, worker: Worker) -> list[tuple[str, Any]]:
    headers: Any = letter.headers()
    stage = dict(headers).get(f"{CONTEXT}stage", b"").decode()
    found = []
    for name, value in headers:
        if name == f"{CONTEXT}connector.name":
            value = worker.public(value.decode())
        elif name == f"{CONTEXT}exception.stacktrace" or (name == f"{CONTEXT}exception.message" and stage in OWN_WORDS):
            value = bool(value)
        found.append((name, value))
    return found
