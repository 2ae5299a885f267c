"""What a record says about itself, in its value or in its headers (Debezium's `RecordAndMetadata`)."""

from __future__ import annotations

from typing import Any, NamedTuple

from connectd.errors import DataException
from connectd.headers import ConnectHeaders
from connectd.schema import Schema
from connectd.struct import Struct
from plugins.converters.cloud_events.settings import MetadataSource, Source
from plugins.transforms.debezium import OPERATION, SOURCE, TRANSACTION


class Facts(NamedTuple):
    """The parts of a change event that are about it; `id`, `type`, `trace_parent` and `data_schema_name` if headers have them."""

    source: Struct
    operation: str | None
    transaction: Struct | None
    id: str | None
    type: str | None
    trace_parent: str | None
    data_schema_name: str | None


def facts_of(record: Struct, headers: ConnectHeaders, places: MetadataSource) -> Facts:
    """Raises DataException for what is missing or of another type."""

    def from_header(place: Source, name: str) -> Any:
        return _header(headers, name) if place is Source.HEADER else None

    if places.general is Source.HEADER:
        source, operation = _header(headers, SOURCE), _header(headers, OPERATION)
        transaction = _header(headers, TRANSACTION, is_optional=True)
    else:
        source, operation = record.get_struct(SOURCE), record.get_string(OPERATION)
        transaction = None if record.schema.field(TRANSACTION) is None else record.get_struct(TRANSACTION)
    if not isinstance(source, Struct):
        raise DataException(
            f"Expected the source block of a change event to be a struct, found {type(source).__qualname__}"
        )
    trace_parent = places.trace_parent is Source.HEADER
    return Facts(
        source,
        operation,
        transaction,
        from_header(places.id, "id"),
        from_header(places.type, "type"),
        _header(headers, "traceparent", is_optional=True) if trace_parent else None,
        from_header(places.data_schema_name, "dataSchemaName"),
    )


def is_change_event(schema: Schema, headers: ConnectHeaders, places: MetadataSource) -> bool:
    """Whether a record is one, as its headers or the name of its schema say: all others are written as null."""
    if places.general is Source.HEADER:
        return headers.last_with_name(SOURCE) is not None and headers.last_with_name(OPERATION) is not None
    return schema.name is not None and schema.name.endswith(".Envelope")


def _header(headers: ConnectHeaders, name: str, *, is_optional: bool = False) -> Any:
    header = headers.last_with_name(name)
    if header is None and not is_optional:
        raise DataException(f"Header {name} was not provided")
    return None if header is None else header.value
