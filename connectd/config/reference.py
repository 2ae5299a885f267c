"""The Markdown reference of a configuration definition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectd.config.key import ConfigKey
from connectd.config.types import convert_to_string

_BYTE_UNITS = ((1024, "kibibyte"), (1024, "mebibyte"), (1024, "gibibyte"), (1024, "tebibyte"))
_TIME_UNITS = ((1000, "second"), (60, "minute"), (60, "hour"), (24, "day"))


def markdown(keys: Iterable[ConfigKey], heading_level: int = 3) -> str:
    """A section for each key in the given order, below a heading for each group; internal keys are left out."""
    parts = []
    group = None
    for key in keys:
        if key.internal_config:
            continue
        if key.group and key.group != group:
            parts.append(f"{'#' * (heading_level - 1)} {key.group}")
        group = key.group
        parts.append(_section(key, "#" * heading_level))
    return "\n\n".join(parts) + "\n" if parts else ""


def default_text(key: ConfigKey) -> str:
    """The default for a reader, with its unit for keys in bytes and milliseconds: ``60000 (1 minute)``."""
    if key.alternative_string is not None:
        return key.alternative_string
    value = key.default_value
    if value is None:
        return "null"
    return (convert_to_string(value, key.type) or '""') + _unit(key.name, value)


def _section(key: ConfigKey, heading: str) -> str:
    facts = [f"- Type: {key.type.name.lower()}"]
    if key.has_default:
        facts.append(f"- Default: {default_text(key)}")
    if key.validator is not None and str(key.validator):
        facts.append(f"- Valid values: {key.validator}")
    facts.append(f"- Importance: {key.importance.name.lower()}")
    if key.dependents:
        facts.append("- Dependents: " + ", ".join(f"`{name}`" for name in key.dependents))
    documentation = [key.documentation.strip()] if key.documentation.strip() else []
    return "\n\n".join([f"{heading} `{key.name}`", *documentation, "\n".join(facts)])


def _unit(name: str, value: Any) -> str:
    if not isinstance(value, int):
        return ""
    if name.endswith(".bytes"):
        return _in_units(value, _BYTE_UNITS)
    if name.endswith(".ms"):
        return _in_units(value, _TIME_UNITS)
    return ""


def _in_units(value: int, units: tuple[tuple[int, str], ...]) -> str:
    """The value in the largest unit that divides it without rest, in parentheses; empty if there is none."""
    unit = ""
    for size, name in units:
        if value == 0 or value % size:
            break
        value, unit = value // size, name
    return f" ({value} {unit}{'' if value == 1 else 's'})" if unit else ""
