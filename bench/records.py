"""`python -m bench.records`: what converters and transformations cost, beside Java's Kafka Connect, on one broker in one run."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import click

from bench.bed import Bed
from bench.cases import Figures
from bench.command import choice_of_cases, choice_of_systems, ending_in_order, number_of_runs
from bench.record_bed import ConnectdRecords, RecordBed
from bench.record_cases import CASES, Case
from bench.results import machine
from bench.systems import Connectd, KafkaConnectJava, KafkaConnectJavaTuned, Worker
from bench.table import aligned
from supervisor.embedded import EmbeddedKafka
from tests.support.registry import running_registry

_RESULTS = Path(__file__).with_name("records.json")
OURS = (Connectd, ConnectdRecords)
SYSTEMS: Mapping[str, type[Worker]] = {each.name: each for each in (*OURS, KafkaConnectJava, KafkaConnectJavaTuned)}
TARGET = 2.0
_SHOWN = ("cpu_s_per_million", "pss_mib", "pss_growth_mib")


@click.command
@click.option("--records", default=1_000_000, show_default=True, help="Records to move in each run.")
@number_of_runs
@choice_of_cases(CASES)
@choice_of_systems(SYSTEMS)
@click.option(
    "--confluent",
    default="",
    metavar="CLASS_PATH",
    help="Confluent's AvroConverter and what it needs: it is in no public package registry. Without it, Avro is measured"
    " with connectd alone.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=_RESULTS, help="Where the figures go."
)
def main(records: int, repeats: int, cases: list[str], systems: list[str], confluent: str, output: Path) -> None:
    """Measure and print one table. With 10,000,000 records and one case, the growth of memory shows whether it is flat."""
    class_path = [Path(each) for each in confluent.split(os.pathsep) if each]
    with ending_in_order():
        rows = _measure(
            records, repeats, [CASES[name] for name in cases], [SYSTEMS[name]() for name in systems], class_path
        )
    click.echo(f"\n{_table(rows)}\n")
    output.write_text(json.dumps([{**row, "records": records, "machine": machine()} for row in rows], indent=2) + "\n")
    click.echo(f"Written to {output}")


def _measure(
    records: int, repeats: int, cases: Sequence[Case], systems: Sequence[Worker], confluent: Sequence[Path]
) -> list[dict[str, object]]:
    runs: dict[tuple[str, str], list[Figures]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connectd-bench-")))
        click.echo("Starting Kafka")
        kafka = stack.enter_context(EmbeddedKafka(heap="1g", progress=click.echo))
        registry = stack.enter_context(running_registry())
        bed = Bed(kafka.bootstrap_servers, folder, folder / "none", records)
        record_bed = RecordBed(bed, registry.url, confluent)
        for system in systems:
            system.prepare(click.echo)
        filled: set[str] = set()
        for case in cases:
            form = case.form
            if case.direction == "sink" and form not in filled:
                stack.enter_context(bed.topic(form))
                record_bed.run(Connectd(), f"fill-{form}", form, Case("source", form, "alone"))
                filled.add(form)
            able = [system for system in systems if record_bed.can_run(system, case)]
            for repeat in range(1, repeats + 1):
                for system in able:
                    name = f"{case.name}-{system.name}-{repeat}"
                    with bed.topic(name) as topic:
                        figures = record_bed.run(system, name, form if case.direction == "sink" else topic, case)
                    runs.setdefault((case.name, system.name), []).append(figures)
                    click.echo(f"{name}: {figures['records_per_s']:,.0f} records/s")
    return _rows(runs)


def _rows(runs: Mapping[tuple[str, str], Sequence[Figures]]) -> list[dict[str, object]]:
    """One for each case and system, connectd's with its ratios to the others."""
    medians = {
        key: {figure: round(median(run[figure] for run in found), 2) for figure in found[0]}
        for key, found in runs.items()
    }
    rows: list[dict[str, object]] = []
    for (case, system), figures in medians.items():
        row: dict[str, object] = {"case": case, "system": system, **figures, "runs": list(runs[case, system])}
        ours = {each.name for each in OURS}
        others = {other: each for (its_case, other), each in medians.items() if its_case == case and other not in ours}
        if system in ours and others:
            ratios = {
                other: round(figures["records_per_s"] / each["records_per_s"], 2) for other, each in others.items()
            }
            cpu = {
                other: round(each["cpu_s_per_million"] / figures["cpu_s_per_million"], 2)
                for other, each in others.items()
            }
            reached = all(ratio >= TARGET for ratio in ratios.values())
            row |= {"ratios": ratios, "cpu_ratios": cpu, "target": TARGET, "reached": reached}
        rows.append(row)
    return rows


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    """With the least of the ratios to others, those with more than one setting of Java."""
    lines = [["case", "system", "records/s", "CPU s/million", "PSS MiB", "grown MiB", "times as fast", "in CPU"]]
    for row in rows:
        figures = [f"{row['records_per_s']:,.0f}", *(f"{row[name]}" for name in _SHOWN)]
        least = [f"{min(row[name].values()):.2f}" if name in row else "" for name in ("ratios", "cpu_ratios")]  # type: ignore[attr-defined]
        lines.append([str(row["case"]), str(row["system"]), *figures, *least])
    return aligned(lines)


if __name__ == "__main__":
    main()
