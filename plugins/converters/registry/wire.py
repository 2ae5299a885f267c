"""The bytes before the data of a message, which tell its schema (Confluent's wire format, `SchemaId`)."""

from __future__ import annotations

import struct
import uuid
from typing import Final, NamedTuple

from connectd.errors import DataException

_ID: Final = struct.Struct(">bI")
_GUID_SIZE: Final = 16
_MAGIC_ID: Final = 0
_MAGIC_GUID: Final = 1

ID_SIZE: Final = _ID.size


class SchemaId(NamedTuple):
    """Which schema a message has, by id or by globally unique id, and how many bytes say so."""

    id: int | None
    guid: str | None
    size: int


def id_bytes(schema_id: int) -> bytes:
    """What stands before data with the schema of that id."""
    return _ID.pack(_MAGIC_ID, schema_id)


def read_id(data: bytes) -> SchemaId:
    """Raises DataException for bytes that do not begin with a schema's id."""
    if len(data) >= ID_SIZE and data[0] == _MAGIC_ID:
        return SchemaId(_ID.unpack_from(data)[1], None, ID_SIZE)
    if len(data) > _GUID_SIZE and data[0] == _MAGIC_GUID:
        return SchemaId(None, str(uuid.UUID(bytes=data[1 : 1 + _GUID_SIZE])), 1 + _GUID_SIZE)
    begin = f"{len(data)} bytes" if len(data) < ID_SIZE else f"the byte {data[0]}"
    raise DataException(
        "The message does not begin with the id of a schema: expected the byte 0 and an id of four bytes"
        f" (or 1 and one of sixteen), found {begin}. Was it written with another converter?"
    )
