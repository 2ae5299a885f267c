"""The settings of the clients for storage topics: the worker's own keys, and what must not be changed by them."""

from __future__ import annotations

from tasks.clients.storage import (
    leader_producer_settings,
    storage_admin_settings,
    storage_consumer_settings,
    storage_producer_settings,
)
from tasks.settings.distributed import DistributedConfig
from tests.support.storage import worker_props


def worker(**more: str) -> DistributedConfig:
    return DistributedConfig(worker_props("cluster", "broker:9092", **more))


def test_the_worker_files_keys_without_a_prefix_reach_all_clients() -> None:
    config = worker(security_protocol="SSL", ssl_endpoint_identification_algorithm="", client_id="w1")
    for client, settings in (
        ("shared-admin", storage_admin_settings(config)),
        ("configs", storage_consumer_settings(config, "configs")),
        ("configs", storage_producer_settings(config, "configs", 1000)),
    ):
        assert settings.conf["security.protocol"] == "ssl"
        assert settings.conf["bootstrap.servers"] == "broker:9092"
        assert settings.conf["client.id"] == f"cluster-w1-{client}"
    assert leader_producer_settings(config, "configs", 1000).conf["client.id"] == "cluster-w1-configs-leader"


def test_keys_of_one_kind_of_client_reach_that_kind_and_prefixed_ones_none() -> None:
    config = worker(max_request_size="5000000", max_partition_fetch_bytes="3000000", producer_linger_ms="77")
    producer = storage_producer_settings(config, "configs", 1000).conf
    consumer = storage_consumer_settings(config, "configs").conf
    assert producer["message.max.bytes"] == 5_000_000 and producer["linger.ms"] == 0
    assert consumer["max.partition.fetch.bytes"] == 3_000_000 and "message.max.bytes" not in consumer


def test_no_key_makes_a_consumer_a_member_of_the_workers_group_or_writes_unsafe() -> None:
    config = worker(
        group_instance_id="me",
        session_timeout_ms="20000",
        acks="1",
        enable_idempotence="true",
        auto_offset_reset="latest",
    )
    consumer = storage_consumer_settings(config, "offsets").conf
    assert "group.instance.id" not in consumer and "session.timeout.ms" not in consumer
    assert consumer["auto.offset.reset"] == "earliest" and consumer["enable.auto.commit"] == "false"
    assert consumer["isolation.level"] == "read_uncommitted"
    producer = storage_producer_settings(config, "offsets", 1234).conf
    assert producer["acks"] == "all" and producer["enable.idempotence"] == "false"
    assert producer["max.in.flight.requests.per.connection"] == 1 and producer["delivery.timeout.ms"] == 1234
    assert producer["partitioner"] == "murmur2_random"


def test_a_leader_has_the_transactional_id_of_javas_leaders() -> None:
    conf = leader_producer_settings(worker(exactly_once_source_support="preparing"), "configs", 30_000).conf
    assert conf["transactional.id"] == "connect-cluster-cluster" and conf["enable.idempotence"] == "true"
