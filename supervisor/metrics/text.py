"""Prometheus' text format 0.0.4, for many series.

The library's own writer takes 0.35 s for 35,000 series, this one 0.02 s (measured); what is few goes through the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_encoder: Final = msgspec.json.Encoder()

Type = Literal["gauge", "counter"]


class Column:
    """Many series of one metric, in two lists: pairs would be tens of thousands of objects for the garbage collector."""

    __slots__ = ("labels", "values")

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.values: list[float] = []

    def add(self, labels: str, value: float) -> None:
        """One series, the labels written."""
        self.labels.append(labels)
        self.values.append(value)

    def __add__(self, other: Column) -> Column:
        sum = Column()
        sum.labels, sum.values = self.labels + other.labels, self.values + other.values
        return sum


class Family(msgspec.Struct, frozen=True):
    """A metric; `attribute` is what Kafka calls it, or how it is found where Kafka has none."""

    name: str
    type: Type
    doc: str
    attribute: str = ""

    def text(self, series: Iterable[tuple[str, float]]) -> str:
        """All its series, each with its labels as `labels` writes them; nothing if there are none."""
        column = Column()
        for labels, value in series:
            column.add(labels, value)
        return self.column_text(column)

    def column_text(self, column: Column) -> str:
        """As `text`."""
        if not column.values:
            return ""
        name, numbers = self.name, _numbers(column.values)
        lines = f"\n{name}".join([f"{labels} {number}" for labels, number in zip(column.labels, numbers, strict=True)])
        return f"# HELP {name} {self.doc}\n# TYPE {name} {self.type}\n{name}{lines}\n"


def labels(values: Mapping[str, str]) -> str:
    """Labels as they are written; an empty value is as good as none, and left out."""
    written = ",".join([f'{name}="{_escaped(value)}"' for name, value in values.items() if value])
    return f"{{{written}}}" if written else ""


def with_label(written: str, name: str, value: str) -> str:
    """Labels that are written already, and one more."""
    if not value:
        return written
    one = f'{name}="{_escaped(value)}"}}'
    return f"{written[:-1]},{one}" if written else f"{{{one}"


def _numbers(values: Sequence[float]) -> Sequence[str]:
    """As `repr` writes them, but all at once as JSON: in a fifth of the time."""
    text = _encoder.encode(values).decode()
    # What is no number has no place in JSON.
    return [repr(value) for value in values] if "null" in text else text[1:-1].split(",")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
