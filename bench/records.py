"""`python -m bench.records`: what converters and transformations cost, beside Java's Kafka Connect, on one broker in one run."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import javaproperties

from bench.__main__ import Names
from bench.bed import Bed
from bench.cases import Figures
from bench.connect_files import WORKER, derive
from bench.measuring import TreeSampler, file_counter, watch
from bench.processes import RunFailed, end_on_signals, running
from bench.results import machine
from bench.systems import Connectd, KafkaConnectJava, KafkaConnectJavaTuned, Worker
from bench.table import aligned
from supervisor.embedded import EmbeddedKafka
from supervisor.embedded.errors import EmbeddedKafkaError
from supervisor.embedded.ports import HOST, free_port
from tests.peer.jvm import compile_java

_HERE = Path(__file__).parent
_RESULTS = _HERE / "records.json"
_PLUGINS = "connectd.bench.RecordPlugins$"
_SERVICES = {
    "org.apache.kafka.connect.source.SourceConnector": f"{_PLUGINS}OrderSource",
    "org.apache.kafka.connect.sink.SinkConnector": f"{_PLUGINS}OrderSink",
}
SYSTEMS: Mapping[str, type[Worker]] = {each.name: each for each in (Connectd, KafkaConnectJava, KafkaConnectJavaTuned)}
TARGET = 2.0
CHAIN: Mapping[str, str] = {
    "transforms": "insert,replace,mask",
    "transforms.insert.type": "org.apache.kafka.connect.transforms.InsertField$Value",
    "transforms.insert.static.field": "origin",
    "transforms.insert.static.value": "shop",
    "transforms.replace.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
    "transforms.replace.exclude": "note",
    "transforms.replace.renames": "reference:code",
    "transforms.mask.type": "org.apache.kafka.connect.transforms.MaskField$Value",
    "transforms.mask.fields": "customer",
}


@dataclass(frozen=True)
class Format:
    """How records are written: settings of the value converter, and whether the source's values have a schema."""

    converter: Mapping[str, str]
    with_schema: bool


# A converter that both systems have is one more line here.
FORMATS: Mapping[str, Format] = {
    "json-with-schema": Format(
        {"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "true"},
        True,
    ),
    "json-without-schema": Format(
        {"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"},
        False,
    ),
}
CHAINS: Mapping[str, Mapping[str, str]] = {"alone": {}, "chain-of-three": CHAIN}
DIRECTIONS = ("source", "sink")
CASES = [f"{direction}-{form}-{chain}" for form in FORMATS for direction in DIRECTIONS for chain in CHAINS]


@click.command
@click.option("--records", default=1_000_000, show_default=True, help="Records to move in each run.")
@click.option("--repeats", default=3, show_default=True, help="Runs of each system; the median counts.")
@click.option("--cases", type=Names(CASES), default=",".join(CASES), help="Some of the cases, by commas.")
@click.option("--systems", type=Names(list(SYSTEMS)), default=",".join(SYSTEMS), help="Some of the systems, by commas.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=_RESULTS, help="Where the figures go."
)
def main(records: int, repeats: int, cases: list[str], systems: list[str], output: Path) -> None:
    """Measure and print one table. With 10,000,000 records and one case, the growth of memory shows whether it is flat."""
    end_on_signals()
    try:
        rows = _measure(records, repeats, cases, [SYSTEMS[name]() for name in systems])
    except (RunFailed, EmbeddedKafkaError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted; everything that was started has been stopped.", err=True)
        sys.exit(130)
    click.echo(f"\n{_table(rows)}\n")
    output.write_text(json.dumps([{**row, "records": records, "machine": machine()} for row in rows], indent=2) + "\n")
    click.echo(f"Written to {output}")


def _measure(records: int, repeats: int, cases: Sequence[str], systems: Sequence[Worker]) -> list[dict[str, object]]:
    runs: dict[tuple[str, str], list[Figures]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connectd-bench-")))
        click.echo("Starting Kafka")
        kafka = stack.enter_context(EmbeddedKafka(heap="1g", progress=click.echo))
        bed = Bed(kafka.bootstrap_servers, folder, folder / "none", records)
        plugins = _plugin_folders(folder)
        for system in systems:
            system.prepare(click.echo)
        filled: set[str] = set()
        for case in cases:
            direction, form, chain = _parts(case)
            if direction == "sink" and form not in filled:
                stack.enter_context(bed.topic(form))
                _run(bed, Connectd(), f"fill-{form}", form, "source", form, "alone", plugins)
                filled.add(form)
            for repeat in range(1, repeats + 1):
                for system in systems:
                    name = f"{case}-{system.name}-{repeat}"
                    with bed.topic(name) as topic:
                        source = form if direction == "sink" else topic
                        figures = _run(bed, system, name, source, direction, form, chain, plugins)
                    runs.setdefault((case, system.name), []).append(figures)
                    click.echo(f"{name}: {figures['records_per_s']:,.0f} records/s")
    return _rows(runs)


def _run(
    bed: Bed, system: Worker, name: str, topic: str, direction: str, form: str, chain: str, plugins: Mapping[str, Path]
) -> Figures:
    with bed.job(name, topic) as job, ExitStack() as stack:
        worker = _worker_file(system, job.folder, bed.bootstrap_servers, plugins)
        connector = job.folder / "connector.properties"
        settings = {
            "name": name,
            "connector.class": f"{_PLUGINS}Order{direction.capitalize()}",
            "tasks.max": "1",
            **FORMATS[form].converter,
            **CHAINS[chain],
        }
        if direction == "source":
            with_schema = str(FORMATS[form].with_schema).lower()
            settings |= {"topic": topic, "records": str(bed.records), "with.schema": with_schema}
            count = stack.enter_context(bed.counter(topic))
        else:
            settings |= {"topics": topic, "file": str(job.sink)}
            count = file_counter(job.sink, 1)  # type: ignore[assignment]  # both count
        connector.write_text(javaproperties.dumps(settings, timestamp=False))
        command = system.command(worker, [connector])
        program = stack.enter_context(running(name, command, job.folder, job.folder / "log.txt"))
        sampler = stack.enter_context(TreeSampler(program.process.pid).sampling())
        early = watch(program, sampler, count, bed.records // 5)
        early_memory = sampler.memory()
        late = watch(program, sampler, count, bed.records)
        memory = sampler.peak().highest(sampler.memory())
        seconds, cpu_s = early.seconds + late.seconds, early.cpu_s + late.cpu_s
        moved = late.records - early.seen_first
        return {
            "records_per_s": moved / seconds,
            "cpu_s_per_million": cpu_s * 1e6 / moved,
            "rss_mib": memory.rss_mib,
            "pss_mib": memory.pss_mib,
            # From a fifth of the records on.
            "pss_growth_mib": sampler.memory().pss_mib - early_memory.pss_mib,
        }


def _plugin_folders(folder: Path) -> dict[str, Path]:
    """The plugin path of each kind of worker."""
    java = folder / "java-plugins"
    (java / "orders").mkdir(parents=True)
    classes = compile_java(_HERE / "RecordPlugins.java")
    jar = java / "orders" / "orders"
    staged = folder / "orders-classes"
    shutil.copytree(classes, staged)
    services = staged / "META-INF" / "services"
    services.mkdir(parents=True)
    for interface, name in _SERVICES.items():
        (services / interface).write_text(f"{name}\n")
    shutil.make_archive(str(jar), "zip", staged)
    jar.with_suffix(".zip").rename(jar.with_suffix(".jar"))
    ours = folder / "connectd-plugins"
    ours.mkdir()
    (ours / "orders").symlink_to(_HERE / "record_plugins")
    return {"java": java, "connectd": ours}


def _worker_file(system: Worker, folder: Path, bootstrap_servers: str, plugins: Mapping[str, Path]) -> Path:
    is_ours = isinstance(system, Connectd)
    settings = {
        "bootstrap.servers": bootstrap_servers,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "listeners": f"http://{HOST}:{free_port()}",
        "plugin.path": str(plugins["connectd" if is_ours else "java"]),
        **({} if is_ours else {"plugin.discovery": "service_load"}),
        **system.worker_settings,
    }
    return derive(WORKER, folder / WORKER.name, settings)


def _parts(case: str) -> tuple[str, str, str]:
    direction, _, rest = case.partition("-")
    chain = next(chain for chain in CHAINS if rest.endswith(chain))
    return direction, rest.removesuffix(f"-{chain}"), chain


def _rows(runs: Mapping[tuple[str, str], Sequence[Figures]]) -> list[dict[str, object]]:
    """One for each case and system, connectd's with its ratios to the others."""
    medians = {
        key: {figure: round(median(run[figure] for run in found), 2) for figure in found[0]}
        for key, found in runs.items()
    }
    rows: list[dict[str, object]] = []
    for (case, system), figures in medians.items():
        row: dict[str, object] = {"case": case, "system": system, **figures, "runs": list(runs[case, system])}
        if system == Connectd.name:
            others = {
                other: each for (its_case, other), each in medians.items() if its_case == case and other != system
            }
            ratios = {
                other: round(figures["records_per_s"] / each["records_per_s"], 2) for other, each in others.items()
            }
            if ratios:
                reached = all(ratio >= TARGET for ratio in ratios.values())
                row |= {"ratios": ratios, "target": TARGET, "reached": reached}
        rows.append(row)
    return rows


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    head = ["case", "system", "records/s", "CPU s/million", "PSS MiB", "grown MiB", "times as fast"]
    lines = [head]
    speeds = {(row["case"], row["system"]): float(str(row["records_per_s"])) for row in rows}
    for row in rows:
        ours = speeds.get((row["case"], Connectd.name))
        own = speeds[row["case"], row["system"]]
        ratio = "" if ours is None or row["system"] == Connectd.name else f"{ours / own:.2f}"
        figures = [f"{own:,.0f}", *(f"{row[name]}" for name in ("cpu_s_per_million", "pss_mib", "pss_growth_mib"))]
        lines.append([str(row["case"]), str(row["system"]), *figures, ratio])
    return aligned(lines)


if __name__ == "__main__":
    main()
