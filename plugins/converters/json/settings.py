"""The configuration of JsonConverter (`org.apache.kafka.connect.json.JsonConverterConfig`)."""

from __future__ import annotations

from typing import Final

from connectd.config import CaseInsensitiveValidString, ConfigDef, Importance, Type, Width
from plugins.converters.base import new_config_def

SCHEMAS_ENABLE_CONFIG: Final = "schemas.enable"
SCHEMAS_CACHE_SIZE_CONFIG: Final = "schemas.cache.size"
SCHEMA_CONTENT_CONFIG: Final = "schema.content"
DECIMAL_FORMAT_CONFIG: Final = "decimal.format"
REPLACE_NULL_WITH_DEFAULT_CONFIG: Final = "replace.null.with.default"

BASE64: Final = "BASE64"
NUMERIC: Final = "NUMERIC"


def json_config_def() -> ConfigDef:
    """All keys of JsonConverter."""
    schemas, serialization = "Schemas", "Serialization"
    return (
        new_config_def()
        .define(
            SCHEMAS_ENABLE_CONFIG,
            Type.BOOLEAN,
            True,
            importance=Importance.HIGH,
            doc='Whether each message is an envelope of its schema and its payload: {"schema": ..., "payload": ...}.',
            group=schemas,
            order=0,
            width=Width.MEDIUM,
            display_name="Enable Schemas",
        )
        .define(
            SCHEMAS_CACHE_SIZE_CONFIG,
            Type.INT,
            1000,
            importance=Importance.HIGH,
            doc="How many schemas are kept, so that they need not be translated for every message.",
            group=schemas,
            order=1,
            width=Width.MEDIUM,
            display_name="Schema Cache Size",
        )
        .define(
            SCHEMA_CONTENT_CONFIG,
            Type.STRING,
            None,
            importance=Importance.HIGH,
            doc="A schema, in the form it has in an envelope, for all messages that are read; they are then payloads"
            " without an envelope. Needs schemas.enable and matters to sink connectors only.",
            group=schemas,
            order=2,
            width=Width.MEDIUM,
            display_name="Schema Content",
        )
        .define(
            DECIMAL_FORMAT_CONFIG,
            Type.STRING,
            BASE64,
            CaseInsensitiveValidString.in_(BASE64, NUMERIC),
            importance=Importance.LOW,
            doc="How decimals are written: as BASE64 of their unscaled value, or as NUMERIC, which is a JSON number."
            " Both are read.",
            group=serialization,
            order=0,
            width=Width.MEDIUM,
            display_name="Decimal Format",
        )
        .define(
            REPLACE_NULL_WITH_DEFAULT_CONFIG,
            Type.BOOLEAN,
            True,
            importance=Importance.LOW,
            doc="Whether a field that is null takes the default value of its schema, if that has one.",
            group=serialization,
            order=1,
            width=Width.MEDIUM,
            display_name="Replace null with default",
        )
    )
