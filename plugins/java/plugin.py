"""What is known of a plugin in a jar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from plugins.discovery.kinds import PluginKind, alias, simple_name

# The class or interface that plugins of each kind are derived from, which is also the name of their manifest (KIP-898).
BASES: Final[Mapping[str, PluginKind]] = {
    "org.apache.kafka.connect.source.SourceConnector": PluginKind.SOURCE,
    "org.apache.kafka.connect.sink.SinkConnector": PluginKind.SINK,
    "org.apache.kafka.connect.storage.Converter": PluginKind.CONVERTER,
    "org.apache.kafka.connect.storage.HeaderConverter": PluginKind.HEADER_CONVERTER,
    "org.apache.kafka.connect.transforms.Transformation": PluginKind.TRANSFORMATION,
    "org.apache.kafka.connect.transforms.predicates.Predicate": PluginKind.PREDICATE,
    "org.apache.kafka.common.config.provider.ConfigProvider": PluginKind.CONFIG_PROVIDER,
}


class JavaPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """A class of one kind. `folder` is its plugin folder, or the jar itself where that lies in `plugin.path` alone.

    `version` is what its jar says of itself; the class may call itself otherwise, which only running it would tell.
    `declared` says whether a manifest (`META-INF/services`) names it; Kafka finds others by their class files only.
    """

    name: str
    kind: PluginKind
    version: str
    folder: str
    declared: bool = True

    @property
    def short_names(self) -> list[str]:
        """The class name, and the alias that Java gives it."""
        # Java's simple name of a class within a class is that of the inner one.
        simple = simple_name(self.name).rpartition("$")[2]
        return list(dict.fromkeys((simple, alias(simple, self.kind))))
