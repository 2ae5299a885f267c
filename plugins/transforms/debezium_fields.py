"""Fields of a change event that `ExtractNewRecordState` adds to a row or to the headers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from connectd.errors import ConfigException, DataException
from connectd.schema import Field, Schema
from connectd.struct import Struct
from plugins.transforms.debezium import OPERATION, SOURCE, TIMESTAMP, TRANSACTION
from plugins.transforms.pairs import split_pair
from plugins.transforms.structs import builder_like

_UPDATE_DESCRIPTION: Final = "updateDescription"
# Where a field is whose name says nothing about it: all others are in the source block.
_PLACES: Final = {
    "id": TRANSACTION,
    "data_collection_order": TRANSACTION,
    "total_order": TRANSACTION,
    OPERATION: None,
    TIMESTAMP: None,
    "ts_us": None,
    "ts_ns": None,
    _UPDATE_DESCRIPTION: _UPDATE_DESCRIPTION,
}


class EventField(NamedTuple):
    """A field, the struct of the event that it is in (None: the event itself), and the name that it gets."""

    name: str
    place: str | None
    new_name: str

    def schema_in(self, event: Schema) -> Schema | None:
        """The schema to give the field, which is optional; None if the event has no such field.

        Raises DataException if it does not even have the place.
        """
        schema = event
        if self.place is not None:
            place = event.field(self.place)
            if place is None:
                raise DataException(f"{self.place} is not a valid field name")
            schema = place.schema
        # An earlier transformation may have put the field at the top.
        field: Field | None = schema.field(self.name) or event.field(self.name)
        return None if field is None else builder_like(field.schema).optional().build()

    def value_in(self, event: Struct) -> Any:
        """The value; None where the place is null, as the transaction is during a snapshot."""
        place = event if self.place is None else event.get_without_default(self.place)
        if place is None:
            return None
        return (place if place.schema.field(self.name) is not None else event).get_without_default(self.name)


def parse_fields(prefix: str, setting: str) -> list[EventField]:
    """The fields of a setting such as `op,source.ts_ms,lsn:position`; raises ConfigException."""
    return [_parse(prefix, text.strip()) for text in setting.rstrip(",").split(",")] if setting else []


def _parse(prefix: str, text: str) -> EventField:
    parts = split_pair(text)
    if len(parts) not in (1, 2):
        raise ConfigException(f"Unexpected field name: {text}")
    steps = parts[0].split(".")
    is_qualified = len(steps) > 1
    name = steps[1] if is_qualified else steps[0]
    place = steps[0] if is_qualified else _PLACES.get(name, SOURCE)
    new_name = parts[1] if len(parts) == 2 else f"{place}_{name}" if is_qualified else name
    return EventField(name, place, prefix + new_name)
