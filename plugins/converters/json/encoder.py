"""Writes values of one schema: at speed where that is possible, otherwise by the rules, with the errors they know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from connectd.errors import DataException
from connectd.schema import Schema
from plugins.converters.json.fast_writing import fast_writer
from plugins.converters.json.schemas import schema_to_json
from plugins.converters.json.text import with_jackson_escapes
from plugins.converters.json.writing import ValueWriter

_BACKSLASH: Final = ord("\\")


class JsonEncoder:
    """Writes values of `schema`, each with the schema in an envelope when `with_envelope`.

    Raises DataException when a default value within the schema does not fit it.
    """

    def __init__(self, schema: Schema | None, writer: ValueWriter, with_envelope: bool) -> None:
        self.schema = schema
        self._writer = writer
        self._fast = fast_writer(schema, writer)
        self._before = self._after = b""
        if with_envelope:
            self._before = f'{{"schema":{schema_to_json(schema, writer)},"payload":'.encode()
            self._after = b"}"

    def encode(self, value: Any) -> bytes | None:
        """The JSON of a value; None when there is neither value nor schema."""
        return self.encode_all((value,))[0]

    def encode_all(self, values: Iterable[Any]) -> list[bytes | None]:
        """The JSON of many values. Raises DataException for the first that does not fit the schema."""
        (convert, encode), before, after = self._fast, self._before, self._after
        encoded: list[bytes | None] = []
        for value in values:
            try:
                payload = encode(convert(value))
            except Exception:  # Whatever it was, the slow way decides whether it is an error.
                encoded.append(self._encode_slowly(value))
                continue
            if _BACKSLASH in payload or not payload.isascii():
                payload = with_jackson_escapes(payload)
            encoded.append(before + payload + after if before else payload)
        return encoded

    def _encode_slowly(self, value: Any) -> bytes | None:
        if value is None and self.schema is None:
            return None
        try:
            return self._before + self._writer.write(self.schema, value).encode() + self._after
        except RecursionError:
            raise DataException("The value is nested too deeply for JSON") from None
