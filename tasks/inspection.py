"""Questions about plugins that only their own code can answer: is this configuration valid, and which plugins are there."""

from __future__ import annotations

from plugins.discovery import list_plugins as find_plugins
from tasks.messages import ListPlugins, PluginInfo, Plugins, Validate, Validated
from tasks.settings import WorkerConfig
from tasks.settings.validation import validate_connector


def validate(order: Validate) -> Validated:
    """Check a connector's configuration with the connector's own code."""
    return validate_connector(order.config, WorkerConfig(order.worker_config)).message()


def list_plugins(order: ListPlugins) -> Plugins:
    """All plugins that this worker would find, the broken ones with their errors."""
    found = find_plugins(WorkerConfig(order.worker_config).plugin_path)
    return Plugins(
        plugins=[
            PluginInfo(
                name=each.name,
                kind=each.kind,
                version=each.version,
                location=each.location,
                aliases=each.aliases,
                error=each.error,
            )
            for each in found
        ]
    )
