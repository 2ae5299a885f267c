"""The settings of a task's Kafka clients, ready for confluent_kafka, and how to create a client with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from connectd.config import Password
from connectd.errors import ConfigException, ConnectException
from tasks.clients.layers import Settings, admin_layers, consumer_layers, override_layer, producer_layers
from tasks.clients.overrides import refusals
from tasks.clients.translate import translate
from tasks.clients.translated import Client, ClientConf, Given, is_secret
from tasks.settings.connector import ConnectorConfig
from tasks.settings.distributed import DistributedConfig
from tasks.settings.worker import WorkerConfig

T = TypeVar("T")

_logger: Final = logging.getLogger(f"{__package__}.librdkafka")

# What is gathered for brokers that collect metrics of clients (KIP-714) takes a quarter of a megabyte in a producer, and half of
# one in a consumer: as much as all else of an idle one.
ADMIN_TUNING: Final[Mapping[str, Any]] = {"enable.metrics.push": "false"}
# What makes librdkafka fast and keeps its memory bounded, in its own names: used where the user set nothing.
PRODUCER_TUNING: Final[Mapping[str, Any]] = {
    **ADMIN_TUNING,
    "partitioner": "murmur2_random",  # a key goes to the same partition as from Java
    "linger.ms": 20,
    "batch.size": 1_000_000,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 200_000,
    "queue.buffering.max.kbytes": 32_768,
}
CONSUMER_TUNING: Final[Mapping[str, Any]] = {
    **ADMIN_TUNING,
    "enable.auto.offset.store": "false",
    "fetch.queue.backoff.ms": 2,  # librdkafka's own is 1000, which lets a full queue run empty
    "queued.min.messages": 25_000,  # as fast as with librdkafka's 100,000, which are 50 MB of small ones
    "queued.max.messages.kbytes": 32_768,
}
MAX_POLL_RECORDS: Final = 2_000  # Java's default is 500


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """`conf` is for confluent_kafka; callers add their callbacks (`error_cb`, ...) to it when they create the client.

    `warnings` name keys that have no effect or are unknown. `origins` tells for each setting of librdkafka which key it
    came from. `max_poll_records` bounds the records of one `put`. Secrets are hidden when any of it is printed.
    """

    conf: ClientConf
    warnings: list[str]
    origins: Mapping[str, str]
    max_poll_records: int = MAX_POLL_RECORDS

    @property
    def incremental_assignment(self) -> bool:
        """Whether a rebalance adds and removes single partitions (KIP-429, KIP-848), instead of replacing all."""
        cooperative = self.conf.get("partition.assignment.strategy") == "cooperative-sticky"
        return cooperative or self.conf.get("group.protocol") == "consumer"


def producer_settings(worker: WorkerConfig, connector: ConnectorConfig, task: int) -> ClientSettings:
    """For the producer of a source task. Raises ConfigException."""
    client_id = f"connector-producer-{connector.name}-{task}"
    return _settings(Client.PRODUCER, worker, connector, producer_layers(worker, connector, client_id), PRODUCER_TUNING)


def exactly_once_producer_settings(worker: DistributedConfig, connector: ConnectorConfig, task: int) -> ClientSettings:
    """For the producer of a source task that writes in transactions (KIP-618). Raises ConfigException.

    As in Java, its transactional id is not for the user to choose, and it is idempotent whatever the user says.
    """
    given = producer_layers(worker, connector, f"connector-producer-{connector.name}-{task}")
    servers = given["bootstrap.servers"]
    if servers.value != worker.bootstrap_servers:
        raise ConfigException(
            servers.origin,
            servers.value,
            f"Expected the worker's own bootstrap.servers, {worker.bootstrap_servers}: a source that delivers exactly once "
            "writes its offsets beside its records, and this worker reads them in its own Kafka",
        )
    fixed = {"transactional.id": transactional_id(worker, connector.name, task), "enable.idempotence": "true"}
    given |= {name: Given(name, value, by_default=True) for name, value in fixed.items()}
    return _settings(Client.PRODUCER, worker, connector, given, PRODUCER_TUNING)


def fencing_producer_settings(
    worker: WorkerConfig, connector: ConnectorConfig, transactional_id: str
) -> ClientSettings:
    """For a producer that only claims a transactional id: it connects as the connector's admin client does, as in Java. Raises
    ConfigException."""
    settings = admin_settings(worker, connector, 0)
    return replace(settings, conf=ClientConf({**settings.conf, "transactional.id": transactional_id, "log_level": 2}))


def transactional_id(worker: DistributedConfig, connector: str, task: int) -> str:
    """As Java's `Worker.taskTransactionalId`."""
    return f"{worker.group_id}-{connector}-{task}"


def dlq_producer_settings(worker: WorkerConfig, connector: ConnectorConfig, task: int) -> ClientSettings:
    """For the producer that writes a sink task's dead letter queue. Raises ConfigException."""
    client_id = f"connector-dlq-producer-{connector.name}-{task}"
    return _settings(Client.PRODUCER, worker, connector, producer_layers(worker, connector, client_id), PRODUCER_TUNING)


def consumer_settings(worker: WorkerConfig, connector: ConnectorConfig, task: int) -> ClientSettings:
    """For the consumer of a sink task. Raises ConfigException."""
    client_id = f"connector-consumer-{connector.name}-{task}"
    given = consumer_layers(worker, connector, client_id, task)
    return _settings(Client.CONSUMER, worker, connector, given, CONSUMER_TUNING)


def admin_settings(worker: WorkerConfig, connector: ConnectorConfig, task: int) -> ClientSettings:
    """For the admin client of a task, which creates topics. Raises ConfigException."""
    client_id = f"connector-adminclient-{connector.name}-{task}"
    return _settings(Client.ADMIN, worker, connector, admin_layers(worker, connector, client_id), ADMIN_TUNING)


def worker_admin_settings(worker: WorkerConfig, client_id: str) -> ClientSettings:
    """For an admin client of the worker itself. Raises ConfigException."""
    return _settings(Client.ADMIN, worker, None, admin_layers(worker, None, client_id), {})


def create(factory: Callable[[dict[str, Any]], T], settings: ClientSettings, **callbacks: Any) -> T:
    """A client, for example ``create(Producer, producer_settings(...), error_cb=on_error)``.

    Raises ConfigException that names Java's key if librdkafka refuses a setting, ConnectException if it fails otherwise.
    """
    # Imported here: the supervisor checks settings without ever creating a client, and need not load librdkafka.
    from confluent_kafka import KafkaException

    conf = ClientConf({"logger": _logger, **settings.conf, **callbacks})
    try:
        return factory(conf)
    except KafkaException as error:
        raise _explained(error, settings) from error
    except (TypeError, ValueError) as error:
        raise ConnectException(f"Kafka client could not be created: {error}") from error


def _settings(
    client: Client,
    worker: WorkerConfig,
    connector: ConnectorConfig | None,
    given: Settings,
    tuning: Mapping[str, Any],
) -> ClientSettings:
    for refusal in refusals(worker, override_layer(client, connector.originals() if connector else {})):
        raise refusal
    translated = translate(client, given)
    records = given.get("max.poll.records")
    return ClientSettings(
        conf=ClientConf({**tuning, **translated.conf}),
        warnings=translated.warnings,
        origins=translated.origins,
        max_poll_records=int(records.value) if records else MAX_POLL_RECORDS,
    )


def _explained(error: Exception, settings: ClientSettings) -> ConnectException:
    """The error in terms of the key that the user wrote, if librdkafka's message names a setting that came from one."""
    message = str(error.args[0].str() if error.args else error)
    name = _named(message, settings.origins)
    if name is None:
        return ConnectException(f"Kafka client could not be created: {message}")
    value = Password.HIDDEN if is_secret(name) else settings.conf[name]
    return ConfigException(settings.origins[name], value, message)


def _named(message: str, names: Iterable[str]) -> str | None:
    """The setting that a message of librdkafka is about; the longest, since some names are part of others."""
    named = [name for name in names if name in message]
    if not named and "SASL mechanism" in message:
        named = [name for name in names if name == "sasl.mechanism"]
    return max(named, key=len, default=None)
