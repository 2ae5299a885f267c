"""Waiting for a consumer: what comes ends it, and so may anybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tasks.sink.arrivals import Arrivals
from tests.support.loops import until

LONG_S = 60.0


@pytest.fixture
def producer() -> Iterator[Producer]:
    """Of a cluster of librdkafka's own."""
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    yield producer
    producer.flush(30)


@pytest.fixture
def consumer(producer: Producer) -> Iterator[Consumer]:
    """Of a topic that is there and has been read to its end."""
    (broker,) = producer.list_topics("t", 30).brokers.values()
    servers = f"{broker.host}:{broker.port}"
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition("t", 0, 0)])
    producer.produce("t", "first", partition=0)
    until(lambda: consumer.consume(1, 0.1), "it is read")
    yield consumer
    consumer.close()


@pytest.fixture
def arrivals(consumer: Consumer) -> Iterator[Arrivals]:
    arrivals = Arrivals(consumer)
    yield arrivals
    arrivals.close()


def waits(arrivals: Arrivals, ended_by: Callable[[], object]) -> float:
    """For how many seconds it waited."""
    started = time.monotonic()
    thread = threading.Thread(target=arrivals.wait, args=(LONG_S,))
    thread.start()
    ended_by()
    thread.join()
    return time.monotonic() - started


def test_each_record_ends_the_wait_in_which_it_comes(
    producer: Producer, consumer: Consumer, arrivals: Arrivals
) -> None:
    for value in (b"second", b"third"):
        arrivals.clear()
        assert consumer.consume(10, 0.001) == []
        assert waits(arrivals, lambda value=value: producer.produce("t", value, partition=0)) < LONG_S
        [message] = until(lambda: consumer.consume(1, 0.1), "it is there")
        assert message.value() == value


def test_anybody_may_end_it_also_beforehand(arrivals: Arrivals) -> None:
    assert waits(arrivals, arrivals.wake) < LONG_S
    assert waits(arrivals, lambda: None) < LONG_S


def test_what_was_cleared_ends_nothing(arrivals: Arrivals) -> None:
    arrivals.wake()
    arrivals.clear()
    started = time.monotonic()
    arrivals.wait(0.05)
    assert time.monotonic() - started >= 0.05


def test_nobody_is_woken_when_it_is_closed(consumer: Consumer) -> None:
    arrivals = Arrivals(consumer)
    arrivals.close()
    arrivals.wake()
