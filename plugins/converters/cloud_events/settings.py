"""The configuration of CloudEventsConverter (`io.debezium.converters.CloudEventsConverterConfig`)."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from connectd.config import CaseInsensitiveValidString, ConfigDef, Importance, Type
from connectd.errors import ConfigException
from plugins.converters.avro.settings import avro_config_def
from plugins.converters.base import TYPE_CONFIG, new_config_def
from plugins.converters.json.settings import SCHEMAS_ENABLE_CONFIG, json_config_def
from plugins.converters.registry.settings import URL

SERIALIZER: Final = "serializer.type"
DATA_SERIALIZER: Final = "data.serializer.type"
TRACING: Final = "opentelemetry.tracing.attributes.enable"
EXTENSIONS: Final = "extension.attributes.enable"
ADJUSTMENT: Final = "schema.name.adjustment.mode"
EVENT_SCHEMA_NAME: Final = "schema.cloudevents.name"
DATA_NAME_FROM_HEADER: Final = "schema.data.name.source.header.enable"
METADATA_SOURCE: Final = "metadata.source"
JSON_PREFIX: Final = "json."
AVRO_PREFIX: Final = "avro."
AVRO: Final = "avro"
JSON: Final = "json"
_APICURIO_URL: Final = f"{AVRO_PREFIX}apicurio.registry.url"
_FORMATS: Final = CaseInsensitiveValidString.in_(JSON, AVRO)


class Source(enum.StrEnum):
    """Where a fact about an event comes from."""

    VALUE = "value"
    HEADER = "header"
    GENERATE = "generate"


class MetadataSource(NamedTuple):
    """Where the facts come from: `general` is for source block, operation and transaction."""

    general: Source
    id: Source
    type: Source
    trace_parent: Source
    data_schema_name: Source


_OWN_PLACES: Final = {"id": "id", "type": "type", "traceparent": "trace_parent", "dataSchemaName": "data_schema_name"}


def cloud_events_config_def() -> ConfigDef:
    """All settings, those of the converters that it uses with `json.` and `avro.` before them."""
    definition = (
        new_config_def()
        .define(SERIALIZER, Type.STRING, JSON, _FORMATS, Importance.HIGH, "How events are written.")
        .define(
            DATA_SERIALIZER,
            Type.STRING,
            JSON,
            _FORMATS,
            Importance.HIGH,
            "How the data in an event is written; in an event that is Avro only as Avro.",
        )
        .define(
            TRACING,
            Type.BOOLEAN,
            False,
            importance=Importance.HIGH,
            doc="Whether events have the attribute `traceparent`, from the header of that name.",
        )
        .define(
            EXTENSIONS,
            Type.BOOLEAN,
            True,
            importance=Importance.HIGH,
            doc="Whether events have attributes for the operation, the source block and the transaction.",
        )
        .define(
            ADJUSTMENT,
            Type.STRING,
            AVRO,
            CaseInsensitiveValidString.in_("none", AVRO, "avro_unicode"),
            Importance.LOW,
            "How the name of the events' schema becomes one that Avro allows.",
        )
        .define(
            EVENT_SCHEMA_NAME,
            Type.STRING,
            None,
            importance=Importance.LOW,
            doc="The name of the events' schema; by default the source's and the database's with `CloudEvents.Envelope`.",
        )
        .define(
            DATA_NAME_FROM_HEADER,
            Type.BOOLEAN,
            False,
            importance=Importance.LOW,
            doc="Whether the name of the data's schema may come from the header `dataSchemaName`.",
        )
        .define(
            METADATA_SOURCE,
            Type.LIST,
            ["value", "id:generate", "type:generate", "traceparent:header", "dataSchemaName:generate"],
            importance=Importance.HIGH,
            doc="Where facts about an event come from: `value` or `header`, and after it for each of `id`, `type`, `traceparent`"
            " and `dataSchemaName` another place, `header` or `generate`, as in `header,id:generate`.",
        )
    )
    definition.embed(JSON_PREFIX, "JSON", 0, _optional(json_config_def()))
    return definition.embed(AVRO_PREFIX, "Avro", 0, _optional(avro_config_def()))


def _optional(definition: ConfigDef) -> ConfigDef:
    """The keys of a converter that may not be needed at all."""
    optional = ConfigDef()
    for key in definition.config_keys.values():
        if key.name != TYPE_CONFIG:
            needed = not key.has_default
            optional.define_key(dataclasses.replace(key, default_value=None, validator=None) if needed else key)
    return optional


class CloudEventsSettings(NamedTuple):
    """What is written, and from what; `json` and `avro` are the settings of the converters, `avro` None where none is needed."""

    is_avro: bool
    has_avro_data: bool
    has_tracing: bool
    has_extensions: bool
    adjustment: str
    schema_name: str | None
    sources: MetadataSource
    has_json_schemas: bool
    json: Mapping[str, Any]
    avro: Mapping[str, Any] | None

    @classmethod
    def of(cls, values: Mapping[str, Any], originals: Mapping[str, Any]) -> CloudEventsSettings:
        """Raises ConfigException for settings that do not go together."""
        is_avro, has_avro_data = values[SERIALIZER].lower() == AVRO, values[DATA_SERIALIZER].lower() == AVRO
        if is_avro and not has_avro_data:
            raise ConfigException(
                DATA_SERIALIZER, values[DATA_SERIALIZER], f"Expected avro, since {SERIALIZER} is avro"
            )
        return cls(
            is_avro,
            has_avro_data,
            values[TRACING],
            values[EXTENSIONS],
            values[ADJUSTMENT],
            values[EVENT_SCHEMA_NAME],
            _metadata_source(values[METADATA_SOURCE], values[TRACING], values[DATA_NAME_FROM_HEADER]),
            values[JSON_PREFIX + SCHEMAS_ENABLE_CONFIG],
            _below(JSON_PREFIX, originals),
            _avro(originals) if has_avro_data else None,
        )


def _below(prefix: str, originals: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in originals.items() if key.startswith(prefix)}


def _avro(originals: Mapping[str, Any]) -> dict[str, Any]:
    if originals.get(_APICURIO_URL):
        raise ConfigException(
            _APICURIO_URL, originals[_APICURIO_URL], "Expected a registry that speaks Confluent's protocol"
        )
    if not originals.get(AVRO_PREFIX + URL):
        raise ConfigException(
            AVRO_PREFIX + URL, None, f"Expected the address of a registry, since {DATA_SERIALIZER} is avro"
        )
    return _below(AVRO_PREFIX, originals)


def _metadata_source(texts: Sequence[str], has_tracing: bool, has_name_from_header: bool) -> MetadataSource:
    general = _source(texts[0] if texts else "", texts, Source.VALUE, Source.HEADER)
    places = dict.fromkeys(MetadataSource._fields, general)
    for text in texts[1:]:
        name, _, place = text.partition(":")
        if name not in _OWN_PLACES:
            raise ConfigException(METADATA_SOURCE, texts, f"Expected one of {', '.join(_OWN_PLACES)}, found {name}")
        places[_OWN_PLACES[name]] = _source(place, texts, Source.HEADER, Source.GENERATE)
    # These two are looked for in headers only where that is switched on.
    if not has_tracing and places["trace_parent"] is Source.HEADER:
        places["trace_parent"] = Source.GENERATE
    if not has_name_from_header and places["data_schema_name"] is Source.HEADER:
        places["data_schema_name"] = Source.GENERATE
    return MetadataSource(**places)


def _source(text: str, texts: Sequence[str], *allowed: Source) -> Source:
    found = next((each for each in allowed if each == text.strip().lower()), None)
    if found is None:
        raise ConfigException(METADATA_SOURCE, texts, f"Expected {' or '.join(allowed)}, found {text!r}")
    return found
