"""Where the settings of a task's clients come from, and what happens when a client is created with them."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient

from connectd.errors import ConfigException, ConnectException
from tasks.clients import (
    ADMIN_TUNING,
    CONSUMER_TUNING,
    PRODUCER_TUNING,
    ClientSettings,
    admin_settings,
    consumer_settings,
    create,
    dlq_producer_settings,
    producer_settings,
    worker_admin_settings,
    worker_client_errors,
)
from tasks.settings import SinkConnectorConfig, SourceConnectorConfig, WorkerConfig

VECTORS = json.loads((Path(__file__).parents[2] / "peer" / "settings_vectors.json").read_text("utf-8"))


def worker(**keys: str) -> WorkerConfig:
    props = {"bootstrap.servers": "localhost:1", "key.converter": "String", "value.converter": "String"}
    return WorkerConfig(props | {key.replace("_", "."): value for key, value in keys.items()})


def source(name: str = "orders", **keys: str) -> SourceConnectorConfig:
    props = {"name": name, "connector.class": "Source"}
    return SourceConnectorConfig(props | {key.replace("_", "."): value for key, value in keys.items()})


def sink(name: str = "orders", **keys: str) -> SinkConnectorConfig:
    props = {"name": name, "connector.class": "Sink", "topics": "t"}
    return SinkConnectorConfig(props | {key.replace("_", "."): value for key, value in keys.items()})


class TestProducer:
    def test_loses_and_repeats_nothing_by_default(self) -> None:
        settings = producer_settings(worker(), source(), 3)
        assert settings.conf == {
            **PRODUCER_TUNING,
            "bootstrap.servers": "localhost:1",
            "client.id": "connector-producer-orders-3",
            "acks": "all",
            "enable.idempotence": "true",
            "delivery.timeout.ms": 2**31 - 1,
            "message.max.bytes": 1_048_576,
        }
        assert settings.warnings == []

    def test_takes_the_connectors_settings_before_the_workers_before_the_defaults(self) -> None:
        settings = producer_settings(
            worker(producer_linger_ms="1", producer_batch_size="2", consumer_fetch_min_bytes="9"),
            source(producer_override_linger_ms="3", consumer_override_fetch_min_bytes="9"),
            0,
        )
        assert (settings.conf["linger.ms"], settings.conf["batch.size"]) == (3, 2)
        assert settings.origins["linger.ms"] == "producer.override.linger.ms"
        assert settings.origins["batch.size"] == "producer.batch.size"
        assert settings.warnings == []

    def test_of_a_dead_letter_queue_has_a_name_of_its_own(self) -> None:
        assert dlq_producer_settings(worker(), sink(), 1).conf["client.id"] == "connector-dlq-producer-orders-1"

    def test_does_not_take_the_workers_settings_without_prefix(self) -> None:
        assert "security.protocol" not in producer_settings(worker(security_protocol="SSL"), source(), 0).conf


class TestConsumer:
    def test_is_a_static_member_of_the_connectors_group(self) -> None:
        settings = consumer_settings(worker(), sink(), 2)
        assert settings.conf == {
            **CONSUMER_TUNING,
            "bootstrap.servers": "localhost:1",
            "client.id": "connector-consumer-orders-2",
            "group.id": "connect-orders",
            "group.instance.id": "connect-orders-2",
            "enable.auto.commit": "false",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_uncommitted",
            "allow.auto.create.topics": "true",
            "check.crcs": "true",
        }
        assert not settings.incremental_assignment

    @pytest.mark.parametrize("name", ["a connector", "täglich", "n" * 300])
    def test_has_an_instance_id_that_brokers_accept_for_any_name(self, name: str) -> None:
        first, second = (consumer_settings(worker(), sink(name), task).conf["group.instance.id"] for task in (0, 1))
        assert first != second
        assert first.isascii()
        assert len(first) <= 249
        assert " " not in first
        assert first != consumer_settings(worker(), sink(name + "x"), 0).conf["group.instance.id"]

    def test_bounds_the_records_of_one_put(self) -> None:
        settings = consumer_settings(worker(consumer_max_poll_records="7"), sink(), 0)
        assert settings.max_poll_records == 7
        assert "max.poll.records" not in settings.conf

    @pytest.mark.parametrize(
        ("key", "value"),
        [("partition_assignment_strategy", "CooperativeStickyAssignor"), ("group_protocol", "CONSUMER")],
    )
    def test_knows_whether_partitions_come_one_by_one(self, key: str, value: str) -> None:
        settings = consumer_settings(worker(), sink(**{f"consumer_override_{key}": value}), 0)
        assert settings.incremental_assignment

    def test_does_not_bring_back_deleted_topics_of_a_pattern(self) -> None:
        config = SinkConnectorConfig({"name": "all", "connector.class": "S", "topics.regex": ".*"})
        assert consumer_settings(worker(), config, 0).conf["allow.auto.create.topics"] == "false"

    def test_sees_no_internal_topics_through_a_pattern(self) -> None:
        def seen(**keys: str) -> set[str]:
            # librdkafka's broker made for tests, with topics that come to be when they are asked for.
            producer = Producer({"test.mock.num.brokers": 1, "allow.auto.create.topics": True})
            for topic in ("lines", "__consumer_offsets", "__transaction_state"):
                producer.produce(topic, b"")
            assert producer.flush(30) == 0
            broker = next(iter(producer.list_topics(timeout=30).brokers.values()))
            config = SinkConnectorConfig(
                {
                    "name": "all",
                    "connector.class": "S",
                    "topics.regex": ".*",
                    "consumer.override.broker.address.family": "v4",
                }
                | keys
            )
            at = worker(bootstrap_servers=f"{broker.host}:{broker.port}")
            consumer = create(Consumer, consumer_settings(at, config, 0))
            consumer.subscribe(["^.*$"])
            for _ in range(300):
                consumer.poll(0.1)
                if assigned := consumer.assignment():
                    break
            consumer.close()
            return {partition.topic for partition in assigned}

        assert seen() == {"lines"}
        assert "__consumer_offsets" in seen(**{"consumer.override.exclude.internal.topics": "false"})


class TestAdmin:
    def test_takes_the_workers_settings_with_and_without_prefix(self) -> None:
        settings = admin_settings(
            worker(
                security_protocol="SSL",
                retry_backoff_ms="1",
                admin_retry_backoff_ms="2",
                debug="security",
                metric_reporters="none",
                admin_listeners="http://localhost:1",
            ),
            source(),
            0,
        )
        assert settings.conf == {
            **ADMIN_TUNING,
            "bootstrap.servers": "localhost:1",
            "client.id": "connector-adminclient-orders-0",
            "security.protocol": "ssl",
            "retry.backoff.ms": 2,
            "debug": "security",
        }
        assert settings.warnings == []

    def test_of_the_worker_has_no_connector(self) -> None:
        assert worker_admin_settings(worker(), "topics").conf["client.id"] == "topics"


class TestOverridePolicy:
    def settings(self, policy: str, **keys: str) -> ClientSettings:
        allowlist = {"connector_client_config_override_allowlist": "linger.ms, acks"}
        return producer_settings(worker(connector_client_config_override_policy=policy, **allowlist), source(**keys), 0)

    @pytest.mark.parametrize(
        ("policy", "key"),
        [
            ("All", "linger.ms"),
            ("Allowlist", "linger.ms"),
            ("Principal", "security.protocol"),
            ("Principal", "sasl.mechanism"),
        ],
    )
    def test_allows(self, policy: str, key: str) -> None:
        value = {"linger.ms": "1", "security.protocol": "PLAINTEXT", "sasl.mechanism": "PLAIN"}[key]
        self.settings(policy, **{f"producer.override.{key}": value})

    @pytest.mark.parametrize(("policy", "key"), [("None", "acks"), ("Allowlist", "retries"), ("Principal", "acks")])
    def test_forbids(self, policy: str, key: str) -> None:
        with pytest.raises(ConfigException, match=rf"producer\.override\.{key}: The '{policy}' policy"):
            self.settings(policy, **{f"producer.override.{key}": "1"})


class TestCreate:
    def test_gives_a_client_that_logs_to_the_standard_logger(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        seen: list[Any] = []
        producer = create(Producer, producer_settings(worker(), source(), 0), error_cb=seen.append)
        for _ in range(100):
            producer.poll(0.1)
            if seen and caplog.records:
                break
        assert {record.name for record in caplog.records} == {"tasks.clients.librdkafka"}
        assert seen  # nobody listens at port 1

    @pytest.mark.parametrize("client", [AdminClient, Producer])
    def test_of_other_kinds(self, client: Any) -> None:
        create(client, worker_admin_settings(worker(), "any"))

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("statistics_interval_ms", "-5"),
            ("debug", "nothing-like-this"),
            ("ssl_ca_pem", "no certificate"),
            ("session_timeout_ms", "400000"),
        ],
    )
    def test_maps_what_librdkafka_refuses_to_the_key_that_was_written(self, key: str, value: str) -> None:
        written = f"consumer.override.{key.replace('_', '.')}"
        settings = consumer_settings(
            worker(), sink(**{written: value, "consumer.override.security.protocol": "SSL"}), 0
        )
        with pytest.raises(ConfigException) as refused:
            create(Consumer, settings)
        assert refused.value.key == written
        assert written in str(refused.value)

    def test_hides_secrets_in_errors(self) -> None:
        settings = consumer_settings(worker(), sink(consumer_override_ssl_key_pem="s3cret"), 0)
        with pytest.raises(ConnectException) as refused:
            create(Consumer, ClientSettings(conf=settings.conf | {"debug": "?"}, warnings=[], origins=settings.origins))
        assert "s3cret" not in str(refused.value)

    def test_explains_a_mechanism_that_this_build_does_not_have(self) -> None:
        keys = {"producer_security_protocol": "SASL_PLAINTEXT", "producer_sasl_mechanism": "NTLM"}
        with pytest.raises(ConfigException) as refused:
            create(Producer, producer_settings(worker(**keys), source(), 0))
        assert refused.value.key == "producer.sasl.mechanism"


def test_keys_go_to_the_partitions_where_java_puts_them() -> None:
    expected = VECTORS["partition_of_four"]
    settings = producer_settings(worker(), source(), 0)
    # librdkafka's broker made for tests; its topics have four partitions.
    producer = create(Producer, settings, **{"test.mock.num.brokers": 1})
    partitions: dict[str, int | None] = {}

    def delivered(error: Any, message: Message) -> None:
        assert error is None
        key = message.key()
        assert isinstance(key, bytes)
        partitions[key.decode()] = message.partition()

    for key in expected:
        producer.produce("topic", b"", key.encode(), on_delivery=delivered)
    assert producer.flush(30) == 0
    assert partitions == expected


def test_wrong_client_settings_of_a_worker_are_found_before_any_client_is_created() -> None:
    wrong = worker(producer_acks="5", consumer_fetch_min_bytes="x", retry_backoff_ms="y", producer_linger_ms="1")
    assert {error.key for error in worker_client_errors(wrong)} == {
        "producer.acks",
        "consumer.fetch.min.bytes",
        "retry.backoff.ms",
    }
    assert worker_client_errors(worker(producer_linger_ms="1", key_converter_schemas_enable="x")) == []
