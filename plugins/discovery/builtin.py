"""The built-in plugins: where each is, so that finding one imports no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plugins.discovery.kinds import PluginKind, alias, simple_name

# Java's name of each plugin, and the module and class that stand for it here.
BUILTINS: Final[Mapping[PluginKind, Mapping[str, str]]] = {
    PluginKind.SOURCE: {
        "org.apache.kafka.connect.file.FileStreamSourceConnector": (
            "plugins.connectors.file_stream_source:FileStreamSourceConnector"
        ),
    },
    PluginKind.SINK: {
        "org.apache.kafka.connect.file.FileStreamSinkConnector": (
            "plugins.connectors.file_stream_sink:FileStreamSinkConnector"
        ),
    },
    PluginKind.CONVERTER: {
        "org.apache.kafka.connect.converters.BooleanConverter": "plugins.converters.boolean:BooleanConverter",
        "org.apache.kafka.connect.converters.ByteArrayConverter": "plugins.converters.byte_array:ByteArrayConverter",
        "org.apache.kafka.connect.converters.DoubleConverter": "plugins.converters.double:DoubleConverter",
        "org.apache.kafka.connect.converters.FloatConverter": "plugins.converters.float:FloatConverter",
        "org.apache.kafka.connect.converters.IntegerConverter": "plugins.converters.integer:IntegerConverter",
        "org.apache.kafka.connect.converters.LongConverter": "plugins.converters.long:LongConverter",
        "org.apache.kafka.connect.converters.ShortConverter": "plugins.converters.short:ShortConverter",
        "org.apache.kafka.connect.json.JsonConverter": "plugins.converters.json:JsonConverter",
        "org.apache.kafka.connect.storage.StringConverter": "plugins.converters.string:StringConverter",
    },
    PluginKind.HEADER_CONVERTER: {
        "org.apache.kafka.connect.storage.SimpleHeaderConverter": (
            "plugins.converters.simple_header:SimpleHeaderConverter"
        ),
    },
}


def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for kind, locations in BUILTINS.items():
        for java_name, location in locations.items():
            simple = simple_name(java_name)
            names |= dict.fromkeys((java_name, simple, alias(simple, kind), location.replace(":", ".")), location)
    return names


# Every name that a built-in answers to, with its `module:Class`.
NAMES: Final[Mapping[str, str]] = _names()
SHORT_NAMES: Final = frozenset(name for name in NAMES if "." not in name)
