"""The Kafka clients of a distributed worker's three storage topics.

As in Java, they take the worker's own keys, those without a prefix, and never `producer.`, `consumer.` or `admin.` ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.clients.client_settings import ADMIN_TUNING, ClientSettings
from tasks.clients.layers import Settings
from tasks.clients.librdkafka import PROPERTIES
from tasks.clients.translate import translate
from tasks.clients.translated import Client, ClientConf, Given
from tasks.clients.translation import settings_of
from tasks.settings.distributed import DistributedConfig
from tasks.settings.group import GROUP_ID, GROUP_INSTANCE_ID, HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS

_CLIENT_ID: Final = "client.id"
_MEMBERSHIP: Final = frozenset({GROUP_ID, GROUP_INSTANCE_ID, SESSION_TIMEOUT_MS, HEARTBEAT_INTERVAL_MS})
# What librdkafka logs of an outage, several times a second, its callback for errors says, too.
_QUIET: Final[Mapping[str, Any]] = {"log_level": 2}
_PRODUCER_TUNING: Final[Mapping[str, Any]] = {
    **ADMIN_TUNING,
    "partitioner": "murmur2_random",  # a key goes to the same partition as from Java
    "linger.ms": 0,
    "queue.buffering.max.kbytes": 32_768,
}
_CONSUMER_TUNING: Final[Mapping[str, Any]] = {
    **ADMIN_TUNING,
    "enable.auto.offset.store": "false",
    "enable.partition.eof": "true",
    "fetch.queue.backoff.ms": 2,
    # What a load holds of a topic that is not applied yet. With a megabyte of each partition in an answer, as by default, and
    # all that librdkafka keeps of a record, it would be 200 MB of small ones.
    "queued.max.messages.kbytes": 1_024,
    "queued.min.messages": 5_000,
    "fetch.max.bytes": 1_000_000,
}


def storage_admin_settings(worker: DistributedConfig) -> ClientSettings:
    """For the admin client that creates the topics and asks for their ends. Raises ConfigException."""
    return _settings(Client.ADMIN, worker, "shared-admin", {}, ADMIN_TUNING)


def storage_consumer_settings(
    worker: DistributedConfig, purpose: str, *, committed_only: bool = False
) -> ClientSettings:
    """For the consumer that reads a topic from its beginning. It joins no group. Raises ConfigException."""
    committed_only = committed_only or worker.exactly_once_source_enabled
    fixed = {
        "group.id": worker.group_id,
        "enable.auto.commit": "false",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed" if committed_only else "read_uncommitted",
        "allow.auto.create.topics": "false",
    }
    return _settings(Client.CONSUMER, worker, purpose, fixed, _CONSUMER_TUNING)


def storage_producer_settings(
    worker: DistributedConfig, purpose: str, timeout_ms: int, *, in_flight: int = 1
) -> ClientSettings:
    """For the producer of a topic, which gives up a record after `timeout_ms`. Raises ConfigException.

    As in Java it is not idempotent, for the sake of old brokers: a record that is written twice says the same twice. With one
    request at a time, `in_flight`, the order is kept all the same; with more, the caller sees to as much of it as matters.
    """
    fixed = {
        "acks": "all",
        "enable.idempotence": "false",
        "max.in.flight.requests.per.connection": in_flight,
        "delivery.timeout.ms": timeout_ms,
    }
    return _settings(Client.PRODUCER, worker, purpose, fixed, _PRODUCER_TUNING)


def leader_producer_settings(worker: DistributedConfig, purpose: str, timeout_ms: int) -> ClientSettings:
    """For the producer by which a leader fences its predecessors (KIP-618). Raises ConfigException."""
    fixed = {
        "acks": "all",
        "enable.idempotence": "true",
        "max.in.flight.requests.per.connection": 5,
        "transactional.id": worker.transactional_producer_id,
        "delivery.timeout.ms": timeout_ms,
    }
    return _settings(Client.PRODUCER, worker, f"{purpose}-leader", fixed, _PRODUCER_TUNING)


def _settings(
    client: Client, worker: DistributedConfig, purpose: str, fixed: Mapping[str, Any], tuning: Mapping[str, Any]
) -> ClientSettings:
    given = _own(client, worker)
    given["bootstrap.servers"] = Given("bootstrap.servers", worker.bootstrap_servers)
    given[_CLIENT_ID] = Given(_CLIENT_ID, f"{_client_id_base(worker)}{purpose}", by_default=True)
    given |= {name: Given(name, value, by_default=True) for name, value in fixed.items()}
    translated = translate(client, given)
    return ClientSettings(
        conf=ClientConf({**_QUIET, **tuning, **translated.conf}),
        warnings=translated.warnings,
        origins=translated.origins,
    )


def _own(client: Client, worker: DistributedConfig) -> Settings:
    """What the worker file says of this kind of client without a prefix."""
    rows, declared = settings_of(client), worker.definition.config_names
    return {
        name: Given(name, value)
        for name, value in worker.originals().items()
        if name not in _MEMBERSHIP
        and ((name in rows and rows[name].effective) or (name in PROPERTIES and name not in declared))
    }


def _client_id_base(worker: DistributedConfig) -> str:
    """As `ConnectUtils.clientIdBase`."""
    own = worker.originals().get(_CLIENT_ID)
    return f"{worker.group_id}-{own}-" if own else f"{worker.group_id}-"
