"""Session keys are replaced in time, and requests of workers that do not have them are refused."""

from __future__ import annotations

import pytest

from connectd.errors import ConnectException
from supervisor.herder.distributed.session_keys import SessionKeys
from supervisor.herder.errors import BadRequest, Forbidden, Unavailable
from supervisor.herder.signatures import RequestSignature, signed
from supervisor.storage.config_records import SessionKey
from tasks.settings import DistributedConfig

WORKER = {
    "bootstrap.servers": "localhost:9092",
    "group.id": "cluster",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "config.storage.topic": "configs",
    "offset.storage.topic": "offsets",
    "status.storage.topic": "statuses",
}


class Keys:
    """What the config topic and the clock say."""

    def __init__(self, **worker: str) -> None:
        props = {key.replace("_", "."): value for key, value in worker.items()}
        self.now = 1000.0
        self.key: SessionKey | None = None
        self.keys = SessionKeys(DistributedConfig(WORKER | props), lambda: self.key, lambda: self.now)


def test_a_key_is_made_when_there_is_none_and_replaced_when_it_is_too_old() -> None:
    it = Keys(inter_worker_key_ttl_ms="60000")
    assert it.keys.must_be_replaced()
    it.key = it.keys.new()
    assert (len(it.key.key), it.key.algorithm, it.key.creation_timestamp_ms) == (32, "HmacSHA256", 1_000_000)
    it.now += 59.9
    assert not it.keys.must_be_replaced()
    it.now += 0.1
    assert it.keys.must_be_replaced()


def test_each_key_is_another_one() -> None:
    it = Keys()
    assert it.keys.new().key != it.keys.new().key


def test_a_key_of_another_kind_than_configured_is_replaced() -> None:
    it = Keys()
    it.key = it.keys.new()
    other = Keys(inter_worker_key_generation_algorithm="HmacSHA512")
    other.key = it.key
    assert other.keys.must_be_replaced()
    other = Keys(inter_worker_key_size="128")
    other.key = it.key
    assert other.keys.must_be_replaced()


def test_without_a_time_to_live_a_key_lives_for_ever() -> None:
    it = Keys(inter_worker_key_ttl_ms="0")
    it.key = it.keys.new()
    it.now += 1e9
    assert not it.keys.must_be_replaced()


def request(key: bytes, algorithm: str = "HmacSHA256") -> RequestSignature | None:
    return RequestSignature.of(signed(key, algorithm, b"[]"), b"[]")


def test_a_request_that_is_signed_with_the_key_counts() -> None:
    it = Keys()
    it.key = it.keys.new()
    it.keys.require_signed(request(it.key.key))
    assert it.keys.signing == (it.key.key, "HmacSHA256")


def test_other_requests_are_refused() -> None:
    it = Keys()
    refused: list[tuple[RequestSignature | None, type[ConnectException]]] = [
        (None, BadRequest),
        (request(b"k", "HmacSHA512"), BadRequest),
        (request(b"k"), Unavailable),  # nobody knows a key yet
    ]
    for signature, error in refused:
        with pytest.raises(error):
            it.keys.require_signed(signature)
    it.key = it.keys.new()
    with pytest.raises(Forbidden):
        it.keys.require_signed(request(b"another key"))


def test_the_key_is_not_printed() -> None:
    it = Keys()
    key = it.keys.new()
    assert repr(key.key) not in repr(key)
