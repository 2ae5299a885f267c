"""Java's workers and ours in one cluster: they share the work, take each other's over, and replace each other under load."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.peer.neighbours import JavaMember, Lines, Neighbours, Written, neighbours
from tests.support.cluster import ClusterMember, wait_until
from tests.support.kafka import TestKafka


@pytest.fixture
def name() -> str:
    """Of the group, its topics and, with endings, its connectors."""
    return f"n-{uuid.uuid4().hex[:8]}"


def append(sources: Sequence[Lines]) -> None:
    for source in sources:
        source.append(100)


def put(member: ClusterMember, connector: str, config: dict[str, str]) -> None:
    member.ok("PUT", f"/connectors/{connector}/config", config)


def await_agreement(it: Neighbours, *connectors: str) -> None:
    for each in connectors:
        wait_until(lambda each=each: it.agree(each), f"all workers say the same of {each}; see {it.folder}")


def await_shared(it: Neighbours, sources: Sequence[Lines], sink: Written, tasks: int) -> None:
    """Until all runs, and each worker has as much as the other, or one more."""
    for source in sources:
        it.wait_until_in("RUNNING", source.name, 1)
    it.wait_until_in("RUNNING", sink.name, tasks)
    wait_until(lambda: it.is_balanced(*(source.name for source in sources), sink.name), f"it is shared; {it.folder}")


def await_starts(it: Neighbours, before: Mapping[str, int]) -> None:
    """Until each task was started once more."""
    wanted = {task: count + 1 for task, count in before.items()}
    wait_until(lambda: it.starts(*before) == wanted, f"each task is restarted once; see {it.folder}")


@pytest.mark.parametrize("leads", ["java", "ours"])
def test_a_java_worker_and_ours_share_the_work_whoever_leads(
    kafka: TestKafka, tmp_path: Path, name: str, leads: str
) -> None:
    sources = [Lines(f"{name}-{letter}", tmp_path) for letter in "abc"]
    sink = Written(f"{name}-sink", tmp_path)
    connectors = [*(source.name for source in sources), sink.name]
    with neighbours(kafka, tmp_path, name) as it:
        leader = it.add(JavaMember if leads == "java" else ClusterMember)
        leader.wait_until_ready()
        follower = it.add(ClusterMember if leads == "java" else JavaMember)
        follower.wait_until_ready()
        assert it.leader is leader
        append(sources)
        for source in sources:
            put(follower, source.name, source.config())
        put(leader, sink.name, sink.config(*sources, tasks=2))
        await_shared(it, sources, sink, 2)
        it.await_lines(sink, *sources)
        await_agreement(it, *connectors)

        # Changed by the one that does not lead: of a source what it reads at a time, of the sink how many tasks.
        put(follower, sources[0].name, {**sources[0].config(), "batch.size": "1000"})
        put(follower, sink.name, sink.config(*sources, tasks=3))
        await_shared(it, sources, sink, 3)
        append(sources)
        it.await_lines(sink, *sources)
        assert [task["config"]["batch.size"] for task in leader.ok("GET", f"/connectors/{sources[0].name}/tasks")] == [
            "1000"
        ]
        assert it.group_size(sink.name) == 3
        await_agreement(it, *connectors)

        # Paused and stopped by either, whoever runs them.
        for member in (leader, follower):
            member.ok("PUT", f"/connectors/{sources[1].name}/pause")
            member.ok("PUT", f"/connectors/{sources[2].name}/stop")
            it.wait_until_in("PAUSED", sources[1].name, 1)
            it.wait_until_in("STOPPED", sources[2].name, 0)
            await_agreement(it, sources[1].name, sources[2].name)
            append(sources)
            it.await_lines(sink, sources[0])
            assert not any(sink.has_all(each) for each in sources[1:])
            for source in sources[1:]:
                member.ok("PUT", f"/connectors/{source.name}/resume")
            await_shared(it, sources, sink, 3)
            it.await_lines(sink, *sources)

        # Restarted by either, whoever runs them.
        tasks = [*(f"{source.name}-0" for source in sources), *(f"{sink.name}-{number}" for number in range(3))]
        for member in (leader, follower):
            before = it.starts(*tasks)
            for connector, number in (task.rsplit("-", 1) for task in tasks):
                member.ok("POST", f"/connectors/{connector}/tasks/{number}/restart")
            await_starts(it, before)
            before = it.starts(*tasks)
            for connector in connectors:
                member.ok("POST", f"/connectors/{connector}/restart?includeTasks=true")
            await_starts(it, before)
            await_shared(it, sources, sink, 3)
        append(sources)
        it.await_lines(sink, *sources)

        # Each goes, and the other has it all.
        assert follower.stop() in (0, 143)
        await_shared(it, sources, sink, 3)
        append(sources)
        it.await_lines(sink, *sources)
    assert [it.repeats(source, sink) for source in sources] == [0, 0, 0]
