"""Changes many rows, the field values of structs, with a function that is written for one schema and compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from connectd.errors import DataException
from connectd.schema import Field, validate_value

Change = Callable[[Any], Any]
Rows = list[list[Any]]
ChangeRows = Callable[[Rows], Rows]


class Taking(NamedTuple):
    """What goes into a field: the value at the index `source`, or `default` instead of null, then changed and checked."""

    field: Field
    source: int
    default: Any
    change: Change | None
    must_not_be_null: bool
    must_be_checked: bool


def row_changer(source_length: int, target_length: int, takings: Sequence[Taking]) -> ChangeRows:
    """A function from rows of one length to rows of another; what nothing is taken for is None.

    It raises for a value that must not be null, or does not fit. As with data classes, code is made of nothing but numbers.
    """
    names: dict[str, Any] = {"validate_value": validate_value, "required": _required}
    statements: list[str] = []
    result = ["None"] * target_length
    nulls: list[str] = []
    for number, taking in enumerate(takings):
        value = f"s{taking.source}"
        if taking.default is not None or taking.change is not None:
            statements.append(f"t{number} = {value}")
            value = f"t{number}"
        if taking.default is not None:
            names[f"default{number}"] = taking.default
            statements.append(f"if {value} is None: {value} = default{number}")
        if taking.change is not None:
            names[f"change{number}"] = taking.change
            statements.append(f"{value} = change{number}({value})")
        if taking.must_not_be_null:
            nulls.append(f"{value} is None")
        if taking.must_be_checked:
            names[f"schema{number}"], names[f"name{number}"] = taking.field.schema, taking.field.name
            statements.append(f"validate_value(schema{number}, {value}, name{number})")
        result[taking.field.index] = value
    if nulls:
        statements.append(f"if {' or '.join(nulls)}: required()")
    unpacked = "".join(f"s{index}, " for index in range(source_length))
    lines = [
        "def change(rows):",
        "    changed = []",
        "    add = changed.append",
        f"    for ({unpacked}) in rows:",
        *(f"        {statement}" for statement in statements),
        f"        add([{', '.join(result)}])",
        "    return changed",
    ]
    exec("\n".join(lines), names)  # noqa: S102  # a loop over rows with the steps of one schema written out
    change: ChangeRows = names["change"]
    return change


def _required() -> None:
    raise DataException("A required field is null")
