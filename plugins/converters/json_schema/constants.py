"""Names that Confluent's `JsonSchemaData` gives to what JSON Schema has no word for."""

from __future__ import annotations

from typing import Final

NAMESPACE: Final = "io.confluent.connect.json"
CONNECT_TYPE: Final = "connect.type"
CONNECT_VERSION: Final = "connect.version"
CONNECT_PARAMETERS: Final = "connect.parameters"
CONNECT_INDEX: Final = "connect.index"
ID: Final = f"{NAMESPACE}.Id"
ENUM: Final = f"{NAMESPACE}.Enum"
ONE_OF: Final = f"{NAMESPACE}.OneOf"
GENERAL_UNION: Final = "org.apache.kafka.connect.data.Union"
GENERAL_ENUM: Final = "org.apache.kafka.connect.data.Enum"
GENERAL_UNION_PREFIX: Final = "connect_union_"
GENERAL_FIELD_PREFIX: Final = "connect_union_field_"
NULL_SYMBOL: Final = "<NULL>"
KEY: Final = "key"
VALUE: Final = "value"
