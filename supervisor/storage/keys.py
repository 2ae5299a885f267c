"""Parses the keys of the storage topics that end in a connector and the number of a task."""

from __future__ import annotations

from typing import Final

from supervisor.units.lifecycle import UnitId

_INT_MAX: Final = 2**31 - 1


def task_of_key(rest: str) -> UnitId | None:
    """The task in what follows a key's prefix, `CONNECTOR-NUMBER`; None if there is none.

    As Java splits keys: dashes at the end do not count.
    """
    connector, dash, number = rest.rstrip("-").rpartition("-")
    digits = number.removeprefix("+")
    if not dash or not (digits.isascii() and digits.isdecimal()) or int(digits) > _INT_MAX:
        return None
    return UnitId(connector, int(digits))
