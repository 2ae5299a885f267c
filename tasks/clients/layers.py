"""Where the settings of a task's Kafka clients come from, one layer above the other, as in Java's `Worker`.

Connect's defaults, the worker's `producer.`, `consumer.` and `admin.` keys, the connector's `producer.override.`,
`consumer.override.` and `admin.override.` keys. Admin clients also take the worker's keys without a prefix.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from tasks.clients.librdkafka import PROPERTIES
from tasks.clients.translated import Client, Given
from tasks.clients.translation import settings_of
from tasks.settings.connector import ADMIN_OVERRIDE, CONSUMER_OVERRIDE, PRODUCER_OVERRIDE, ConnectorConfig
from tasks.settings.distributed import DistributedConfig
from tasks.settings.sink import TOPICS_REGEX
from tasks.settings.worker import WorkerConfig

OVERRIDE_PREFIXES: Final[Mapping[Client, str]] = {
    Client.PRODUCER: PRODUCER_OVERRIDE,
    Client.CONSUMER: CONSUMER_OVERRIDE,
    Client.ADMIN: ADMIN_OVERRIDE,
}
_WORKER_PREFIXES: Final[Mapping[Client, str]] = {
    Client.PRODUCER: "producer.",
    Client.CONSUMER: "consumer.",
    Client.ADMIN: "admin.",
}
# Worker keys that begin like those of its admin clients, and are not theirs.
_NOT_CLIENT: Final = re.compile(r"listeners($|\.)")
_INSTANCE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
_INT_MAX: Final = 2**31 - 1

Settings = dict[str, Given]


def producer_layers(worker: WorkerConfig, connector: ConnectorConfig, client_id: str) -> Settings:
    """For a producer. Java's Connect switches idempotence off for the sake of brokers older than 2.8; here it is on."""
    defaults = {
        "acks": "all",
        "enable.idempotence": "true",
        "delivery.timeout.ms": _INT_MAX,  # records are never given up: the task would lose them
        "max.request.size": 1_048_576,
    }
    return _layers(Client.PRODUCER, worker, connector, client_id, defaults)


def consumer_layers(worker: WorkerConfig, connector: ConnectorConfig, client_id: str, task: int) -> Settings:
    """For the consumer of a sink task, a static member of the connector's group (KIP-345).

    The defaults that librdkafka has otherwise are those of the Java consumer.
    """
    group = f"connect-{connector.name}"
    defaults = {
        "group.id": group,
        "group.instance.id": instance_id(group, task),
        "enable.auto.commit": "false",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_uncommitted",
        "allow.auto.create.topics": "true",
        "check.crcs": "true",
    }
    if connector.originals().get(TOPICS_REGEX):
        defaults["exclude.internal.topics"] = "true"
        # As in Java, where a consumer with a pattern asks for no topic by name: one that was deleted stays away.
        defaults["allow.auto.create.topics"] = "false"
    return _layers(Client.CONSUMER, worker, connector, client_id, defaults)


def admin_layers(worker: WorkerConfig, connector: ConnectorConfig | None, client_id: str) -> Settings:
    """For an admin client, of a connector or of the worker itself."""
    return _layers(Client.ADMIN, worker, connector, client_id, {})


def override_layer(client: Client, connector_props: Mapping[str, Any]) -> Settings:
    """What a connector's properties set for one kind of client, whether the policy allows it or not."""
    return _below(OVERRIDE_PREFIXES[client], connector_props)


def worker_layer(client: Client, worker: WorkerConfig) -> Settings:
    """What the worker file sets for one kind of client."""
    below = _below(_WORKER_PREFIXES[client], worker.originals())
    own = {name: given for name, given in below.items() if not _NOT_CLIENT.match(name)}
    if client is not Client.ADMIN:
        return own
    rows = settings_of(Client.ADMIN)
    top_level = {
        name: Given(name, value)
        for name, value in worker.originals().items()
        if (name in rows and rows[name].effective)
        or (name in PROPERTIES and name not in DistributedConfig.config_def().config_names)
    }
    return top_level | own


def _layers(
    client: Client,
    worker: WorkerConfig,
    connector: ConnectorConfig | None,
    client_id: str,
    defaults: Mapping[str, Any],
) -> Settings:
    settings = {name: Given(name, value, by_default=True) for name, value in defaults.items()}
    settings["bootstrap.servers"] = Given("bootstrap.servers", worker.bootstrap_servers)
    settings["client.id"] = Given("client.id", client_id, by_default=True)
    settings |= worker_layer(client, worker)
    if connector is not None:
        settings |= override_layer(client, connector.originals())
    return settings


def _below(prefix: str, props: Mapping[str, Any]) -> Settings:
    return {key.removeprefix(prefix): Given(key, value) for key, value in props.items() if key.startswith(prefix)}


def instance_id(group: str, task: int) -> str:
    """`connect-<name>-<task>`, or a digest of the name where brokers would refuse its characters or length."""
    written = f"{group}-{task}"
    if _INSTANCE_ID.fullmatch(written):
        return written
    return f"connect-{hashlib.sha256(group.encode()).hexdigest()[:32]}-{task}"
