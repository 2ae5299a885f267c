"""Headers that an operator wants on every answer: the rules of `response.http.headers.config`, as Jetty's HeaderFilter."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from connectd.errors import ConfigException
from tasks.settings.rest import RESPONSE_HEADERS

if TYPE_CHECKING:
    from multidict import CIMultiDict


@dataclass(frozen=True)
class HeaderRule:
    """One header. `offset_s` of a date is counted from the time of the answer; None for a text."""

    adds: bool
    name: str
    value: str
    offset_s: float | None = None

    def apply(self, headers: CIMultiDict[str], clock: Callable[[], float] = time.time) -> None:
        """Set or add it."""
        value = self.value if self.offset_s is None else formatdate(clock() + self.offset_s, usegmt=True)
        if self.adds:
            headers.add(self.name, value)
        else:
            headers[self.name] = value


def parse_rules(text: str) -> list[HeaderRule]:
    """`action name:value` separated by commas, in double quotes if they hold a comma. Raises ConfigException."""
    if not text.strip():
        return []
    return [_parse(rule.strip()) for rule in next(csv.reader([text], skipinitialspace=True))]


def _parse(rule: str) -> HeaderRule:
    action, _, header = rule.partition(" ")
    name, _, value = (part.strip() for part in header.strip().partition(":"))
    adds, is_date = action.lower().startswith("add"), action.lower().endswith("date")
    if not is_date:
        return HeaderRule(adds, name, value)
    try:
        return HeaderRule(adds, name, value, int(value) / 1000)
    except ValueError:
        raise ConfigException(RESPONSE_HEADERS, rule, "Expected milliseconds from now as the value of a date") from None
