"""Runs one system on one case of records: its worker and connector files, and what is measured while it works."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import javaproperties

from bench.bed import Bed
from bench.cases import Figures
from bench.connect_files import WORKER, derive
from bench.measuring import TreeSampler, file_counter, watch
from bench.processes import running
from bench.record_cases import CHAINS, FORMATS, Case
from bench.record_folders import PLUGINS, PluginFolders
from bench.systems import Connectd, Worker
from supervisor.embedded.ports import HOST, free_port


class ConnectdRecords(Connectd):
    """This project, with a sink whose task takes an object a record instead of columns."""

    name = "connectd-records"


class RecordBed:
    """`confluent` is the class path of Confluent's AvroConverter; without it Java's worker cannot run the cases that need it."""

    def __init__(self, bed: Bed, registry_url: str, confluent: Sequence[Path]) -> None:
        self._bed = bed
        self._registry_url = registry_url
        self._plugins = PluginFolders(bed.folder, confluent)
        self._has_confluent = bool(confluent)

    def can_run(self, system: Worker, case: Case) -> bool:
        """Whether the system has the case's converter, and anything of its own to show in it."""
        if isinstance(system, ConnectdRecords):
            return case.direction == "sink"
        return isinstance(system, Connectd) or self._has_confluent or not FORMATS[case.form].needs_registry

    def run(self, system: Worker, name: str, topic: str, case: Case) -> Figures:
        """Move the bed's records once, to or from the topic. Raises RunFailed."""
        bed = self._bed
        with bed.job(name, topic) as job, ExitStack() as stack:
            settings = self._connector(system, name, case)
            if case.direction == "source":
                with_schema = str(FORMATS[case.form].with_schema).lower()
                settings |= {"topic": topic, "records": str(bed.records), "with.schema": with_schema}
                count = stack.enter_context(bed.counter(topic))
            else:
                settings |= {"topics": topic, "file": str(job.sink)}
                count = file_counter(job.sink, 1)  # type: ignore[assignment]  # both count
            connector = job.folder / "connector.properties"
            connector.write_text(javaproperties.dumps(settings, timestamp=False))
            command = system.command(self._worker_file(system, job.folder), [connector])
            program = stack.enter_context(running(name, command, job.folder, job.folder / "log.txt"))
            sampler = stack.enter_context(TreeSampler(program.process.pid).sampling())
            early = watch(program, sampler, count, bed.records // 5)
            early_memory = sampler.memory()
            late = watch(program, sampler, count, bed.records)
            memory = sampler.peak().highest(sampler.memory())
            moved = late.records - early.seen_first
            return {
                "records_per_s": moved / (early.seconds + late.seconds),
                "cpu_s_per_million": (early.cpu_s + late.cpu_s) * 1e6 / moved,
                "rss_mib": memory.rss_mib,
                "pss_mib": memory.pss_mib,
                # From a fifth of the records on.
                "pss_growth_mib": sampler.memory().pss_mib - early_memory.pss_mib,
            }

    def _connector(self, system: Worker, name: str, case: Case) -> dict[str, str]:
        form = FORMATS[case.form]
        suffix = "OfRecords" if isinstance(system, ConnectdRecords) and case.direction == "sink" else ""
        return {
            "name": name,
            "connector.class": f"{PLUGINS}Order{case.direction.capitalize()}{suffix}",
            "tasks.max": "1",
            **form.converter,
            **({"value.converter.schema.registry.url": self._registry_url} if form.needs_registry else {}),
            **CHAINS[case.chain],
        }

    def _worker_file(self, system: Worker, folder: Path) -> Path:
        settings = {
            "bootstrap.servers": self._bed.bootstrap_servers,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "listeners": f"http://{HOST}:{free_port()}",
            "plugin.path": str(self._plugins.of(system)),
            **({} if isinstance(system, Connectd) else {"plugin.discovery": "service_load"}),
            **system.worker_settings,
        }
        return derive(WORKER, folder / WORKER.name, settings)
