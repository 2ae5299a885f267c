"""StringConverter: text in any character set (`org.apache.kafka.connect.storage.StringConverter`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from connectd.config import Importance, Type, Width
from connectd.errors import ConfigException
from connectd.schema import Schema, SchemaAndValue
from plugins.converters.base import BuiltinConverter, new_config_def
from plugins.converters.charset import UTF_8, Charset
from plugins.java_text import to_text

ENCODING_CONFIG: Final = "converter.encoding"


class StringConverter(BuiltinConverter):
    """Text; a value that is no str is written as Java's `toString` writes it.

    Never fails: what the character set cannot write becomes `?`, bytes that it cannot read become U+FFFD.
    """

    JAVA_NAME = "org.apache.kafka.connect.storage.StringConverter"
    CONFIG = new_config_def().define(
        ENCODING_CONFIG,
        Type.STRING,
        "UTF-8",
        importance=Importance.HIGH,
        doc="The character set of the text in Kafka, by its Java name.",
        width=Width.MEDIUM,
        display_name="Encoding",
    )

    def __init__(self) -> None:
        self._charset = UTF_8

    def apply_config(self, values: dict[str, Any]) -> None:
        name = values[ENCODING_CONFIG]
        try:
            self._charset = Charset(name)
        except LookupError:
            raise ConfigException(ENCODING_CONFIG, name, "Expected a supported character set") from None

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if value is None:
            return None
        return self._charset.encode(value if isinstance(value, str) else to_text(value, schema))

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        return SchemaAndValue(Schema.OPTIONAL_STRING_SCHEMA, None if value is None else self._charset.decode(value))

    def from_connect_batch(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        if self._charset.is_utf8:
            try:
                return list(map(str.encode, values))
            except (TypeError, UnicodeEncodeError):
                pass  # There is a value that is no str, or half a surrogate pair: one by one.
        return super().from_connect_batch(topic, schema, values)

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[Schema, list[Any]]:
        if self._charset.is_utf8:
            try:
                return Schema.OPTIONAL_STRING_SCHEMA, list(map(bytes.decode, values))  # type: ignore[arg-type]
            except (TypeError, UnicodeDecodeError):
                pass  # There is a None, or bytes that are not UTF-8: one by one.
        decode = self._charset.decode
        return Schema.OPTIONAL_STRING_SCHEMA, [None if value is None else decode(value) for value in values]
