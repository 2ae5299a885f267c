"""What Debezium's transformations share: the envelope of a change event, and names that Avro allows."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectd.config import CaseInsensitiveValidString, ConfigDef, Importance, Type
from connectd.records import ConnectRecord
from plugins.transforms.requirements import require_struct

BEFORE: Final = "before"
AFTER: Final = "after"
OPERATION: Final = "op"
TIMESTAMP: Final = "ts_ms"
SOURCE: Final = "source"
TRANSACTION: Final = "transaction"
DELETE: Final = "d"
UPDATE: Final = "u"

_ENVELOPE: Final = ".Envelope"


def is_envelope(record: ConnectRecord) -> bool:
    """Whether the value is a change event, as its schema's name says."""
    schema = record.value_schema
    return schema is not None and schema.name is not None and schema.name.endswith(_ENVELOPE)


def envelope_name(topic: str) -> str:
    """The name that the schema of change events in a topic has."""
    return f"{topic}{_ENVELOPE}"


def operation_of(record: ConnectRecord, purpose: str) -> str | None:
    """The code of the change: `c`, `u`, `d`, `r` for create, update, delete, read. Raises DataException if there is none."""
    return require_struct(record.value, purpose).get_string(OPERATION)


def with_adjustment(definition: ConfigDef, key: str, doc: str) -> ConfigDef:
    """Declare the key that says how names are adjusted."""
    return definition.define(
        key, Type.STRING, "none", CaseInsensitiveValidString.in_("none", "avro", "avro_unicode"), Importance.LOW, doc
    )


def schema_name_adjuster(mode: str) -> Callable[[str], str]:
    """A function that makes names of schemas as Avro wants them; `none` leaves them as they are."""
    return _ADJUSTERS[mode.strip().lower()](".")


def field_name_adjuster(mode: str) -> Callable[[str], str]:
    """A function that makes names of fields as Avro wants them; `none` leaves them as they are."""
    return _ADJUSTERS[mode.strip().lower()]("")


def _unchanged(_: str) -> Callable[[str], str]:
    return lambda name: name


def _with_underscores(allowed: str) -> Callable[[str], str]:
    invalid = re.compile(f"[^a-zA-Z0-9_{allowed}]")

    def adjust(name: str) -> str:
        # The digit stays: two names may differ in nothing else.
        first = f"_{name}" if name[:1].isdigit() else name.replace(".", "_", 1) if name.startswith(".") else name
        return invalid.sub("_", first)

    return functools.lru_cache(maxsize=1000)(adjust)


def _with_codes(allowed: str) -> Callable[[str], str]:
    invalid = re.compile(f"^[^a-zA-Z]|[^a-zA-Z0-9{allowed}]")

    def code(match: re.Match[str]) -> str:
        digits = f"{ord(match[0]):x}"
        return f"_u00{digits}" if len(digits) <= 2 else f"_u{digits}"

    return functools.lru_cache(maxsize=1000)(lambda name: invalid.sub(code, name))


_ADJUSTERS: Final[Mapping[str, Callable[[str], Callable[[str], str]]]] = {
    "none": _unchanged,
    "avro": _with_underscores,
    "avro_unicode": _with_codes,
}


def configured(transformation: Any, **settings: str) -> Any:
    """A transformation that is a step of another one; `_` in the names of settings stands for a dot."""
    transformation.configure({name.replace("_", "."): value for name, value in settings.items()})
    return transformation
