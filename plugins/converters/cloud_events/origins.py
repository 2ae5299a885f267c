"""What identifies a change event of each of Debezium's connectors, and what of it goes into the data (`CloudEventsMaker`)."""

from __future__ import annotations

from typing import Final, NamedTuple

from connectd.errors import DataException
from connectd.struct import Struct
from plugins.transforms.debezium import AFTER, BEFORE, TIMESTAMP

CONNECTOR: Final = "connector"
NAME: Final = "name"


class Origin(NamedTuple):
    """A connector: the words of an event's id with the fields of the source block that follow them, and the fields of the
    data, all if there are none."""

    id_fields: tuple[tuple[str, str], ...]
    data_fields: tuple[str, ...] = (BEFORE, AFTER)

    def id_of(self, source: Struct) -> str:
        """The id of the event with that source block. Raises DataException if it lacks one of the fields."""
        found = ((word, source.get(field)) for word, field in ((NAME, NAME), *self.id_fields))
        return ";".join(f"{word}:{'null' if value is None else value}" for word, value in found)


def _alike(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


_ORIGINS: Final = {
    "mariadb": Origin(_alike("file", "pos"), data_fields=()),
    "mongodb": Origin((("ts", TIMESTAMP), ("ord", "ord")), data_fields=(BEFORE, AFTER, "updateDescription")),
    "mysql": Origin(_alike("file", "pos")),
    "oracle": Origin(_alike("scn", "commit_scn", "lcr_position")),
    "postgresql": Origin(_alike("lsn", "txId", "sequence")),
    "sqlserver": Origin(_alike("change_lsn", "commit_lsn", "event_serial_no")),
}


def origin_of(source: Struct) -> Origin:
    """That of the connector that the source block names. Raises DataException for one that is not known."""
    connector = source.get_string(CONNECTOR)
    if connector not in _ORIGINS:
        raise DataException(
            f"Expected the connector of a change event to be one of {', '.join(_ORIGINS)}, found {connector!r}"
        )
    return _ORIGINS[connector]
