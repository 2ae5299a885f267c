"""What most children need, made before they are forked: they start sooner, and share its memory."""

from __future__ import annotations

from importlib import import_module
from typing import Final

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
