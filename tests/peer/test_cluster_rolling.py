"""A cluster under load whose Java workers are replaced by ours one by one, and ours by one of Java's: no line is lost."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peer.neighbours import JavaMember, Lines, Neighbours, Written, neighbours
from tests.support.cluster import ClusterMember, processes_of, wait_until
from tests.support.kafka import TestKafka

WORKERS = 3
# A line so often, for each source.
LOAD_S = 0.02


@pytest.mark.long
def test_workers_are_replaced_one_by_one_under_load(kafka: TestKafka, tmp_path: Path) -> None:
    with neighbours(kafka, tmp_path, f"n-{uuid.uuid4().hex[:8]}") as it:
        sources = [Lines(f"{it.name}-{letter}", tmp_path) for letter in "abc"]
        sinks = [Written(f"{it.name}-{sink}", tmp_path) for sink in ("first", "second")]
        start(it, [JavaMember] * WORKERS)
        for source in sources:
            it.living[0].ok("PUT", f"/connectors/{source.name}/config", source.config())
            source.append(1)
        for sink in sinks:
            it.living[0].ok("PUT", f"/connectors/{sink.name}/config", sink.config(*sources, tasks=2))
        await_shared(it, sources, sinks)
        with load(sources):
            for java in it.living:
                start(it, [ClusterMember])
                await_shared(it, sources, sinks)
                java.kill(signal.SIGTERM)
                await_shared(it, sources, sinks)
                await_flow(it, sources, sinks)
            for each in (*sources, *sinks):
                wait_until(lambda each=each: runs_once(each.name), f"{each.name} runs once; see {it.folder}")
            ours = it.living
            start(it, [JavaMember])
            for member in ours:
                await_shared(it, sources, sinks)
                member.kill(signal.SIGTERM)
            await_shared(it, sources, sinks)
            await_flow(it, sources, sinks)
            wait_until(lambda: not any(processes_of(each.name) for each in (*sources, *sinks)), "none of ours is left")
        for sink in sinks:
            it.await_lines(sink, *sources)
    assert [it.repeats(source, *sinks) for source in sources] == [0] * len(sources)


def start(it: Neighbours, kinds: Sequence[type[ClusterMember]]) -> None:
    for member in [it.add(kind) for kind in kinds]:
        member.wait_until_ready()


def await_shared(it: Neighbours, sources: Sequence[Lines], sinks: Sequence[Written]) -> None:
    """Until all runs, and each worker has as much as any other, or one more."""
    for source in sources:
        it.wait_until_in("RUNNING", source.name, 1)
    for sink in sinks:
        it.wait_until_in("RUNNING", sink.name, 2)
    names = [each.name for each in (*sources, *sinks)]
    wait_until(lambda: it.is_balanced(*names), f"the work is shared; see {it.folder}")


def await_flow(it: Neighbours, sources: Sequence[Lines], sinks: Sequence[Written]) -> None:
    """Until the last lines that there are now have come through all."""
    last = {source: source.count - 1 for source in sources}
    for sink in sinks:
        wait_until(
            lambda sink=sink: all(last[source] in sink.numbers(source) for source in sources),
            f"lines flow to {sink.name}; see {it.folder}",
        )


def runs_once(connector: str) -> bool:
    """Whether each of its tasks has one process."""
    found = processes_of(connector).values()
    return bool(found) and all(len(pids) == 1 for pids in found)


@contextmanager
def load(sources: Sequence[Lines]) -> Iterator[None]:
    """Lines that come all the time."""
    over = threading.Event()

    def append() -> None:
        while not over.wait(LOAD_S):
            for source in sources:
                source.append(1)

    writer = threading.Thread(target=append)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
