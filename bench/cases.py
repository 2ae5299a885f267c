"""The benchmark cases. Each runs one system once and returns what was measured, by the names of `bench/results.json`."""

from __future__ import annotations

import filecmp
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bench.bed import LINE_BYTES, Bed
from bench.measuring import Memory, Transfer, TreeSampler, file_counter, wait_for, watch
from bench.processes import Program, RunFailed, running
from bench.systems import Command, Job, System, Worker

Figures = dict[str, float]
Case = Callable[[Bed, System, str], Figures]

# How long a worker that has nothing to do is watched for its memory at rest.
_REST_S = 2.0


def file_to_topic(bed: Bed, system: System, name: str) -> Figures:
    """Copy the file into a new topic."""
    with bed.topic(name) as topic, bed.counter(topic) as count, bed.job(name, topic) as job:
        with _measured(system.file_to_topic(job), job) as (program, sampler):
            transfer = watch(program, sampler, count, bed.records)
            memory = sampler.peak().highest(sampler.memory())
        if (written := count()) != bed.records:
            raise RunFailed(f"{name}: {written} records in the topic, expected {bed.records}")
        return _figures(transfer, memory)


def topic_to_file(bed: Bed, system: System, name: str) -> Figures:
    """Copy the filled topic into a new file; all systems read the same topic, so that the brokers sends them the same batches."""
    with bed.job(name, bed.filled) as job:
        with _measured(system.topic_to_file(job), job) as (program, sampler):
            transfer = watch(program, sampler, file_counter(job.sink, LINE_BYTES), bed.records)
            memory = sampler.peak().highest(sampler.memory())
        if not filecmp.cmp(bed.lines, job.sink, shallow=False):
            raise RunFailed(f"{name}: the file is not the one that was sent")
        return _figures(transfer, memory)


def startup_and_memory(bed: Bed, system: System, name: str) -> Figures:
    """A worker with a source and a sink task: one line first, for the memory at rest, then all lines, for that under load."""
    assert isinstance(system, Worker)
    with (
        bed.topic(name) as topic,
        bed.counter(topic) as count,
        bed.job(name, topic, source=bed.folder / name / "source.txt") as job,
    ):
        sunk = file_counter(job.sink, LINE_BYTES)
        with bed.lines.open("rb") as lines, job.source.open("wb", buffering=0) as source:
            source.write(lines.readline())
            with _measured(system.both(job), job) as (program, sampler):
                wait_for(program, count, 1)
                startup_s = time.monotonic() - program.started_at
                wait_for(program, sunk, 1)
                both_s = time.monotonic() - program.started_at
                sampler.forget_peak()
                time.sleep(_REST_S)
                rest = sampler.peak()
                shutil.copyfileobj(lines, source)
                wait_for(program, sunk, bed.records)
                load = sampler.peak().highest(sampler.memory())
        if not filecmp.cmp(bed.lines, job.sink, shallow=False):
            raise RunFailed(f"{name}: the file is not the one that was sent")
    return {
        "startup_s": startup_s,
        "startup_to_sink_s": both_s,
        "rss_mib": load.rss_mib,
        "pss_mib": load.pss_mib,
        "rss_at_rest_mib": rest.rss_mib,
        "pss_at_rest_mib": rest.pss_mib,
    }


CASES: Mapping[str, Case] = {
    "file-to-topic": file_to_topic,
    "topic-to-file": topic_to_file,
    "startup-and-memory": startup_and_memory,
}


def applies(case: str, system: System) -> bool:
    """Whether a case says something about a system: only a worker runs two tasks at once."""
    return case != "startup-and-memory" or isinstance(system, Worker)


@contextmanager
def _measured(command: Command, job: Job) -> Iterator[tuple[Program, TreeSampler]]:
    with (
        running(job.name, command.arguments, job.folder, job.folder / "log.txt", command.stdout) as program,
        TreeSampler(program.process.pid).sampling() as sampler,
    ):
        yield program, sampler


def _figures(transfer: Transfer, memory: Memory) -> Figures:
    return {
        "records_per_s": transfer.records_per_s,
        "cpu_s_per_million": transfer.cpu_s_per_million,
        "rss_mib": memory.rss_mib,
        "pss_mib": memory.pss_mib,
        "startup_s": transfer.startup_s,
    }
