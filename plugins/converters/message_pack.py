"""MessagePackConverter: values without a schema, in a form that is smaller than JSON and knows bytes (msgpack.org)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from connectd.errors import DataException
from connectd.schema import Schema, SchemaAndValue, validate_value
from connectd.struct import Struct
from plugins.converters.base import BuiltinConverter


def _plain(value: Any) -> Any:
    """What MessagePack has no type for."""
    if isinstance(value, Struct):
        return {field.name: value.get(field) for field in value.schema.fields}
    raise NotImplementedError(f"there is no type for a {type(value).__qualname__}")


def _refuse_extension(code: int, data: memoryview) -> Any:
    raise DataException(f"The message has data of the extension type {code}, of which nothing is known")


# Decimals are text, and so are days and times of day, in ISO 8601; a moment is MessagePack's own timestamp.
_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_plain, decimal_format="string")
_DECODER: Final = msgspec.msgpack.Decoder(ext_hook=_refuse_extension)


class MessagePackConverter(BuiltinConverter):
    """MessagePack. A struct is written as the map of its fields, and read again as that: there are no schemas in the data.

    Raises DataException for values that do not fit their schema or have no type in MessagePack, and for bytes that are none.
    """

    JAVA_NAME = "plugins.converters.message_pack.MessagePackConverter"

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if schema is not None:
            validate_value(schema, value)
            if value is None:
                value = schema.default_value
        if value is None:
            return None
        try:
            return _ENCODER.encode(value)
        except (
            TypeError,
            ValueError,
            OverflowError,
            NotImplementedError,
            RecursionError,
            msgspec.MsgspecError,
        ) as error:
            raise DataException(f"The value cannot be written as MessagePack: {error}") from error

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        return SchemaAndValue(None, None if value is None else _decoded(value))

    def to_connect_batch(self, topic: str, values: Sequence[bytes | None]) -> tuple[None, list[Any]]:
        return None, [None if value is None else _decoded(value) for value in values]


def _decoded(data: bytes) -> Any:
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise DataException(f"The message is no MessagePack: {error}") from error
