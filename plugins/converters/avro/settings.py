"""The settings of AvroConverter (Confluent's `AvroConverterConfig` and `AvroDataConfig`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from connectd.config import ConfigDef, Type
from plugins.converters.registry.settings import (
    GENERALIZED_SUM_TYPES,
    IGNORE_DEFAULT,
    LOW,
    MEDIUM,
    SCRUB_NAMES,
    SCRUB_NAMES_KEY,
    Key,
    define_all,
    registry_config_def,
)

ENHANCED: Final = "enhanced.avro.schema.support"
CONNECT_META_DATA: Final = "connect.meta.data"
OPTIONAL_MAP_KEYS: Final = "allow.optional.map.keys"
FLATTEN_SINGLETON_UNIONS: Final = "flatten.singleton.unions"
DISCARD_TYPE_DOC_DEFAULT: Final = "discard.type.doc.default"


class AvroSettings(NamedTuple):
    """How schemas and values are mapped."""

    enhanced: bool = False
    scrub_names: bool = False
    connect_meta_data: bool = True
    generalized_sum_types: bool = False
    ignore_default: bool = False
    optional_map_keys: bool = False
    flatten_singleton_unions: bool = True
    discard_type_doc_default: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AvroSettings:
        """From the parsed settings."""
        return cls(
            enhanced=values[ENHANCED],
            scrub_names=values[SCRUB_NAMES],
            connect_meta_data=values[CONNECT_META_DATA],
            generalized_sum_types=values[GENERALIZED_SUM_TYPES],
            ignore_default=values[IGNORE_DEFAULT],
            optional_map_keys=values[OPTIONAL_MAP_KEYS],
            flatten_singleton_unions=values[FLATTEN_SINGLETON_UNIONS],
            discard_type_doc_default=values[DISCARD_TYPE_DOC_DEFAULT],
        )


def avro_config_def() -> ConfigDef:
    """All settings of AvroConverter."""
    return define_all(
        registry_config_def(),
        "Avro",
        (
            Key(
                ENHANCED,
                Type.BOOLEAN,
                False,
                MEDIUM,
                "Whether enums stay enums and the records of a union are told apart by their full names.",
            ),
            SCRUB_NAMES_KEY,
            Key(
                CONNECT_META_DATA,
                Type.BOOLEAN,
                True,
                LOW,
                "Whether names, versions, documentation and parameters of Connect's schemas are written into the Avro schema.",
            ),
            Key(
                OPTIONAL_MAP_KEYS,
                Type.BOOLEAN,
                False,
                LOW,
                "Whether a map with optional text as keys is written as an Avro map. Otherwise it is an array of entries.",
            ),
            Key(
                FLATTEN_SINGLETON_UNIONS,
                Type.BOOLEAN,
                True,
                LOW,
                "Whether a union of one type is read as that type.",
            ),
            Key(
                DISCARD_TYPE_DOC_DEFAULT,
                Type.BOOLEAN,
                False,
                LOW,
                "Whether only fields keep documentation and defaults, as in old versions of Confluent's converter.",
            ),
            Key(
                "avro.fail.on.trailing.data",
                Type.BOOLEAN,
                False,
                LOW,
                "Whether a message with bytes behind its data is an error.",
            ),
        ),
    )
