"""Loads plugins to ask them which keys they have. Runs third-party code: in children only."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from connectd.components import Plugin
from connectd.config import ConfigDef
from connectd.connectors import Connector, SinkConnector, SourceConnector
from connectd.errors import ConfigException, ConnectException
from connectd.transforms import Predicate, Transformation
from plugins.discovery import find_class
from tasks.settings.aliases import PREDICATES, PluginKeys

P = TypeVar("P", bound=Plugin)

_CONNECTORS: Final = (SourceConnector, SinkConnector)


class PluginDefinitions:
    """Finds classes in the plugin path of a worker. Errors are ConfigExceptions of the key that names the class."""

    def __init__(self, plugin_path: Sequence[str]) -> None:
        self._plugin_path = plugin_path

    def connector(self, key: str, name: str) -> Connector:
        """A connector that was not started."""
        return self.instance(key, name, _CONNECTORS)

    def instance(self, key: str, name: str, kinds: tuple[type[P], ...]) -> P:
        """An instance of the class of that name, which must be one of `kinds`."""
        expected = " or ".join(kind.__name__ for kind in kinds)
        try:
            found = find_class(name, plugin_path=self._plugin_path)
        except Exception as error:  # importing it may raise anything
            raise ConfigException(key, name, f"Expected the name of a {expected}: {_said(error)}") from error
        if not issubclass(found, kinds) or inspect.isabstract(found):
            raise ConfigException(key, name, f"Expected the name of a {expected}, but {found.__qualname__} is none")
        try:
            return found()
        except Exception as error:
            raise ConfigException(key, name, f"Creating it failed: {_said(error)}") from error

    def config_def(self, key: str, name: str, plugin: Plugin) -> ConfigDef:
        """The keys that a plugin declares."""
        try:
            declared: Any = plugin.config()
        except Exception as error:
            raise ConfigException(key, name, f"Its config() failed: {_said(error)}") from error
        if not isinstance(declared, ConfigDef):
            raise ConfigException(key, name, f"Its config() returned a {type(declared).__name__}, expected a ConfigDef")
        return declared

    @property
    def plugin_keys(self) -> PluginKeys:
        """For `ConnectorConfig.config_def`: the keys of transformations and predicates."""

        def keys(key: str, name: str) -> ConfigDef:
            kind: type[Plugin] = Predicate if key.startswith(f"{PREDICATES}.") else Transformation
            with self.instance(key, name, (kind,)) as plugin:
                return self.config_def(key, name, plugin)

        return keys


def _said(error: Exception) -> str:
    if isinstance(error, ConnectException):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
