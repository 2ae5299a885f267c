"""What the built-in converters share: each serves keys, values and headers, and is told which by `converter.type`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import connectd
from connectd.config import ConfigDef, Importance, Type, ValidString
from connectd.converters import Converter, HeaderConverter
from connectd.schema import Schema, SchemaAndValue

TYPE_CONFIG: Final = "converter.type"


def new_config_def() -> ConfigDef:
    """The keys that every converter has, to add one's own to (`org.apache.kafka.connect.storage.ConverterConfig`)."""
    return ConfigDef().define(
        TYPE_CONFIG,
        Type.STRING,
        validator=ValidString.in_("key", "value", "header"),
        importance=Importance.LOW,
        doc="What the converter is for; the worker sets it.",
    )


class BuiltinConverter(Converter, HeaderConverter):
    """A converter that treats a header's value like a record's value."""

    JAVA_NAME: ClassVar[str]
    version = connectd.__version__
    CONFIG: ClassVar[ConfigDef] = new_config_def()

    def config(self) -> ConfigDef:
        return self.CONFIG

    def configure(self, configs: Mapping[str, Any], is_key: bool = False) -> None:
        type = "key" if is_key else configs.get(TYPE_CONFIG, "value")
        self.apply_config(self.CONFIG.parse({**configs, TYPE_CONFIG: type}))

    def apply_config(self, values: dict[str, Any]) -> None:
        """Take the parsed values of `CONFIG`."""

    def to_connect_header(self, topic: str, header_key: str, value: bytes | None) -> SchemaAndValue:
        return self.to_connect_data(topic, value)

    def from_connect_header(self, topic: str, header_key: str, schema: Schema | None, value: Any) -> bytes | None:
        return self.from_connect_data(topic, schema, value)
