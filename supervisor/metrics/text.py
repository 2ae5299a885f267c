"""Prometheus' text format 0.0.4, for many series.

The library's own writer takes 0.35 s for 35,000 series, this one 0.02 s (measured); what is few goes through the library.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from operator import add
from typing import Final, Literal

import msgspec

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_encoder: Final = msgspec.json.Encoder()

Type = Literal["gauge", "counter"]
# The labels of some series, written, and the value of each.
Column = tuple[Sequence[str], Sequence[float]]


class Rows:
    """Units that have the same metrics: their labels, written, and a row of values of each."""

    __slots__ = ("labels", "values")

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.values: list[tuple[float, ...]] = []

    def add(self, labels: str, values: Iterable[float]) -> None:
        """One more unit."""
        self.labels.append(labels)
        self.values.append(tuple(values))


class Family(msgspec.Struct, frozen=True):
    """A metric; `attribute` is what Kafka calls it, or how it is found where Kafka has none."""

    name: str
    type: Type
    doc: str
    attribute: str = ""

    def text(self, series: Iterable[tuple[str, float]]) -> str:
        """All its series, each with its labels as `labels` writes them; nothing if there are none."""
        pairs = list(series)
        return self.text_of([([written for written, _ in pairs], [value for _, value in pairs])])

    def text_of(self, columns: Iterable[Column]) -> str:
        """As `text`, of series by columns."""
        start = f"\n{self.name}"
        found = [_series(start, labels, values) for labels, values in columns if labels]
        return (
            "".join([f"# HELP {self.name} {self.doc}\n# TYPE {self.name} {self.type}", *found, "\n"]) if found else ""
        )


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


def _series(start: str, labels: Sequence[str], values: Sequence[float]) -> str:
    """A line for each; `start` is a line break and the name of the metric."""
    if values.count(values[0]) == len(values):  # most often: what is at rest
        (number,) = _numbers(values[:1])
        return f"{start}{f'{number}{start}'.join(labels)}{number}"
    return start.join(itertools.chain(("",), map(add, labels, _numbers(values))))


def _numbers(values: Sequence[float]) -> Sequence[str]:
    """As `repr` writes them, after a space, but all at once as JSON: in a fifth of the time."""
    text = _encoder.encode(values).decode()
    # What is no number has no place in JSON.
    return [f" {value!r}" for value in values] if "null" in text else f" {text[1:-1].replace(',', ', ')}".split(",")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
