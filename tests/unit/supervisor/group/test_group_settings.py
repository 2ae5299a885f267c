"""From a worker file to the settings of its membership."""

from __future__ import annotations

import pytest

from connectd.errors import ConfigException
from supervisor.group import GroupSettings
from supervisor.group.protocol import ConnectProtocol
from tasks.settings import DistributedConfig

FILE = {
    "bootstrap.servers": "k1:9092,k2:9092",
    "group.id": "cluster",
    "key.converter": "K",
    "value.converter": "V",
    "config.storage.topic": "c",
    "offset.storage.topic": "o",
    "status.storage.topic": "s",
}


def settings(**more: str) -> GroupSettings:
    given = {key.replace("_", "."): value for key, value in more.items()}
    return GroupSettings.of(DistributedConfig(FILE | given), "http://me:8083/")


def test_what_nobody_sets_is_as_in_java() -> None:
    found = settings()
    assert (found.group_id, found.url, found.instance_id, found.protocol) == (
        "cluster",
        "http://me:8083/",
        None,
        ConnectProtocol.SESSIONED,
    )
    times = (found.session_timeout_ms, found.heartbeat_interval_ms, found.rebalance_timeout_ms)
    assert (*times, found.scheduled_rebalance_max_delay_ms) == (10_000, 3_000, 60_000, 300_000)
    names = ("request_timeout_ms", "retry_backoff_ms", "reconnect_backoff_ms", "reconnect_backoff_max_ms")
    assert [found.client[name] for name in names] == [40_000, 100, 50, 1_000]


def test_all_of_it_can_be_set() -> None:
    found = settings(
        client_id="me",
        group_instance_id="host-1",
        connect_protocol="Compatible",
        session_timeout_ms="30000",
        heartbeat_interval_ms="1000",
        rebalance_timeout_ms="20000",
        scheduled_rebalance_max_delay_ms="0",
        request_timeout_ms="5000",
        reconnect_backoff_max_ms="9000",
    )
    assert (found.client_id, found.instance_id, found.protocol) == ("me", "host-1", ConnectProtocol.COMPATIBLE)
    times = (found.session_timeout_ms, found.heartbeat_interval_ms, found.rebalance_timeout_ms)
    assert (*times, found.scheduled_rebalance_max_delay_ms) == (30_000, 1_000, 20_000, 0)
    names = ("bootstrap_servers", "request_timeout_ms", "reconnect_backoff_max_ms")
    assert [found.client[name] for name in names] == ["k1:9092,k2:9092", 5_000, 9_000]


def test_security_goes_to_the_client_and_is_not_shown() -> None:
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    found = settings(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_jaas_config=f'{module} required username="joe" password="s3cret";',
    )
    names = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
    assert [found.client[name] for name in names] == ["SASL_PLAINTEXT", "PLAIN", "joe", "s3cret"]
    assert "s3cret" not in repr(found)


def test_security_that_cannot_be_used() -> None:
    with pytest.raises(ConfigException, match=r"ssl\.truststore\.location"):
        settings(security_protocol="SSL", ssl_truststore_location="/nowhere.pem", ssl_truststore_type="PEM")
