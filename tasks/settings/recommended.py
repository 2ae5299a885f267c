"""What a form may offer where a connector's key names a plugin, and the defaults that come from worker and plugins.

As `ConnectorConfig.enrichedConfigDef` and `PluginsRecommenders` in Java.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from connectd.config import NO_DEFAULT, ConfigDef, ConfigKey, ConfigValue, Type
from connectd.connectors import Connector
from plugins.discovery.kinds import PluginKind
from tasks.messages import PluginInfo
from tasks.settings.aliases import PREDICATES, TRANSFORMS, aliases
from tasks.settings.connector import CONNECTOR_VERSION
from tasks.settings.worker import HEADER_CONVERTER, KEY_CONVERTER, VALUE_CONVERTER, WorkerConfig

_VERSION: Final = "plugin.version"
_CONVERTERS: Final = {
    KEY_CONVERTER: PluginKind.CONVERTER,
    VALUE_CONVERTER: PluginKind.CONVERTER,
    HEADER_CONVERTER: PluginKind.HEADER_CONVERTER,
}
_ALIASED: Final = {TRANSFORMS: PluginKind.TRANSFORMATION, PREDICATES: PluginKind.PREDICATE}


class _Always:
    """A recommender whose values do not depend on others."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def valid_values(self, name: str, parsed: Mapping[str, Any]) -> Sequence[Any]:
        return self._values

    def visible(self, name: str, parsed: Mapping[str, Any]) -> bool:
        return True


class _Plugins:
    """The worker's plugins by kind and name."""

    def __init__(self, plugins: Sequence[PluginInfo]) -> None:
        self._plugins = plugins

    def names(self, kind: PluginKind) -> list[str]:
        """All of a kind, sorted."""
        return sorted({each.name for each in self._plugins if each.kind == kind})

    def versions(self, kind: PluginKind, name: str | None) -> list[str]:
        """Of the plugin that `name` stands for."""
        return [
            each.version
            for each in self._plugins
            if each.kind == kind and name is not None and (name == each.name or name in each.aliases)
        ]


def recommended(
    declared: ConfigDef,
    config: Mapping[str, str | None],
    worker: WorkerConfig,
    connector: Connector,
    plugins: Sequence[PluginInfo],
) -> ConfigDef:
    """The same keys, with what is known of the worker's plugins."""
    known = _Plugins(plugins)
    changes: dict[str, Callable[[ConfigKey], ConfigKey]] = {CONNECTOR_VERSION: _with_version([str(connector.version)])}
    for name, kind in _CONVERTERS.items():
        default = worker.get(name)
        changes[name] = _with(known.names(kind), default)
        changes[f"{name}.{_VERSION}"] = _with_version(known.versions(kind, config.get(name) or default))
    for name, kind in _ALIASED.items():
        for alias in aliases(config, name):
            prefix = f"{name}.{alias}."
            changes[f"{prefix}type"] = _with(known.names(kind), NO_DEFAULT)
            changes[f"{prefix}{_VERSION}"] = _with_version(known.versions(kind, config.get(f"{prefix}type")))
    result = ConfigDef()
    for key in declared.config_keys.values():
        change = changes.get(key.name)
        result.define_key(change(key) if change else key)
    return result


def _with(values: Sequence[Any], default: Any) -> Callable[[ConfigKey], ConfigKey]:
    return lambda key: dataclasses.replace(key, recommender=_Always(values), default_value=default)


def _with_version(versions: Sequence[str]) -> Callable[[ConfigKey], ConfigKey]:
    return _with(versions, versions[-1] if versions else None)


def use_full_names(values: Mapping[str, ConfigValue], declared: ConfigDef, plugins: Sequence[PluginInfo]) -> None:
    """Show plugins by their full names, however they were written."""
    names = {alias: plugin.name for plugin in plugins for alias in plugin.aliases}
    for name, key in declared.config_keys.items():
        if key.type is Type.CLASS and isinstance(values[name].value, str):
            values[name].value = names.get(values[name].value, values[name].value)


def with_connector_version(declared: ConfigDef, connector: Connector) -> ConfigDef:
    """The same keys, with the connector's version as the default of its key."""
    result = ConfigDef()
    for key in declared.config_keys.values():
        version = str(connector.version) if key.name == CONNECTOR_VERSION else key.default_value
        result.define_key(dataclasses.replace(key, default_value=version))
    return result
