"""Secured brokers: a worker file with the settings of Java's clients creates a topic, writes to it and reads from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaTimeoutError

from supervisor.embedded.embedded import EmbeddedKafka
from tasks.clients import admin_settings, consumer_settings, create, producer_settings
from tasks.clients.kafka_python import kafka_python_conf
from tasks.settings import SinkConnectorConfig, SourceConnectorConfig, WorkerConfig
from tests.support.kafka import ShortLivedKafka

WAIT_S = 60.0
CONVERTERS = {"key.converter": "ByteArray", "value.converter": "ByteArray"}
SOURCE = SourceConnectorConfig({"name": "in", "connector.class": "Source"})
SINK = SinkConnectorConfig({"name": "out", "connector.class": "Sink", "topics": "secured"})


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[EmbeddedKafka]:
    tls, sasl = request.param
    with ShortLivedKafka(tls=tls, sasl=sasl) as kafka:
        yield kafka


def worker(client: Mapping[str, str]) -> WorkerConfig:
    """A worker whose clients are all secured alike; Java wants the settings once for each kind of client."""
    prefixed = {f"{prefix}{key}": value for prefix in ("", "producer.", "consumer.") for key, value in client.items()}
    return WorkerConfig({**CONVERTERS, **prefixed})


@pytest.mark.parametrize("broker", [(True, None), (False, "PLAIN"), (True, "SCRAM-SHA-512")], ids=str, indirect=True)
def test_records_pass_with_the_settings_of_java_clients(broker: EmbeddedKafka) -> None:
    config = worker(broker.java_client)

    admin = create(AdminClient, admin_settings(config, SOURCE, 0))
    admin.create_topics([NewTopic("secured", 1, 1)])["secured"].result(WAIT_S)

    producer = create(Producer, producer_settings(config, SOURCE, 0))
    errors: list[object] = []
    producer.produce("secured", b"value", b"key", on_delivery=lambda error, message: errors.append(error))
    assert producer.flush(WAIT_S) == 0
    assert errors == [None]

    consumer = create(Consumer, consumer_settings(config, SINK, 0))
    try:
        consumer.subscribe(SINK.topics)
        message = consumer.poll(WAIT_S)
        assert isinstance(message, Message)
        assert (message.error(), message.key(), message.value()) == (None, b"key", b"value")
    finally:
        consumer.close()


@pytest.mark.parametrize("broker", [(True, None), (False, "PLAIN"), (True, "SCRAM-SHA-512")], ids=str, indirect=True)
def test_kafka_python_understands_the_same_settings(broker: EmbeddedKafka) -> None:
    admin = KafkaAdminClient(**kafka_python_conf(admin_settings(worker(broker.java_client), SOURCE, 0)))
    try:
        assert len(admin.describe_cluster()["brokers"]) == 1
    finally:
        admin.close()


@pytest.mark.parametrize("broker", [(False, "PLAIN"), (True, "SCRAM-SHA-512")], ids=str, indirect=True)
def test_a_wrong_password_is_refused(broker: EmbeddedKafka) -> None:
    settings = with_wrong_password(broker)
    errors: list[str] = []
    producer = create(
        Producer,
        producer_settings(worker(settings), SOURCE, 0),
        error_cb=lambda error: errors.append(error.name()),
    )
    for _ in range(int(WAIT_S * 10)):
        producer.poll(0.1)
        if "_AUTHENTICATION" in errors:
            break
    assert "_AUTHENTICATION" in errors


@pytest.mark.parametrize("broker", [(False, "PLAIN")], ids=str, indirect=True)
def test_a_wrong_password_is_refused_to_kafka_python(broker: EmbeddedKafka, caplog: pytest.LogCaptureFixture) -> None:
    conf = kafka_python_conf(admin_settings(worker(with_wrong_password(broker)), SOURCE, 0))
    with caplog.at_level(logging.DEBUG), pytest.raises(KafkaTimeoutError):  # it tries again until its time is up
        KafkaAdminClient(**conf, bootstrap_timeout_ms=3000)
    assert "wr0ng" not in caplog.text


def with_wrong_password(broker: EmbeddedKafka) -> dict[str, str]:
    module = broker.java_client["sasl.jaas.config"].split()[0]
    return {**broker.java_client, "sasl.jaas.config": f'{module} required username="alice" password="wr0ng";'}
