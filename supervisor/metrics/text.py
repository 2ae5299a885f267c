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
        return self.text_of([(lines([each for each, _ in pairs]), [value for _, value in pairs])] if pairs else [])

    def text_of(self, columns: Iterable[tuple[str, Sequence[float]]]) -> str:
        """As `text`; a column is the `lines` of its series, and their values."""
        name = self.name
        found = [template.replace("\n", f"\n{name}") % tuple(_numbers(values)) for template, values in columns]
        return f"# HELP {name} {self.doc}\n# TYPE {name} {self.type}{''.join(found)}\n" if found else ""


def lines(labels: Iterable[str]) -> str:
    """A line for each series, still without the name of the metric and the value: they serve for all metrics of some units.

    Labels have no line breaks in them: where a line begins, a name goes.
    """
    return "".join([f"\n{each.replace('%', '%%')} %s" for each in labels])


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
