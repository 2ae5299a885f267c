"""Topics that the worker creates for a source (KIP-158), on a real Kafka."""

from __future__ import annotations

import re
import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from connectd.errors import ConnectException, RetriableException
from connectd.transforms import Transformation
from tasks.chain import Step
from tasks.settings.topic_creation import TopicCreationGroup
from tasks.source.sender import SendAbandoned
from tasks.topic_creation import TopicCreation
from tests.support.kafka import TestKafka
from tests.support.loops import run_source, strings, until
from tests.support.plugins import Applying
from tests.support.sources import PARTITION, NumberSource

NOTHING = re.compile(r"(?!)")


def group(
    name: str = "default",
    include: str = ".*",
    exclude: re.Pattern[str] = NOTHING,
    partitions: int = -1,
    replication_factor: int = -1,
    **configs: str,
) -> TopicCreationGroup:
    return TopicCreationGroup(
        name=name,
        include=re.compile(include),
        exclude=exclude,
        partitions=partitions,
        replication_factor=replication_factor,
        configs={key.replace("_", "."): value for key, value in configs.items()},
    )


def creation(kafka: TestKafka, *groups: TopicCreationGroup) -> TopicCreation:
    return TopicCreation(groups, lambda: AdminClient(dict(kafka.client)), threading.Event())


def config(kafka: TestKafka, topic: str, key: str) -> str | None:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    described = kafka.admin.describe_configs([resource])[resource].result(30)
    value: str | None = described[key].value
    return value


def test_the_first_group_that_matches_makes_the_topic(kafka: TestKafka, topic: str) -> None:
    large = group("large", ".*-large|.*-small", re.compile(".*-small"), 3, 1, cleanup_policy="compact")
    topics = creation(kafka, large, group(partitions=2))
    for name in (f"{topic}-large", f"{topic}-small"):
        topics.ensure(name)
    assert len(kafka.end_offsets(f"{topic}-large")) == 3
    assert len(kafka.end_offsets(f"{topic}-small")) == 2
    assert config(kafka, f"{topic}-large", "cleanup.policy") == "compact"
    assert config(kafka, f"{topic}-small", "cleanup.policy") == "delete"


def test_a_topic_that_exists_stays_as_it_is(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    creation(kafka, group(partitions=4)).ensure(topic)
    assert len(kafka.end_offsets(topic)) == 1


def test_a_topic_is_looked_after_once(kafka: TestKafka, topic: str) -> None:
    connections: list[AdminClient] = []

    def connect() -> AdminClient:
        connections.append(AdminClient(dict(kafka.client)))
        return connections[-1]

    topics = TopicCreation([group(partitions=1)], connect, threading.Event())
    topics.ensure(topic)
    topics.ensure(f"{topic}-2")
    kafka.admin.delete_topics([topic])[topic].result(30)
    until(lambda: topic not in kafka.admin.list_topics(timeout=30).topics, "all brokers know that it is gone")
    topics.ensure(topic)
    assert topic not in kafka.admin.list_topics(timeout=30).topics
    assert len(connections) == 1


def test_without_groups_nothing_is_asked_for() -> None:
    def connect() -> AdminClient:
        raise AssertionError("no connection is needed")

    TopicCreation([], connect, threading.Event()).ensure("t")


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (group("wide", replication_factor=7), "INVALID_REPLICATION_FACTOR"),
        (group("wrong", no_such_key="1"), "INVALID_CONFIG"),
    ],
)
def test_what_the_cluster_refuses_names_topic_group_and_cause(
    kafka: TestKafka, topic: str, wrong: TopicCreationGroup, expected: str
) -> None:
    with pytest.raises(ConnectException, match=f"Cannot create topic {topic}.*'{wrong.name}'.*{expected}") as raised:
        creation(kafka, wrong).ensure(topic)
    assert not isinstance(raised.value, RetriableException)


def test_a_cluster_that_does_not_answer_may_do_so_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.topic_creation.REQUEST_TIMEOUT_S", 0.2)
    nowhere = {"bootstrap.servers": "127.0.0.1:1", "log_level": 2}
    with pytest.raises(RetriableException, match="Cannot create topic t"):
        TopicCreation([group()], lambda: AdminClient(nowhere), threading.Event()).ensure("t")


def test_a_stop_does_not_wait_for_an_answer() -> None:
    nowhere = {"bootstrap.servers": "127.0.0.1:1", "log_level": 2}
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(SendAbandoned):
        TopicCreation([group()], lambda: AdminClient(nowhere), stopping).ensure("t")


@pytest.mark.parametrize("exists", [True, False])
def test_who_may_not_create_may_use_what_exists(exists: bool) -> None:
    class Admin:
        def create_topics(self, topics: list[Any], request_timeout: float) -> dict[str, Future[None]]:
            refused: Future[None] = Future()
            refused.set_exception(KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)))
            return {"t": refused}

        def list_topics(self, timeout: float) -> SimpleNamespace:
            return SimpleNamespace(topics={"t": None} if exists else {})

    topics = TopicCreation([group()], Admin, threading.Event())  # type: ignore[arg-type]
    if exists:
        topics.ensure("t")
    else:
        with pytest.raises(ConnectException, match="TOPIC_AUTHORIZATION_FAILED"):
            topics.ensure("t")


@pytest.mark.parametrize("steps", [[], [Step(Applying(lambda record: record))]], ids=["columns", "records"])
def test_a_source_creates_its_topic_and_tries_again_when_it_must(
    kafka: TestKafka, topic: str, steps: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.source.loop.RETRY_BACKOFF_S", 0.01)
    ensure, failures = TopicCreation.ensure, iter([True, True])

    def moody(topics: TopicCreation, name: str) -> None:
        if next(failures, False):
            raise RetriableException("the controller is moving")
        ensure(topics, name)

    monkeypatch.setattr(TopicCreation, "ensure", moody)
    task = NumberSource(topic, 20, batch=20)
    groups = [group(partitions=2)]
    with run_source(task, kafka.client, groups=groups, pipeline=strings(steps=steps)) as running:
        until(lambda: running.supervisor.committed(PARTITION) == {"n": 19}, "all is committed")
        running.stop()
    assert sum(kafka.end_offsets(topic).values()) == 20
    assert len(kafka.end_offsets(topic)) == 2


def test_the_topic_is_that_of_the_transformed_record(kafka: TestKafka, topic: str) -> None:
    route: Transformation[Any] = Applying(lambda record: record.new_record(topic=f"{topic}-routed"))
    task = NumberSource(topic, 3)
    with run_source(task, kafka.client, groups=[group(partitions=1)], pipeline=strings(steps=[Step(route)])) as running:
        assert kafka.lines(f"{topic}-routed", 3) == ["0", "1", "2"]
        running.stop()
    assert topic not in kafka.admin.list_topics(timeout=30).topics
