"""Reads JSON values of the storage topics as Java's `JsonConverter` without schemas would hand them to Connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from connectd.errors import DataException


class Malformed(DataException):
    """A record is not what its key says. The message never holds the value, which may be secret."""


def json_object(value: Any) -> Mapping[str, Any]:
    """An object. Raises Malformed for anything else."""
    if not isinstance(value, dict):
        raise Malformed(f"expected a JSON object, found {_kind(value)}")
    return value


def str_field(value: Mapping[str, Any], name: str) -> str:
    """A text. Raises Malformed."""
    found = value.get(name)
    if not isinstance(found, str):
        raise Malformed(f"expected a text in field {name!r}, found {_kind(found)}")
    return found


def int_field(value: Mapping[str, Any], name: str) -> int:
    """A whole number. Raises Malformed."""
    found = value.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise Malformed(f"expected a whole number in field {name!r}, found {_kind(found)}")
    return found


def bool_field(value: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """True or false, the default for anything else."""
    found = value.get(name)
    return found if isinstance(found, bool) else default


def properties(value: Mapping[str, Any]) -> dict[str, str]:
    """A configuration. Keys whose value is null are left out, as if they were not set; values that are no texts become what
    JSON writes for them. Raises Malformed."""
    found = value.get("properties")
    if not isinstance(found, dict):
        raise Malformed(f"expected an object in field 'properties', found {_kind(found)}")
    return {key: _text(each) for key, each in found.items() if each is not None}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
