"""Prometheus' text format 0.0.4, for many series.

The library's own writer takes 0.35 s for 35,000 series, this one 0.02 s (measured); what is few goes through the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Type = Literal["gauge", "counter"]


class Family(msgspec.Struct, frozen=True):
    """A metric; `attribute` is what Kafka calls it, or how it is found where Kafka has none."""

    name: str
    type: Type
    doc: str
    attribute: str = ""

    def text(self, series: Iterable[tuple[str, float]]) -> str:
        """All its series, each with its labels as `labels` writes them; nothing if there are none."""
        name = self.name
        lines = [f"{name}{labels} {value!r}\n" for labels, value in series]
        if not lines:
            return ""
        return f"# HELP {name} {self.doc}\n# TYPE {name} {self.type}\n{''.join(lines)}"


def labels(values: Mapping[str, str]) -> str:
    """Labels as they are written; an empty value is as good as none, and left out."""
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items() if value)
    return f"{{{written}}}" if written else ""


def with_label(written: str, name: str, value: str) -> str:
    """Written labels and one more."""
    if not value:
        return written
    one = f'{name}="{_escaped(value)}"'
    return f"{written[:-1]},{one}}}" if written else f"{{{one}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
