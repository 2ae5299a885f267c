"""Clients that live long: one that knows no broker any more is given those of bootstrap.servers again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from tasks.clients import ClientSettings, Statistics, create_lasting
from tasks.clients import lasting as lasting_module
from tasks.clients.translated import ClientConf
from tests.support.loops import until

INTERVAL_MS = 50


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting_module, "INTERVAL_MS", INTERVAL_MS)


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    """A cluster of librdkafka's own, of one broker."""
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = cluster.list_topics(timeout=30).brokers.values()
    yield f"{broker.host}:{broker.port}"
    cluster.purge()


def settings(servers: str) -> ClientSettings:
    conf = {"bootstrap.servers": servers, "group.id": "any", "log_level": 0}
    return ClientSettings(conf=ClientConf(conf), warnings=[], origins={})


def without_brokers(factory: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Clients as if they had lost theirs."""
    return lambda conf: factory({key: value for key, value in conf.items() if key != "bootstrap.servers"})


def sources(statistics: Statistics) -> set[str]:
    return {broker.source for broker in statistics.brokers.values()}


def serve_until(client: Any, holds: Callable[[], object], what: str) -> None:
    def served() -> object:
        client.poll(0.01)
        return holds()

    until(served, what)


@pytest.mark.parametrize("factory", [Producer, Consumer, AdminClient])
def test_a_client_without_any_broker_starts_again_from_bootstrap_servers(factory: Any, servers: str) -> None:
    seen: list[Statistics] = []
    with capture_logs() as logged:
        client = create_lasting(without_brokers(factory), settings(servers), seen.append)
        serve_until(client, lambda: seen and sources(seen[-1]) & {"configured", "learned"}, "the client knows a broker")
        assert list(client.list_topics(timeout=30).brokers) == [1]
    # The coordinator of a consumer's group is none: it has no address yet.
    assert sources(seen[0]) == ({"logical"} if factory is Consumer else set())
    (warning,) = logged
    assert warning["log_level"] == "warning"
    assert warning["event"].endswith(f"lost all brokers and starts again from bootstrap.servers, {servers}")


def test_what_a_client_without_any_broker_had_to_send_arrives(servers: str) -> None:
    delivered: set[Any] = set()
    producer = create_lasting(without_brokers(Producer), settings(servers))
    for number in range(10):
        producer.produce("t", str(number), on_delivery=lambda error, message: delivered.add((error, message.value())))
    serve_until(producer, lambda: len(delivered) == 10, "all is delivered")
    assert delivered == {(None, b"%d" % number) for number in range(10)}


def test_brokers_that_are_away_are_left_to_the_client() -> None:
    seen: list[Statistics] = []
    with capture_logs() as logged:
        producer = create_lasting(Producer, settings("127.0.0.1:1,127.0.0.1:2"), seen.append)
        serve_until(producer, lambda: len(seen) >= 4, "the client has told of itself")
    assert {len(each.brokers) for each in seen} == {2}
    assert logged == []
