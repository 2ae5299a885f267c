"""The columns that the outbox router adds to events, and where."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from connectd.errors import ConfigException
from plugins.transforms.pairs import split_pair

HEADER: Final = "header"
ENVELOPE: Final = "envelope"
PARTITION: Final = "partition"


class AdditionalField(NamedTuple):
    """A column, where it goes, and the name that it gets there."""

    name: str
    placement: str
    new_name: str


def parse_placements(setting: str | None) -> list[AdditionalField]:
    """From `column:placement` or `column:placement:name`, separated by commas; the setting has been checked."""
    if not setting:
        return []
    parts = [[part.strip() for part in split_pair(text)] for text in setting.rstrip(",").split(",")]
    return [AdditionalField(name, placement.lower(), rest[0] if rest else name) for name, placement, *rest in parts]


def check_placements(name: str, value: Any) -> None:
    """Raise ConfigException for a setting that cannot be parsed."""
    for text in (value or "").rstrip(",").split(",") if value else ():
        parts = split_pair(text)
        if len(parts) not in (2, 3):
            raise ConfigException(name, value, "A comma-separated list of valid String pairs or trios is expected")
        if parts[1].strip().lower() not in (HEADER, ENVELOPE, PARTITION):
            raise ConfigException(name, value, f"{parts[1]} is none of {HEADER}, {ENVELOPE}, {PARTITION}")
