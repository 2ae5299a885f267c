"""Files of distributed workers: values, defaults, what must go together."""

import pytest

from connectd.errors import ConfigException
from tasks.settings import DistributedConfig, WorkerConfig, worker_config
from tasks.settings.unknown import unknown_worker_keys

WORKER = {
    "bootstrap.servers": "localhost:9092",
    "group.id": "cluster",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "config.storage.topic": "configs",
    "offset.storage.topic": "offsets",
    "status.storage.topic": "statuses",
}


def wrong_keys(**props: str) -> list[str | None]:
    return [
        error.key for error in DistributedConfig.errors(WORKER | {k.replace("_", "."): v for k, v in props.items()})
    ]


def test_the_least_worker_file_has_javas_defaults() -> None:
    worker = DistributedConfig(WORKER)
    assert worker.get("listeners") == ["http://:8083"]
    assert worker.group_instance_id is None
    assert worker.worker_sync_timeout_ms == 3_000
    assert worker.rebalance_timeout_ms == 60_000
    assert not worker.exactly_once_source_enabled
    assert not worker.transactional_leader_enabled
    assert (worker.key_algorithm, worker.key_bits, worker.key_ttl_ms) == ("HmacSHA256", 256, 3_600_000)
    assert worker.verification_algorithms == ["HmacSHA256"]


def test_the_storage_topics_take_their_own_settings() -> None:
    worker = DistributedConfig(
        WORKER
        | {
            "config.storage.partitions": "7",
            "offset.storage.partitions": "3",
            "offset.storage.replication.factor": "-1",
            "offset.storage.cleanup.policy": "delete",
            "offset.storage.segment.bytes": "1000",
        }
    )
    assert (worker.config_topic.name, worker.config_topic.partitions) == ("configs", 1)
    assert worker.config_topic.replication_factor == 3
    assert (worker.offset_topic.partitions, worker.offset_topic.replication_factor) == (3, -1)
    assert worker.offset_topic.config == {"segment.bytes": "1000"}
    assert worker.status_topic.partitions == 5


def test_what_must_be_there_is_named_all_at_once() -> None:
    assert [error.key for error in DistributedConfig.errors({})] == [
        "bootstrap.servers",
        "key.converter",
        "value.converter",
        "group.id",
        "config.storage.topic",
        "offset.storage.topic",
        "status.storage.topic",
    ]


def test_what_does_not_go_together_is_wrong() -> None:
    assert wrong_keys(heartbeat_interval_ms="10000") == ["heartbeat.interval.ms"]
    assert wrong_keys(inter_worker_signature_algorithm="HmacSHA512") == ["inter.worker.signature.algorithm"]
    assert wrong_keys(inter_worker_key_size="8") == ["inter.worker.key.size"]
    assert wrong_keys(status_storage_topic="offsets") == ["status.storage.topic"]
    assert wrong_keys(group_id="", config_storage_topic="") == ["group.id", "config.storage.topic"]
    assert wrong_keys(listeners="") == ["listeners"]
    with pytest.raises(ConfigException, match=r"Expected less than session\.timeout\.ms"):
        DistributedConfig(WORKER | {"session.timeout.ms": "3000"})


def test_the_name_of_a_static_member_is_one_that_brokers_take() -> None:
    for name in ("worker-1", "host.example.org", "_", "...", "a" * 249):
        assert DistributedConfig(WORKER | {"group.instance.id": name}).group_instance_id == name
    for name in ("", ".", "..", "a b", "host:8083", "wörker", "a" * 250):
        assert wrong_keys(group_instance_id=name) == ["group.instance.id"]
    with pytest.raises(ConfigException, match="at most 249 letters, digits"):
        DistributedConfig(WORKER | {"group.instance.id": "host/1"})


def test_algorithms_and_protocols_are_known_ones() -> None:
    assert wrong_keys(inter_worker_key_generation_algorithm="AES", connect_protocol="greedy") == [
        "connect.protocol",
        "inter.worker.key.generation.algorithm",
    ]
    assert wrong_keys(inter_worker_verification_algorithms="HmacSHA256,Rot13") == [
        "inter.worker.verification.algorithms"
    ]
    assert wrong_keys(inter_worker_verification_algorithms="") == ["inter.worker.verification.algorithms"]


def test_keys_have_the_size_of_their_algorithm_or_the_given_one() -> None:
    assert DistributedConfig(WORKER | {"inter.worker.key.generation.algorithm": "HmacSHA512"}).key_bits == 512
    assert DistributedConfig(WORKER | {"inter.worker.key.size": "128"}).key_bits == 128


def test_a_child_knows_which_kind_of_worker_it_works_for() -> None:
    assert isinstance(worker_config(WORKER), DistributedConfig)
    standalone = {key: value for key, value in WORKER.items() if "storage" not in key}
    assert type(worker_config({**standalone, "offset.storage.file.filename": "f"})) is WorkerConfig


def test_unknown_keys_are_told_from_topic_settings() -> None:
    props = WORKER | {"config.storage.segment.bytes": "1000", "grop.instance.id": "a", "sasl.mechanism": "PLAIN"}
    assert unknown_worker_keys(props, DistributedConfig) == {"grop.instance.id": "group.instance.id"}
