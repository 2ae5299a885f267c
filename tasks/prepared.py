"""What most children need, made before they are forked: they start sooner, and share its memory."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Final

from confluent_kafka import KafkaException, Producer

from plugins.discovery import builtin
from tasks.logs import prepare_logging
from tasks.settings import DistributedConfig, Limits, SinkConnectorConfig, SourceConnectorConfig, WorkerConfig

# Small ones that nearly everybody uses. No third-party code: what a plugin does when it is imported is done in its own process.
_PLUGINS: Final = (
    "org.apache.kafka.connect.file.FileStreamSourceConnector",
    "org.apache.kafka.connect.file.FileStreamSinkConnector",
    "org.apache.kafka.connect.json.JsonConverter",
    "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "org.apache.kafka.connect.storage.StringConverter",
)


def prepare() -> None:
    """To be called before the first child is forked."""
    prepare_logging()
    Limits.of({}, {})
    for worker in (WorkerConfig, DistributedConfig):
        worker.config_def()
    for connector in (SourceConnectorConfig, SinkConnectorConfig):
        connector.base_config_def()
    for name in _PLUGINS:
        import_module(builtin.NAMES[name].partition(":")[0])
    _initialize_librdkafka()


def _initialize_librdkafka() -> None:
    """What it does once, for all clients: OpenSSL, and tables of its own. There is no other way to ask for it than by a client,
    and none may be made before a fork: these settings contradict each other, which it says only afterwards."""
    with suppress(KafkaException):
        Producer({"transactional.id": "none", "enable.idempotence": False})
