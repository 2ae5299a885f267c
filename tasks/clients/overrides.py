"""What connectors may change of their Kafka clients' settings (`org.apache.kafka.connect.connector.policy`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectd.config import ConfigValue, Password
from connectd.errors import ConfigException
from tasks.clients.layers import Settings, override_layer, worker_layer
from tasks.clients.translate import errors
from tasks.clients.translated import Client, Given, is_secret
from tasks.clients.translation import settings_of
from tasks.settings.worker import WorkerConfig

PRINCIPAL_SETTINGS: Final = ("sasl.jaas.config", "sasl.mechanism", "security.protocol")


def refusals(worker: WorkerConfig, overrides: Settings) -> list[ConfigException]:
    """An error for each setting of a connector that the worker's policy does not allow."""
    policy = worker.client_config_override_policy
    allowed = {"None": [], "Principal": PRINCIPAL_SETTINGS, "Allowlist": worker.client_config_override_allowlist}
    return [
        ConfigException(
            given.origin,
            _shown(name, given),
            f"The '{policy}' policy does not allow '{name}' to be overridden in the connector configuration.",
        )
        for name, given in overrides.items()
        if policy != "All" and name not in allowed[policy]
    ]


def override_values(client: Client, worker: WorkerConfig, config: Mapping[str, str]) -> list[ConfigValue]:
    """A value for each setting that a connector's configuration has for one kind of client, with all that is wrong.

    A wrong setting of the worker that only shows together with the connector's is among them, under its own key.
    """
    overrides = override_layer(client, config)
    values = {
        given.origin: ConfigValue(given.origin, _parsed(client, name, given)) for name, given in overrides.items()
    }
    if values:
        for error in refusals(worker, overrides):
            # As in Java without the value, which is not what is wrong.
            values[error.key or ""].add_error_message(error.message or "")
        for error in errors(client, worker_layer(client, worker) | overrides):
            key = error.key or ""
            values.setdefault(key, ConfigValue(key)).add_error_message(str(error))
    return list(values.values())


def _parsed(client: Client, name: str, given: Given) -> object:
    row = settings_of(client).get(name)
    if row is None:
        return _shown(name, given)
    try:
        return row.parse(given)
    except ConfigException:
        return None


def _shown(name: str, given: Given) -> object:
    return Password(given.value) if is_secret(name) else given.value
