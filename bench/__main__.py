"""`python -m bench`: connectd beside Java's Kafka Connect, the plain librdkafka loops and kcat, on one broker in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from bench.bed import Bed, write_lines
from bench.cases import CASES, Figures, applies
from bench.command import choice_of_cases, choice_of_systems, ending_in_order, number_of_lines, number_of_runs
from bench.raw import produce
from bench.results import medians, verdicts, write_results
from bench.systems import SYSTEMS, System
from bench.table import results_table, verdicts_table
from supervisor.embedded import EmbeddedKafka

# As kafka-server-start.sh has it.
_BROKER_HEAP = "1g"
_RESULTS = Path(__file__).with_name("results.json")

Measured = dict[tuple[str, str], list[Figures]]


@click.command
@number_of_lines
@number_of_runs
@choice_of_cases(CASES)
@choice_of_systems(SYSTEMS)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=_RESULTS, help="Where the figures go, as JSON."
)
def main(records: int, repeats: int, cases: list[str], systems: list[str], output: Path) -> None:
    """Measure and print one table; the figures also go to bench/results.json."""
    with ending_in_order():
        measured = _measure(records, repeats, cases, _available(systems))
    results = medians(measured)
    click.echo(f"\n{results_table(results)}\n")
    if judged := verdicts(results):
        click.echo(f"{verdicts_table(judged)}\n")
    write_results(output, measured, records)
    click.echo(f"Written to {output}")


def _available(names: Sequence[str]) -> list[System]:
    systems = [SYSTEMS[name]() for name in names]
    found = []
    for system in systems:
        if reason := system.prepare(click.echo):
            click.echo(f"Without {system.name}: {reason}")
        else:
            found.append(system)
    return found


def _measure(records: int, repeats: int, cases: Sequence[str], systems: Sequence[System]) -> Measured:
    measured: Measured = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connectd-bench-")))
        click.echo("Starting Kafka")
        kafka = stack.enter_context(EmbeddedKafka(heap=_BROKER_HEAP, progress=click.echo))
        bed = Bed(kafka.bootstrap_servers, folder, folder / "lines.txt", records)
        write_lines(bed.lines, records)
        stack.enter_context(bed.topic(bed.filled))
        # This also warms the broker up.
        produce(bed.bootstrap_servers, bed.filled, bed.lines)
        for case in cases:
            # In turn, so that a disturbance of the machine hits them all.
            for repeat in range(1, repeats + 1):
                for system in systems:
                    if applies(case, system):
                        figures = CASES[case](bed, system, f"{case}-{system.name}-{repeat}")
                        measured.setdefault((case, system.name), []).append(figures)
                        _report(f"{case}, {system.name}, run {repeat} of {repeats}", figures)
    return measured


def _report(run: str, figures: Figures) -> None:
    speed = f"{figures['records_per_s']:,.0f} records/s, " if "records_per_s" in figures else ""
    click.echo(f"{run}: {speed}start {figures['startup_s']:.2f} s, PSS {figures['pss_mib']:.0f} MiB")


if __name__ == "__main__":
    main()
