"""Validation of a connector's whole configuration, as Java's `AbstractHerder.validateConnectorConfig`.

It loads the connector and the plugins that it names, and so runs third-party code: in children only.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectd.components import Plugin
from connectd.config import ConfigDef, ConfigKey, ConfigValue, Password, Type, convert_to_string
from connectd.connectors import Connector, SourceConnector
from connectd.converters import Converter, HeaderConverter
from connectd.errors import ConfigException
from tasks.clients.overrides import override_values
from tasks.clients.translated import Client, is_secret
from tasks.infos import ConfigInfos, merged, prefixed_result, result
from tasks.messages import ConfigKeyErrors, PluginInfo, Validated
from tasks.settings.connector import CONNECTOR_CLASS, ConnectorConfig
from tasks.settings.dead_letters import DLQ_TOPIC_NAME
from tasks.settings.exactly_once import exactly_once_errors
from tasks.settings.plugin_definitions import PluginDefinitions
from tasks.settings.recommended import recommended, use_full_names
from tasks.settings.sink import SinkConnectorConfig
from tasks.settings.source import SourceConnectorConfig
from tasks.settings.topic_creation import uses_topic_creation
from tasks.settings.unknown import unknown_keys
from tasks.settings.worker import HEADER_CONVERTER, KEY_CONVERTER, VALUE_CONVERTER, WorkerConfig

_CONVERTERS: Final[Mapping[str, type[Plugin]]] = {
    HEADER_CONVERTER: HeaderConverter,
    KEY_CONVERTER: Converter,
    VALUE_CONVERTER: Converter,
}
_SINK_GROUP: Final = "consumer.override.group.id"
_NULL: Final = "Null value can not be supplied as the configuration value."


@dataclass(frozen=True)
class Part:
    """What one part of a connector says about its keys: their declarations and values, without the prefix that it has."""

    keys: Mapping[str, ConfigKey]
    own_values: Sequence[ConfigValue]
    prefix: str

    @property
    def values(self) -> list[ConfigValue]:
        """The values under their full names."""
        return [dataclasses.replace(value, name=self.prefix + value.name) for value in self.own_values]


@dataclass
class ConnectorValidation:
    """The outcome: a value for each key, the unknown keys with the declared name most like each, and what it is.

    `own` are the values of the connector and the framework, declared by `keys`; `parts` those of clients and converters.
    """

    own: list[ConfigValue]
    keys: Mapping[str, ConfigKey]
    groups: Sequence[str] = ()
    parts: Sequence[Part] = ()
    unknown_keys: Mapping[str, str | None] = field(default_factory=dict)
    kind: str | None = None  # "source" or "sink", None if that could not be told
    version: str = "undefined"

    @property
    def values(self) -> list[ConfigValue]:
        """All of them."""
        return [*self.own, *(value for part in self.parts for value in part.values)]

    @property
    def wrong(self) -> list[ConfigValue]:
        """The values with errors; empty means that the configuration is valid."""
        return [value for value in self.values if value.error_messages]

    def infos(self, name: str) -> ConfigInfos:
        """All of it as the REST API says it."""
        own = result(name, self.keys, self.own, self.groups)
        return merged(name, [own, *(prefixed_result(each.keys, each.own_values, each.prefix) for each in self.parts)])

    def message(self, config: Mapping[str, str | None], *, with_infos: bool = False) -> Validated:
        """The answer to the supervisor."""
        errors = [ConfigKeyErrors(key=each.name, value=_shown(each), errors=each.error_messages) for each in self.wrong]
        return Validated(
            errors=errors,
            unknown_keys=dict(self.unknown_keys),
            kind=self.kind,
            version=self.version,
            secret_keys=self._secret_keys(config),
            infos=self.infos(config.get(CONNECTOR_CLASS) or "") if with_infos else None,
        )

    def _secret_keys(self, config: Mapping[str, str | None]) -> list[str]:
        """The keys of the configuration whose values are passwords."""
        declared = dict(self.keys)
        for part in self.parts:
            declared |= {part.prefix + name: key for name, key in part.keys.items()}
        secret = {name for name, key in declared.items() if key.type.is_sensitive}
        return [name for name in config if name in secret or _is_client_secret(name)]


def validate_connector(
    config: Mapping[str, str | None], worker: WorkerConfig, plugins: Sequence[PluginInfo] | None = None
) -> ConnectorValidation:
    """Check everything in a connector's configuration: its own keys, the framework's, its converters', its clients'.

    References to config providers must have been resolved. Nothing is raised: an error of a plugin's code is one of the
    key that names the plugin. With the worker's `plugins`, they are recommended where a key names one.
    """
    definitions = PluginDefinitions(worker.plugin_path)
    try:
        connector = definitions.connector(CONNECTOR_CLASS, config.get(CONNECTOR_CLASS) or "")
    except ConfigException as error:
        return _without_connector(config, error)
    with connector:
        return _validated(config, worker, connector, definitions, plugins)


def _validated(
    config: Mapping[str, str | None],
    worker: WorkerConfig,
    connector: Connector,
    definitions: PluginDefinitions,
    plugins: Sequence[PluginInfo] | None,
) -> ConnectorValidation:
    is_source = isinstance(connector, SourceConnector)
    settings = SourceConnectorConfig if is_source else SinkConnectorConfig
    declared = settings.config_def(config, definitions.plugin_keys)
    if plugins is not None:
        declared = recommended(declared, config, worker, connector, plugins)
    values = declared.validate_all(config)
    if plugins is not None:
        use_full_names(values, declared, plugins)
    for error in settings.cross_field_errors(config):
        # As in Java, which here says what is wrong without repeating key and value.
        values.setdefault(error.key or "", ConfigValue(error.key or "")).add_error_message(error.message or str(error))
    for key, message in _conflicts_with_cluster(config, worker, connector):
        values.setdefault(key, ConfigValue(key)).add_error_message(message)
    _inherit_converters(values, worker)
    for key in [key for key, value in config.items() if value is None]:
        values.setdefault(key, ConfigValue(key)).add_error_message(_NULL)
    converters = [
        part
        for name, kind in _CONVERTERS.items()
        if (part := _converter_part(config, values[name], kind, definitions)) is not None
    ]
    own = _add_connector(values, config, connector, definitions)
    clients = [_client_part(client, worker, config) for client in _clients(config, is_source)]
    return ConnectorValidation(
        list(values.values()),
        {**declared.config_keys, **own.config_keys},
        list(dict.fromkeys((*declared.groups, *own.groups))),
        [*clients, *converters],
        unknown_keys(config, {*declared.config_names, *own.config_names}, settings.known_prefixes(config)),
        "source" if is_source else "sink",
        str(connector.version),
    )


def _conflicts_with_cluster(
    config: Mapping[str, str | None], worker: WorkerConfig, connector: Connector
) -> Iterable[tuple[str, str]]:
    """What a distributed worker refuses, as Java's `DistributedHerder`: key and message."""
    if worker.group_id is None:
        return
    if isinstance(connector, SourceConnector):
        props = {key: value for key, value in config.items() if value is not None}
        yield from exactly_once_errors(
            config,
            worker,
            lambda: _name(connector.exactly_once_support(props)),
            lambda: _name(connector.can_define_transaction_boundaries(props)),
        )
        return
    name, group = config.get("name"), config.get(_SINK_GROUP)
    if group is not None:
        if group == worker.group_id:
            yield _SINK_GROUP, f"Consumer group {group} conflicts with Connect worker group {worker.group_id}"
    elif f"connect-{name}" == worker.group_id:
        yield (
            "name",
            f"Consumer group for sink connector named {name} conflicts with Connect worker group {worker.group_id}",
        )


def _name(answer: enum.Enum | None) -> str | None:
    return answer.name if isinstance(answer, enum.Enum) else answer


def _without_connector(config: Mapping[str, str | None], error: ConfigException) -> ConnectorValidation:
    """All that can be said when the connector itself cannot be loaded."""
    declared = ConnectorConfig.config_def(config)
    values = declared.validate_all(config)
    if config.get(CONNECTOR_CLASS) is not None:  # otherwise it is missing, which is an error already
        _add_errors(values, [error])
    return ConnectorValidation(list(values.values()), declared.config_keys, declared.groups)


def _add_connector(
    values: dict[str, ConfigValue],
    config: Mapping[str, str | None],
    connector: Connector,
    definitions: PluginDefinitions,
) -> ConfigDef:
    """Add what the connector itself says; returns the keys that it declares."""
    class_name = config[CONNECTOR_CLASS] or ""
    declared = ConfigDef()
    try:
        declared = definitions.config_def(CONNECTOR_CLASS, class_name, connector)
        _merge(values, connector.validate({key: value for key, value in config.items() if value is not None}))
    except ConfigException as error:
        _add_errors(values, [error])
    except Exception as error:
        message = f"Its validate() failed: {type(error).__name__}: {error}"
        _add_errors(values, [ConfigException(CONNECTOR_CLASS, class_name, message)])
    return declared


def _clients(config: Mapping[str, str | None], is_source: bool) -> list[Client]:
    """The Kafka clients that the connector's tasks have, in Java's order."""
    has_dlq = bool(config.get(DLQ_TOPIC_NAME))
    clients = [Client.PRODUCER] if is_source or has_dlq else []
    if has_dlq or (is_source and uses_topic_creation(config)):
        clients.append(Client.ADMIN)
    return clients if is_source else [*clients, Client.CONSUMER]


def _client_part(client: Client, worker: WorkerConfig, config: Mapping[str, str | None]) -> Part:
    texts = {key: value for key, value in config.items() if value is not None}
    # What Java declares about its clients' keys, librdkafka does not: here they are values without a declaration.
    return Part({}, override_values(client, worker, texts), "")


def _converter_part(
    config: Mapping[str, str | None],
    named: ConfigValue,
    kind: type[Plugin],
    definitions: PluginDefinitions,
) -> Part | None:
    """The keys of a converter that the connector brings itself; what is wrong with its class goes to that key."""
    class_name = config.get(named.name)
    if class_name is None:
        return None
    try:
        with definitions.instance(named.name, class_name, (kind,)) as converter:
            declared = definitions.config_def(named.name, class_name, converter)
            prefix = f"{named.name}."
            own = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
            own.setdefault("converter.type", named.name.partition(".")[0])
            return Part(declared.config_keys, declared.validate(own), prefix)
    except ConfigException as error:
        named.add_error_message(str(error))
        return None


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


def _is_client_secret(key: str) -> bool:
    owner, _, name = key.partition(".override.")
    return owner in ("producer", "consumer", "admin") and is_secret(name)


def _shown(value: ConfigValue) -> str | None:
    kind = Type.PASSWORD if isinstance(value.value, Password) else None
    return convert_to_string(value.value, Type.LIST if isinstance(value.value, list) else kind)
