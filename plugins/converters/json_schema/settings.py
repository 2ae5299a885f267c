"""The settings of JsonSchemaConverter (Confluent's `JsonSchemaConverterConfig` and `JsonSchemaDataConfig`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from connectd.config import CaseInsensitiveValidString, ConfigDef, Type
from plugins.converters.registry.settings import (
    GENERALIZED_SUM_TYPES,
    IGNORE_DEFAULT,
    LOW,
    MEDIUM,
    Key,
    define_all,
    registry_config_def,
)

ADDITIONAL_PROPERTIES: Final = "object.additional.properties"
OPTIONAL_FOR_NONREQUIRED: Final = "use.optional.for.nonrequired"
DECIMAL_FORMAT: Final = "decimal.format"
FLATTEN_SINGLETON_UNIONS: Final = "flatten.singleton.unions"
FAIL_INVALID: Final = "json.fail.invalid.schema"

_NUMERIC: Final = "NUMERIC"


class JsonSchemaSettings(NamedTuple):
    """How schemas and values are mapped."""

    additional_properties: bool = True
    optional_for_nonrequired: bool = False
    numeric_decimals: bool = False
    flatten_singleton_unions: bool = True
    generalized_sum_types: bool = False
    ignore_default: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> JsonSchemaSettings:
        """From the parsed settings."""
        return cls(
            additional_properties=values[ADDITIONAL_PROPERTIES],
            optional_for_nonrequired=values[OPTIONAL_FOR_NONREQUIRED],
            numeric_decimals=values[DECIMAL_FORMAT].upper() == _NUMERIC,
            flatten_singleton_unions=values[FLATTEN_SINGLETON_UNIONS],
            generalized_sum_types=values[GENERALIZED_SUM_TYPES],
            ignore_default=values[IGNORE_DEFAULT],
        )


def json_schema_config_def() -> ConfigDef:
    """All settings of JsonSchemaConverter."""
    return define_all(
        registry_config_def(),
        "JSON Schema",
        (
            Key(
                ADDITIONAL_PROPERTIES,
                Type.BOOLEAN,
                True,
                MEDIUM,
                "Whether objects may have properties that their schema does not name.",
            ),
            Key(
                OPTIONAL_FOR_NONREQUIRED,
                Type.BOOLEAN,
                False,
                MEDIUM,
                "Whether a property that is not required is read as an optional field.",
            ),
            Key(
                DECIMAL_FORMAT,
                Type.STRING,
                "BASE64",
                LOW,
                "How decimals are written: as BASE64 of their unscaled value, or as NUMERIC, which is a JSON number.",
                CaseInsensitiveValidString.in_("BASE64", _NUMERIC),
            ),
            Key(FLATTEN_SINGLETON_UNIONS, Type.BOOLEAN, True, LOW, "Whether a union of one type is read as that type."),
            Key(
                FAIL_INVALID,
                Type.BOOLEAN,
                False,
                MEDIUM,
                "Whether every message is checked against its schema; one that does not fit is then an error.",
            ),
        ),
    )
