"""`python -m bench.java`: connectors written in Java, each task in a virtual machine of connectd's, beside Java's own worker."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import click

from bench.bed import Bed, write_lines
from bench.cases import Figures
from bench.command import choice_of_cases, choice_of_systems, ending_in_order, number_of_lines, number_of_runs
from bench.java_cases import CASES, Place, fill
from bench.java_systems import SYSTEMS, Hosted
from bench.raw import produce
from bench.results import machine
from bench.systems import KafkaConnectJava, Worker
from bench.table import aligned
from supervisor.embedded import EmbeddedKafka
from tests.java.mariadb import has_programs, mariadb

_RESULTS: Final = Path(__file__).with_name("java.json")
_OURS, _THEIRS = Hosted.name, KafkaConnectJava.name


@dataclass(frozen=True)
class Target:
    """What a figure of connectd must not exceed, or where `at_most` is None, not be below Java's."""

    case: str
    figure: str
    at_most: float | None = None


TARGETS: Final = (
    Target("start", "created_s", 1.5),
    Target("idle", "task_pss_mib", 130),
    Target("file-to-topic", "records_per_s"),
    Target("topic-to-file", "records_per_s"),
    Target("debezium", "events_per_s"),
    Target("exactly-once", "lost", 0),
    Target("exactly-once", "repeated", 0),
)

Results = Mapping[str, Mapping[str, Figures]]


@click.command
@number_of_lines
@number_of_runs
@choice_of_cases(CASES)
@choice_of_systems(SYSTEMS)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=_RESULTS,
    help="Where the figures go, as JSON; those of other cases stay.",
)
def main(records: int, repeats: int, cases: list[str], systems: list[str], output: Path) -> None:
    """Measure and print one table; the figures also go to bench/java.json, with the load average around each case."""
    if not has_programs() and "debezium" in cases:
        click.echo("Without debezium: no MariaDB is installed")
        cases.remove("debezium")
    with ending_in_order():
        rows = _measure(records, repeats, cases, [SYSTEMS[name]() for name in systems])
    click.echo(f"\n{_table(rows)}\n")
    write_results(output, rows)
    click.echo(f"Written to {output}")


def _measure(records: int, repeats: int, cases: Sequence[str], systems: Sequence[Worker]) -> list[dict[str, Any]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connectd-bench-")))
        kafka = stack.enter_context(EmbeddedKafka(heap="1g", progress=click.echo))
        bed = Bed(kafka.bootstrap_servers, folder, folder / "lines.txt", records)
        write_lines(bed.lines, records)
        stack.enter_context(bed.topic(bed.filled))
        produce(bed.bootstrap_servers, bed.filled, bed.lines)
        database = None
        if "debezium" in cases:
            database = stack.enter_context(mariadb(folder))
            fill(database)
        for system in systems:
            system.prepare(click.echo)
        rows = []
        for case in cases:
            load = [os.getloadavg()[0]]
            runs: dict[str, list[Figures]] = {}
            # In turn, so that a disturbance of the machine hits them all.
            for repeat in range(1, repeats + 1):
                for system in systems:
                    name = f"{case}-{system.name}-{repeat}"
                    if figures := CASES[case](Place(bed, name, database), system):
                        runs.setdefault(system.name, []).append(figures)
                        click.echo(f"{name}: {', '.join(f'{key} {value:,.2f}' for key, value in figures.items())}")
            rows.append(_row(case, runs, [*load, os.getloadavg()[0]]))
        return rows


def _row(case: str, runs: Mapping[str, Sequence[Figures]], load: Sequence[float]) -> dict[str, Any]:
    """One case: the medians of all systems, and connectd's targets."""
    figures = {
        system: {name: round(median(run[name] for run in found), 2) for name in found[0]}
        for system, found in runs.items()
    }
    return {
        "case": case,
        "figures": figures,
        "targets": verdicts(case, figures),
        "runs": runs,
        "load": [round(each, 2) for each in load],
        "machine": machine(),
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }


def verdicts(case: str, figures: Mapping[str, Figures]) -> list[dict[str, Any]]:
    """Each target of the case whose figures are there, and whether it was reached."""
    found = []
    for target in TARGETS:
        if target.case != case or _OURS not in figures:
            continue
        value = figures[_OURS][target.figure]
        if target.at_most is not None:
            verdict = {"at_most": target.at_most, "reached": value <= target.at_most}
        elif _THEIRS in figures:
            bound = figures[_THEIRS][target.figure]
            verdict = {"at_least": bound, "reached": value >= bound}
        else:
            continue
        found.append({"figure": target.figure, **verdict})
    return found


def write_results(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put the figures of these cases in the place of those that are there."""
    known = {each["case"]: each for each in (json.loads(path.read_text()) if path.exists() else [])}
    known |= {each["case"]: each for each in rows}
    path.write_text(json.dumps([known[case] for case in CASES if case in known], indent=2) + "\n")


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [["case", "figure", *SYSTEMS, "target", ""]]
    for row in rows:
        targets = {each["figure"]: each for each in row["targets"]}
        for name in dict.fromkeys(name for figures in row["figures"].values() for name in figures):
            values = [row["figures"].get(system, {}).get(name) for system in SYSTEMS]
            target = targets.get(name)
            lines.append(
                [row["case"], name, *("-" if each is None else f"{each:,.2f}" for each in values), *_goal(target)]
            )
    return aligned(lines)


def _goal(target: Mapping[str, Any] | None) -> list[str]:
    if target is None:
        return ["", ""]
    bound = f"<= {target['at_most']:g}" if "at_most" in target else "at least Java's"
    return [bound, "reached" if target["reached"] else "MISSED"]


if __name__ == "__main__":
    main()
