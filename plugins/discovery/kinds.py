"""The kinds of plugins, and the names that a plugin class answers to (`PluginType` and `PluginUtils` in Kafka)."""

from __future__ import annotations

import enum
import inspect
from typing import Final

from connectd.components import Plugin
from connectd.connectors import SinkConnector, SourceConnector
from connectd.converters import Converter, HeaderConverter
from connectd.providers import ConfigProvider
from connectd.transforms import Predicate, Transformation


class PluginKind(enum.StrEnum):
    """What a plugin is for."""

    SOURCE = "source"
    SINK = "sink"
    CONVERTER = "converter"
    HEADER_CONVERTER = "header_converter"
    TRANSFORMATION = "transformation"
    PREDICATE = "predicate"
    CONFIG_PROVIDER = "config_provider"

    @property
    def alias_suffix(self) -> str:
        """What is left out of the class name in the alias: `FileStreamSource` for `FileStreamSourceConnector`."""
        return "Connector" if self in (PluginKind.SOURCE, PluginKind.SINK) else _BASES[self].__name__


_BASES: Final[dict[PluginKind, type[Plugin]]] = {
    PluginKind.SOURCE: SourceConnector,
    PluginKind.SINK: SinkConnector,
    PluginKind.CONVERTER: Converter,
    PluginKind.HEADER_CONVERTER: HeaderConverter,
    PluginKind.TRANSFORMATION: Transformation,
    PluginKind.PREDICATE: Predicate,
    PluginKind.CONFIG_PROVIDER: ConfigProvider,
}


def kinds_of(found: object) -> list[PluginKind]:
    """The kinds of a class: several for one that is, say, a converter and a header converter; none if it is no plugin."""
    if not isinstance(found, type) or inspect.isabstract(found):
        return []
    return [kind for kind, base in _BASES.items() if issubclass(found, base)]


def full_name(plugin: type) -> str:
    """The name shown to users: that of the Java class which it stands for, else `module.Class`."""
    # Not inherited: a subclass of a built-in is another plugin.
    java_name = vars(plugin).get("JAVA_NAME")
    return java_name if isinstance(java_name, str) else f"{plugin.__module__}.{plugin.__qualname__}"


def short_names(plugin: type) -> list[str]:
    """The class name and the alias of each of its kinds."""
    simple = simple_name(full_name(plugin))
    return list(dict.fromkeys([simple, *(alias(simple, kind) for kind in kinds_of(plugin))]))


def simple_name(name: str) -> str:
    """The last part of a full name; `InsertField$Value` for a class within a class."""
    return name.rpartition(".")[2]


def alias(simple: str, kind: PluginKind) -> str:
    """The class name up to the last occurrence of its kind, if anything is left then."""
    return simple[: max(0, simple.rfind(kind.alias_suffix))] or simple
