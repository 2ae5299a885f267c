"""The settings of ProtobufConverter (Confluent's `ProtobufConverterConfig` and `ProtobufDataConfig`)."""

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

ENHANCED: Final = "enhanced.protobuf.schema.support"
INT_FOR_ENUMS: Final = "int.for.enums"
OPTIONAL_FOR_NULLABLES: Final = "optional.for.nullables"
OPTIONAL_FOR_PROTO2: Final = "optional.for.proto2"
WRAPPER_FOR_NULLABLES: Final = "wrapper.for.nullables"
WRAPPER_FOR_RAW_PRIMITIVES: Final = "wrapper.for.raw.primitives"
STRUCT_FOR_NULLS: Final = "generate.struct.for.nulls"
INDEX_FOR_UNIONS: Final = "generate.index.for.unions"
FLATTEN_UNIONS: Final = "flatten.unions"


class ProtobufSettings(NamedTuple):
    """How schemas and values are mapped."""

    enhanced: bool = False
    scrub_names: bool = False
    int_for_enums: bool = False
    optional_for_nullables: bool = False
    optional_for_proto2: bool = True
    wrapper_for_nullables: bool = False
    wrapper_for_raw_primitives: bool = True
    struct_for_nulls: bool = False
    index_for_unions: bool = True
    flatten_unions: bool = False
    generalized_sum_types: bool = False
    ignore_default: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ProtobufSettings:
        """From the parsed settings."""
        return cls(
            enhanced=values[ENHANCED],
            scrub_names=values[SCRUB_NAMES],
            int_for_enums=values[INT_FOR_ENUMS],
            optional_for_nullables=values[OPTIONAL_FOR_NULLABLES],
            optional_for_proto2=values[OPTIONAL_FOR_PROTO2],
            wrapper_for_nullables=values[WRAPPER_FOR_NULLABLES],
            wrapper_for_raw_primitives=values[WRAPPER_FOR_RAW_PRIMITIVES],
            struct_for_nulls=values[STRUCT_FOR_NULLS],
            index_for_unions=values[INDEX_FOR_UNIONS],
            flatten_unions=values[FLATTEN_UNIONS],
            generalized_sum_types=values[GENERALIZED_SUM_TYPES],
            ignore_default=values[IGNORE_DEFAULT],
        )


_KEYS: Final = (
    Key(ENHANCED, Type.BOOLEAN, False, MEDIUM, "Whether the names of schemas keep their package."),
    SCRUB_NAMES_KEY,
    Key(INT_FOR_ENUMS, Type.BOOLEAN, False, MEDIUM, "Whether enums are read as numbers, not as text."),
    Key(
        OPTIONAL_FOR_NULLABLES,
        Type.BOOLEAN,
        False,
        MEDIUM,
        "Whether optional fields are written with the label `optional`, so that null and zero differ, and only those are"
        " read as optional.",
    ),
    Key(OPTIONAL_FOR_PROTO2, Type.BOOLEAN, True, MEDIUM, "Whether `optional` counts in files of proto2, too."),
    Key(
        WRAPPER_FOR_NULLABLES,
        Type.BOOLEAN,
        False,
        MEDIUM,
        "Whether optional fields are written as Google's wrapper messages, such as `google.protobuf.StringValue`.",
    ),
    Key(
        WRAPPER_FOR_RAW_PRIMITIVES,
        Type.BOOLEAN,
        True,
        MEDIUM,
        "Whether a message that is a wrapper is read as the value in it.",
    ),
    Key(
        STRUCT_FOR_NULLS,
        Type.BOOLEAN,
        False,
        MEDIUM,
        "Whether a message that is absent is read as one without values, not as null.",
    ),
    Key(INDEX_FOR_UNIONS, Type.BOOLEAN, True, LOW, "Whether the field for a oneof has its number in its name."),
    Key(FLATTEN_UNIONS, Type.BOOLEAN, False, LOW, "Whether the fields of a oneof are read as fields of the message."),
)


def protobuf_config_def() -> ConfigDef:
    """All settings of ProtobufConverter."""
    return define_all(registry_config_def(), "Protobuf", _KEYS)
