"""What transformations require of a value, with the messages of Kafka's `Requirements`."""

from __future__ import annotations

from typing import Any, TypeGuard

from connectd.errors import DataException
from connectd.struct import Struct


def require_map(value: Any, purpose: str) -> dict[str, Any]:
    """The value, which has no schema, as a dict; raises DataException when it is none."""
    if not is_map(value):
        raise DataException(
            f"Only Map objects supported in absence of schema for [{purpose}], found: {type_name(value)}"
        )
    return value


def require_struct(value: Any, purpose: str) -> Struct:
    """The value as a struct; raises DataException when it is none."""
    if not isinstance(value, Struct):
        raise DataException(f"Only Struct objects supported for [{purpose}], found: {type_name(value)}")
    return value


def is_map(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the value is what an object without a schema is held in."""
    return isinstance(value, dict)


def type_name(value: Any) -> str:
    """What kind of value it is, for messages that must not show the value."""
    return "null" if value is None else type(value).__qualname__
