"""`python -m bench.supervision`: how fast crashed tasks come back and are seen, what idle tasks and
metrics cost, how long a reload takes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.command import choice_of_cases, ending_in_order
from bench.supervision_cases import CASES, Place
from supervisor.embedded import EmbeddedKafka

_RESULTS = Path(__file__).with_name("supervision.json")


@dataclass(frozen=True)
class Target:
    """What a figure of some cases must not exceed."""

    cases: Sequence[str]
    figure: str
    at_most: float


TARGETS = (
    Target(["restart"], "polling_again_median_ms", 50),
    Target(["restart"], "polling_again_worst_ms", 200),
    Target(["first-record-source", "first-record-sink"], "record_again_median_ms", 500),
    Target(["first-record-source", "first-record-sink"], "record_again_worst_ms", 500),
    Target(["status"], "failed_visible_median_ms", 100),
    Target(["status"], "restarting_visible_median_ms", 100),
    Target(["idle-200", "idle-1000"], "supervisor_cpu_percent", 5),
    Target(["idle-200", "idle-1000"], "supervisor_pss_mib", 60),
    Target(["idle-200", "idle-1000"], "task_pss_mib", 20),
    Target(["idle-200", "idle-1000"], "scrape_worst_ms", 100),
    Target(["metrics"], "data_path_percent", 1),
)


@click.command
@choice_of_cases(CASES)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=_RESULTS,
    help="Where the figures go, as JSON; those of other cases stay.",
)
def main(cases: list[str], output: Path) -> None:
    """Measure and print; the figures also go to bench/supervision.json, with the load average around each case."""
    with ending_in_order(), EmbeddedKafka(heap="1g", progress=click.echo) as kafka:
        for case in cases:
            _report(row := _measured(case, kafka.bootstrap_servers))
            write_result(output, row)
    click.echo(f"Written to {output}")


def _measured(case: str, bootstrap_servers: str) -> dict[str, Any]:
    click.echo(case)
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="connectd-bench-") as folder:
        figures = CASES[case](Place(bootstrap_servers, Path(folder, case)))
    load.append(os.getloadavg()[0])
    return {
        "case": case,
        **{name: round(value, 2) for name, value in figures.items()},
        "targets": verdicts(case, figures),
        "load": [round(each, 2) for each in load],
        "cpus": os.cpu_count(),
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }


def verdicts(case: str, figures: Mapping[str, float]) -> list[dict[str, Any]]:
    """Each target of the case, and whether it was reached."""
    return [
        {"figure": target.figure, "at_most": target.at_most, "reached": figures[target.figure] <= target.at_most}
        for target in TARGETS
        if case in target.cases
    ]


def write_result(path: Path, row: Mapping[str, Any]) -> None:
    """Put the figures of a case in the place of those that are there."""
    rows = {each["case"]: each for each in (json.loads(path.read_text()) if path.exists() else [])}
    rows[row["case"]] = row
    path.write_text(json.dumps([rows[case] for case in CASES if case in rows], indent=2) + "\n")


def _report(row: Mapping[str, Any]) -> None:
    limits = {each["figure"]: each for each in row["targets"]}
    for name, value in row.items():
        if not isinstance(value, float | int) or name in ("cpus", "times", "tasks"):
            continue
        target = limits.get(name)
        verdict = ""
        if target is not None:
            verdict = f"  target {target['at_most']:g}  {'reached' if target['reached'] else 'MISSED'}"
        click.echo(f"  {name:32}{value:10.2f}{verdict}")
    click.echo(f"  load {' to '.join(map(str, row['load']))} on {row['cpus']} CPUs")


if __name__ == "__main__":
    main()
