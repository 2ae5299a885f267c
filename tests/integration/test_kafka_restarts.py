"""Source and sink tasks while their only broker is restarted, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from supervisor.embedded import EmbeddedKafka
from supervisor.embedded.ports import free_port
from tests.support.kafka import TestKafka
from tests.support.loops import run_sink, run_source, until
from tests.support.sinks import RecordingSink
from tests.support.sources import NumberSource

PAIRS = 6
RESTARTS = 2
TIMEOUT_S = 120.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.clients.lasting.INTERVAL_MS", 500)


@contextmanager
def pair(client: Any, topic: str) -> Iterator[tuple[NumberSource, RecordingSink]]:
    """A source that writes to a topic, and a sink that reads it."""
    source, sink = NumberSource(topic, 0), RecordingSink()
    with run_source(source, client), run_sink(sink, client, [topic], f"g-{topic}"):
        yield source, sink


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_clients_that_have_lost_all_brokers_find_them_again(
    kafka: TestKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.create_topic(topic)
    for factory in (Producer, Consumer):
        monkeypatch.setattr(
            f"tests.support.loops.{factory.__name__}",
            lambda conf, factory=factory: factory({k: v for k, v in conf.items() if k != "bootstrap.servers"}),
        )
    with pair(kafka.client, topic) as (source, sink):
        source.count = 100
        until(lambda: sink.values == numbers(100), "all has arrived")


def test_all_records_arrive_although_kafka_is_restarted(tmp_path: Path) -> None:
    """Whether librdkafka loses its brokers at the end of one is a matter of luck: now and then one client in this test does."""
    kafka = EmbeddedKafka(tmp_path / "kafka", port=free_port()).start()
    try:
        with ExitStack() as running:
            pairs = [running.enter_context(pair(kafka.client, f"t{number}")) for number in range(PAIRS)]
            for restart in range(RESTARTS + 1):
                count = 100 * (restart + 1)
                for source, _ in pairs:
                    source.count = count
                if restart:
                    # While records are under way.
                    kafka.stop()
                    kafka.start()
                arrived = set(numbers(count))
                until(lambda: all(set(sink.values) == arrived for _, sink in pairs), "all has arrived", TIMEOUT_S)  # noqa: B023
    finally:
        kafka.stop()
