"""Paths to fields, plain or with dots for fields within fields (KIP-821, `SingleFieldPath` in Kafka)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from connectd.config import CaseInsensitiveValidString, ConfigDef, Importance, Type
from connectd.errors import ConfigException
from connectd.schema import Field, Schema
from connectd.struct import Struct
from plugins.transforms.requirements import require_map, require_struct

SYNTAX_CONFIG: Final = "field.syntax.version"
_PURPOSE: Final = "nested field access"


def with_field_syntax(definition: ConfigDef) -> ConfigDef:
    """Declare `field.syntax.version` too."""
    return definition.define(
        SYNTAX_CONFIG,
        Type.STRING,
        "V1",
        CaseInsensitiveValidString.in_("V1", "V2"),
        Importance.HIGH,
        "How fields are named. With `V1` a name is that of a field at the top, whatever characters it has. With `V2` dots "
        "lead to fields within fields, and a name that has dots itself is put in backticks: `` `foo.bar`.baz ``.",
    )


class FieldPath:
    """The way to one field of a struct, or to one entry of a dict.

    Raises ConfigException for a path that is empty or whose backticks do not match.
    """

    def __init__(self, text: str, syntax: str) -> None:
        steps = list(_split(text)) if syntax.upper() == "V2" else [text]
        if not steps:
            raise ConfigException("Field path is empty, expected the name of a field")
        *self._outer, self._last = steps

    def field_of(self, schema: Schema) -> Field | None:
        """The field in a struct schema, or None; raises DataException where a step leads into what is no struct."""
        for step in self._outer:
            field = schema.field(step)
            if field is None:
                return None
            schema = field.schema
        return schema.field(self._last)

    def value_in_struct(self, struct: Struct, with_default: bool = True) -> Any:
        """The value, None when a field of the path is missing; raises DataException where an outer one is no struct."""
        current = struct
        for step in self._outer:
            inner = current.get(step) if current.schema.field(step) is not None else None
            if inner is None:
                return None
            current = require_struct(inner, _PURPOSE)
        field = current.schema.field(self._last)
        if field is None:
            return None
        return current.get(field) if with_default else current.get_without_default(field)

    def value_in_map(self, value: dict[str, Any]) -> Any:
        """The value, None when it is missing; raises DataException where an outer one is no dict."""
        for step in self._outer:
            inner = value.get(step)
            if inner is None:
                return None
            value = require_map(inner, _PURPOSE)
        return value.get(self._last)


def _split(path: str) -> Iterator[str]:
    """The steps of a V2 path: split at dots, but not within backticks."""
    position = 0
    while position < len(path):
        if path[position] == "`":
            step, position = _quoted(path, position)
            yield step
        else:
            end = path.find(".", position)
            yield path[position:] if end < 0 else path[position:end]
            position = len(path) if end < 0 else end + 1
    if path.endswith("."):
        yield ""


def _quoted(path: str, opening: int) -> tuple[str, int]:
    """The step that begins with a backtick, and where the next one begins.

    It ends with a backtick before a dot or at the end of the path, unless a backslash stands before that backtick.
    """
    step = ""
    start = position = opening + 1
    while True:
        position = path.find("`", position)
        is_last = position == len(path) - 1
        is_escaped = path[position - 1] == "\\"
        if position < 0 or (is_last and is_escaped):
            raise ConfigException(
                f"Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position "
                f"{opening} to escape it"
            )
        if is_last:
            return step + path[start:position], position + 1
        if path[position + 1] == "." and not is_escaped:
            return step + path[start:position], position + 2
        if path[position + 1] == ".":
            step += f"{path[start : position - 1]}`"
            start = position + 1
        position += 1
