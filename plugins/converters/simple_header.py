"""SimpleHeaderConverter: headers as text that tells their types (`org.apache.kafka.connect.storage.SimpleHeaderConverter`)."""

from __future__ import annotations

from typing import Any

import connectd
from connectd.converters import HeaderConverter
from connectd.schema import Schema, SchemaAndValue
from connectd.values import Values
from plugins.converters.charset import UTF_8


class SimpleHeaderConverter(HeaderConverter):
    """Writes values as text and reads text as what it most likely stands for (`Values.parse_string`).

    Raises DataException for a value that has no text.
    """

    JAVA_NAME = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
    version = connectd.__version__

    def to_connect_header(self, topic: str, header_key: str, value: bytes | None) -> SchemaAndValue:
        return SchemaAndValue.NULL if value is None else Values.parse_string(UTF_8.decode(value))

    def from_connect_header(self, topic: str, header_key: str, schema: Schema | None, value: Any) -> bytes | None:
        text = Values.convert_to_string(schema, value)
        return None if text is None else UTF_8.encode(text)
