"""Validation of a connector's whole configuration, as Java's `AbstractHerder.validateConnectorConfig`.

It loads the connector and the plugins that it names, and so runs third-party code: in children only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from connectd.components import Plugin
from connectd.config import ConfigValue, Password, Type, convert_to_string
from connectd.connectors import Connector, SourceConnector
from connectd.converters import Converter, HeaderConverter
from connectd.errors import ConfigException
from tasks.clients.overrides import override_values
from tasks.clients.translated import Client
from tasks.messages import ConfigKeyErrors, Validated
from tasks.settings.connector import CONNECTOR_CLASS, ConnectorConfig
from tasks.settings.plugin_definitions import PluginDefinitions
from tasks.settings.sink import DLQ_TOPIC_NAME, SinkConnectorConfig
from tasks.settings.source import SourceConnectorConfig
from tasks.settings.topic_creation import uses_topic_creation
from tasks.settings.unknown import unknown_keys
from tasks.settings.worker import HEADER_CONVERTER, KEY_CONVERTER, VALUE_CONVERTER, WorkerConfig

_CONVERTERS: Final[Mapping[str, type[Plugin]]] = {
    HEADER_CONVERTER: HeaderConverter,
    KEY_CONVERTER: Converter,
    VALUE_CONVERTER: Converter,
}


@dataclass
class ConnectorValidation:
    """The outcome: a value for each key, the unknown keys with the declared name most like each, and what it is."""

    values: list[ConfigValue]
    unknown_keys: Mapping[str, str | None] = field(default_factory=dict)
    kind: str | None = None  # "source" or "sink", None if that could not be told

    @property
    def wrong(self) -> list[ConfigValue]:
        """The values with errors; empty means that the configuration is valid."""
        return [value for value in self.values if value.error_messages]

    def message(self) -> Validated:
        """The answer to the supervisor."""
        errors = [ConfigKeyErrors(key=each.name, value=_shown(each), errors=each.error_messages) for each in self.wrong]
        return Validated(errors=errors, unknown_keys=dict(self.unknown_keys), kind=self.kind)


def validate_connector(config: Mapping[str, str], worker: WorkerConfig) -> ConnectorValidation:
    """Check everything in a connector's configuration: its own keys, the framework's, its converters', its clients'.

    References to config providers must have been resolved. Nothing is raised: an error of a plugin's code is one of the
    key that names the plugin.
    """
    plugins = PluginDefinitions(worker.plugin_path)
    try:
        connector = plugins.connector(CONNECTOR_CLASS, config.get(CONNECTOR_CLASS) or "")
    except ConfigException as error:
        return ConnectorValidation(_without_connector(config, error))
    with connector:
        return _validated(config, worker, connector, plugins)


def _validated(
    config: Mapping[str, str], worker: WorkerConfig, connector: Connector, plugins: PluginDefinitions
) -> ConnectorValidation:
    is_source = isinstance(connector, SourceConnector)
    settings = SourceConnectorConfig if is_source else SinkConnectorConfig
    declared = settings.config_def(config, plugins.plugin_keys)
    values = declared.validate_all(config)
    _add_errors(values, settings.cross_field_errors(config))
    _inherit_converters(values, worker)
    for key in [key for key, value in config.items() if value is None]:
        _add_errors(values, [ConfigException(key, None, "Expected a value, null is none")])
    names = set(declared.config_names)
    try:
        names |= plugins.config_def(CONNECTOR_CLASS, config[CONNECTOR_CLASS], connector).config_names
        _merge(values, connector.validate(config))
    except ConfigException as error:
        _add_errors(values, [error])
    except Exception as error:
        message = f"Its validate() failed: {type(error).__name__}: {error}"
        _add_errors(values, [ConfigException(CONNECTOR_CLASS, config[CONNECTOR_CLASS], message)])
    for name, kind in _CONVERTERS.items():
        _merge(values, _converter_values(config, values, name, kind, plugins))
    for client in _clients(config, is_source):
        _merge(values, override_values(client, worker, config))
    return ConnectorValidation(
        list(values.values()),
        unknown_keys(config, names, settings.known_prefixes(config)),
        "source" if is_source else "sink",
    )


def _without_connector(config: Mapping[str, str], error: ConfigException) -> list[ConfigValue]:
    """All that can be said when the connector itself cannot be loaded."""
    values = ConnectorConfig.config_def(config).validate_all(config)
    if config.get(CONNECTOR_CLASS):  # otherwise it is missing, which is an error already
        _add_errors(values, [error])
    return list(values.values())


def _clients(config: Mapping[str, str], is_source: bool) -> list[Client]:
    """The Kafka clients that the connector's tasks have."""
    clients = [Client.PRODUCER] if is_source else [Client.CONSUMER]
    if not is_source and config.get(DLQ_TOPIC_NAME):
        clients += [Client.PRODUCER, Client.ADMIN]
    if is_source and uses_topic_creation(config):
        clients.append(Client.ADMIN)
    return clients


def _converter_values(
    config: Mapping[str, str],
    values: Mapping[str, ConfigValue],
    name: str,
    kind: type[Plugin],
    plugins: PluginDefinitions,
) -> list[ConfigValue]:
    """The keys of a converter that the connector brings itself; what is wrong with its class goes to that key."""
    class_name = config.get(name)
    if class_name is None:
        return []
    try:
        with plugins.instance(name, class_name, (kind,)) as converter:
            declared = plugins.config_def(name, class_name, converter)
            prefix = f"{name}."
            own = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
            own.setdefault("converter.type", name.partition(".")[0])
            return [_prefixed(prefix, value) for value in declared.validate(own)]
    except ConfigException as error:
        values[name].add_error_message(str(error))
        return []


def _prefixed(prefix: str, value: ConfigValue) -> ConfigValue:
    return dataclasses.replace(value, name=prefix + value.name)


def _inherit_converters(values: Mapping[str, ConfigValue], worker: WorkerConfig) -> None:
    """What the connector does not say is the worker's: the value to show, as in Java."""
    for name in _CONVERTERS:
        if values[name].value is None and not values[name].error_messages:
            values[name].value = worker.get(name)


def _add_errors(values: dict[str, ConfigValue], errors: Iterable[ConfigException]) -> None:
    for error in errors:
        key = error.key or CONNECTOR_CLASS
        values.setdefault(key, ConfigValue(key)).add_error_message(str(error))


def _merge(values: dict[str, ConfigValue], more: Iterable[ConfigValue]) -> None:
    """Add values; of two for one key the later counts, with the errors of both."""
    for value in more:
        earlier = values.get(value.name)
        if earlier is not None:
            value.error_messages = list(dict.fromkeys([*earlier.error_messages, *value.error_messages]))
        values[value.name] = value


def _shown(value: ConfigValue) -> str | None:
    kind = Type.PASSWORD if isinstance(value.value, Password) else None
    return convert_to_string(value.value, Type.LIST if isinstance(value.value, list) else kind)
