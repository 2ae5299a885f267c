"""What kafka-python is told, from the settings of Java's clients."""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient

from connectd.errors import ConfigException
from tasks.clients import worker_admin_settings
from tasks.clients.kafka_python import kafka_python_conf
from tasks.settings import WorkerConfig

SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="s3cret";'


def conf(**settings: Any) -> dict[str, Any]:
    given = {name.replace("_", "."): value for name, value in settings.items()}
    worker = WorkerConfig({"bootstrap.servers": "k:1", "key.converter": "K", "value.converter": "V", **given})
    return kafka_python_conf(worker_admin_settings(worker, "me"))


def test_connections_and_their_timeouts() -> None:
    found = conf(
        bootstrap_servers="one:9092,PLAINTEXT://two:9093",
        request_timeout_ms="1000",
        reconnect_backoff_ms="10",
        reconnect_backoff_max_ms="20",
        retry_backoff_ms="30",
        metadata_max_age_ms="40",
        connections_max_idle_ms="50",
        client_dns_lookup="resolve_canonical_bootstrap_servers_only",
    )
    assert found == {
        "bootstrap_servers": "one:9092,PLAINTEXT://two:9093",
        "client_id": "me",
        "request_timeout_ms": 1000,
        "reconnect_backoff_ms": 10,
        "reconnect_backoff_max_ms": 20,
        "retry_backoff_ms": 30,
        "metadata_max_age_ms": 40,
        "connections_max_idle_ms": 50,
        "client_dns_lookup": "resolve_canonical_bootstrap_servers_only",
        "security_protocol": "PLAINTEXT",
    }


def test_connections_that_are_never_idle_for_too_long() -> None:
    assert conf(connections_max_idle_ms="-1")["connections_max_idle_ms"] > 10**9


def test_every_setting_exists() -> None:
    found = conf(
        request_timeout_ms="1",
        reconnect_backoff_ms="1",
        reconnect_backoff_max_ms="1",
        retry_backoff_ms="1",
        metadata_max_age_ms="10",
        connections_max_idle_ms="1",
        client_dns_lookup="use_all_dns_ips",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_jaas_config=SCRAM,
    )
    assert found.keys() <= KafkaAdminClient.DEFAULT_CONFIG.keys()


def test_user_and_password_are_hidden_where_they_are_printed() -> None:
    found = conf(security_protocol="sasl_plaintext", sasl_mechanism="SCRAM-SHA-256", sasl_jaas_config=SCRAM)
    assert (found["sasl_plain_username"], found["sasl_plain_password"]) == ("alice", "s3cret")
    assert (found["security_protocol"], found["sasl_mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-256")
    assert "s3cret" not in repr(found)


def test_kerberos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", "of the environment")
    jaas = 'com.sun.security.auth.module.Krb5LoginModule required keyTab="/etc/kafka.keytab" principal="me@REALM";'
    found = conf(security_protocol="SASL_PLAINTEXT", sasl_jaas_config=jaas, **{"sasl.kerberos.service.name": "broker"})
    assert (found["sasl_mechanism"], found["sasl_kerberos_service_name"]) == ("GSSAPI", "broker")
    assert os.environ["KRB5_CLIENT_KTNAME"] == "/etc/kafka.keytab"


def test_a_mechanism_that_it_does_not_have() -> None:
    with pytest.raises(ConfigException) as refused:
        conf(security_protocol="SASL_PLAINTEXT", sasl_mechanism="ANONYMOUS")
    assert (refused.value.key, refused.value.value) == ("sasl.mechanism", "ANONYMOUS")


@pytest.mark.parametrize("name", ["kafka.admin.client", "kafka.net.connection", "kafka.protocol.parser"])
def test_loggers_that_would_print_passwords_are_kept_from_it(name: str) -> None:
    logger = logging.getLogger(name)
    before = logger.level
    try:
        logger.setLevel(logging.DEBUG)
        conf()
        assert not logger.isEnabledFor(logging.DEBUG)
        logger.setLevel(logging.ERROR)
        conf()
        assert not logger.isEnabledFor(logging.WARNING)
    finally:
        logger.setLevel(before)
