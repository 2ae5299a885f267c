"""`python -m plugins.converters.registry.reference` prints docs/schema-registry-settings.md from the code."""

from __future__ import annotations

import sys
from typing import Final

from connectd.config import ConfigDef
from plugins.converters.avro import AvroConverter
from plugins.converters.json_schema import JsonSchemaConverter
from plugins.converters.protobuf import ProtobufConverter
from plugins.converters.registry.converter import RegistryConverter
from plugins.converters.registry.settings import registry_config_def

_CONVERTERS: Final[tuple[type[RegistryConverter], ...]] = (AvroConverter, JsonSchemaConverter, ProtobufConverter)
_HEAD: Final = """# Settings of the converters with a Schema Registry

<!-- Made by `python -m plugins.converters.registry.reference` from the code; do not edit. -->

They stand behind `key.converter.` or `value.converter.`, in the worker's file or a connector's. Names and defaults are
Confluent's; [Schema Registry](schema-registry.md) shows them in use. `request.header.NAME` adds a header to each request to
the registry.

## All converters

"""


def page() -> str:
    """The whole page."""
    common = registry_config_def()
    parts = [_HEAD + common.to_markdown(4).strip()]
    for converter in _CONVERTERS:
        own = ConfigDef()
        for name, key in converter.CONFIG.config_keys.items():
            if name not in common.config_names:
                own.define_key(key)
        parts.append(f"## {converter.__name__}\n\n{_without_heading(own.to_markdown(4))}")
    return "\n\n".join(parts) + "\n"


def _without_heading(markdown: str) -> str:
    """A group's heading says no more than that of the converter."""
    return markdown.strip().partition("\n\n")[2]


if __name__ == "__main__":
    sys.stdout.write(page())
