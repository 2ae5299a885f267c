"""What the benchmarks found: medians of the repeats, ratios to the other systems, and the file `bench/results.json`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import confluent_kafka

from supervisor.embedded.settings import KAFKA_VERSION

Figures = Mapping[str, float]
# By case and system, in the order measured.
Measured = Mapping[tuple[str, str], Sequence[Figures]]

_SUBJECT = "connectd"
_DIGITS = {"records_per_s": 0, "cpu_s_per_million": 2, "startup_s": 3, "startup_to_sink_s": 3}


@dataclass(frozen=True)
class Target:
    """What connectd must reach: its `figure` is at least (at most) so many times the other system's."""

    case: str
    figure: str
    other: str
    ratio: float
    at_most: bool = False

    def reached_by(self, ratio: float) -> bool:
        """Whether a measured ratio is good enough."""
        return ratio <= self.ratio if self.at_most else ratio >= self.ratio


TARGETS = (
    Target("file-to-topic", "records_per_s", "kafka-connect-java", 3.0),
    Target("file-to-topic", "records_per_s", "kafka-connect-java-tuned", 1.0),
    Target("file-to-topic", "records_per_s", "raw-librdkafka", 0.7),
    Target("topic-to-file", "records_per_s", "kafka-connect-java", 1.5),
    Target("topic-to-file", "records_per_s", "raw-librdkafka", 0.6),
    Target("startup-and-memory", "pss_mib", "kafka-connect-java", 1 / 5, at_most=True),
    Target("startup-and-memory", "pss_at_rest_mib", "kafka-connect-java", 1 / 5, at_most=True),
    Target("startup-and-memory", "startup_s", "kafka-connect-java", 1 / 3, at_most=True),
)


@dataclass(frozen=True)
class Verdict:
    """A target and the ratio that was measured."""

    target: Target
    ratio: float

    @property
    def reached(self) -> bool:
        return self.target.reached_by(self.ratio)


def medians(measured: Measured) -> dict[tuple[str, str], dict[str, float]]:
    """Of each figure the median of its repeats."""
    return {
        key: {figure: _rounded(figure, median(run[figure] for run in runs)) for figure in runs[0]}
        for key, runs in measured.items()
    }


def verdicts(results: Mapping[tuple[str, str], Figures]) -> list[Verdict]:
    """The targets whose two systems were measured."""
    found = []
    for target in TARGETS:
        mine, theirs = results.get((target.case, _SUBJECT)), results.get((target.case, target.other))
        if mine and theirs:
            found.append(Verdict(target, round(mine[target.figure] / theirs[target.figure], 3)))
    return found


def write_results(path: Path, measured: Measured, records: int) -> None:
    """Write a list with one object for each case and system; those of connectd hold its ratios to the others."""
    results = medians(measured)
    judged = verdicts(results)
    this_machine = machine()
    rows: list[dict[str, Any]] = []
    for (case, system), figures in results.items():
        row: dict[str, Any] = {"case": case, "system": system, **figures}
        row["records"] = records
        row["runs"] = [
            {figure: _rounded(figure, value) for figure, value in run.items()} for run in measured[case, system]
        ]
        row["machine"] = this_machine
        if system == _SUBJECT:
            row["ratios"] = [_as_json(verdict) for verdict in judged if verdict.target.case == case]
        rows.append(row)
    path.write_text(json.dumps(rows, indent=2) + "\n")


def _as_json(verdict: Verdict) -> dict[str, Any]:
    target = verdict.target
    return {
        "figure": target.figure,
        "to": target.other,
        "ratio": verdict.ratio,
        "at_most" if target.at_most else "at_least": round(target.ratio, 3),
        "reached": verdict.reached,
    }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "librdkafka": confluent_kafka.libversion()[0],
        "kafka": KAFKA_VERSION,
    }


def _rounded(figure: str, value: float) -> float:
    return round(value, _DIGITS.get(figure, 1))
