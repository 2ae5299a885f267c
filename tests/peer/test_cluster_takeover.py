"""A Java cluster is stopped and taken over by workers of ours, which change much, and given back: nothing is lost or repeated."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.peer.neighbours import JavaMember, Lines, Neighbours, Written, neighbours
from tests.support.cluster import ClusterMember, wait_until
from tests.support.kafka import TestKafka

LOGGER = "org.apache.kafka.connect.runtime.isolation"
STATES = {"pause": "PAUSED", "stop": "STOPPED", "resume": "RUNNING"}


def test_a_java_cluster_is_taken_over_and_given_back(kafka: TestKafka, tmp_path: Path) -> None:
    with neighbours(kafka, tmp_path, f"n-{uuid.uuid4().hex[:8]}") as it:
        a, b, c, d, new = (Lines(f"{it.name}-{letter}", tmp_path) for letter in ("a", "b", "c", "d", "new"))
        everything, first, second = (Written(f"{it.name}-{sink}", tmp_path) for sink in ("all", "first", "second"))

        await_ready([it.add(JavaMember), it.add(JavaMember)])
        for source in (a, b, c, d):
            source.append(100)
            put(it, source.name, source.config(own_topic(b) if source is b else None))
        put(it, everything.name, everything.config(a, b, c, d, tasks=2))
        for sink in (first, second):
            put(it, sink.name, sink.config(a))
        it.await_lines(everything, a, b, c, d)
        it.await_lines(first, a)
        it.await_lines(second, a)
        order(it, "pause", b.name, first.name)
        order(it, "stop", c.name, second.name)
        alter_source(it, c, 60)
        alter_sink(it, second, a, 60)
        it.living[0].ok("DELETE", f"/connectors/{d.name}")
        leave_records(it, a.name)
        a.append(100)
        b.append(100)
        it.await_lines(everything, a)
        await_in_own_topic(it, b)

        hand_over(it, [ClusterMember, ClusterMember])
        put(it, a.name, a.config(own_topic(a)))
        # The task that still ran when this was answered knows nothing of the topic; the next one has it made.
        wait_until(lambda: own_topic(a) in it.kafka.admin.list_topics(timeout=30).topics, "its task runs anew")
        a.append(100)
        it.await_lines(everything, a)
        assert not everything.has_all(b)
        assert not first.has_all(a)
        order(it, "resume", b.name, c.name, first.name, second.name)
        c.append(100)
        for sink, sources in ((everything, (a, b, c)), (first, (a,)), (second, (a,))):
            it.await_lines(sink, *sources)
        new.append(100)
        await_in_own_topic(it, a, b)
        put(it, new.name, new.config(own_topic(new)))
        put(it, everything.name, everything.config(a, b, c, new, tasks=3))
        it.await_lines(everything, new)
        order(it, "pause", a.name, second.name)
        order(it, "stop", b.name, first.name)
        alter_source(it, b, 130)
        await_in_own_topic(it, b, new)
        read_by_first = first.numbers(a)
        it.living[0].ok("DELETE", f"/connectors/{first.name}/offsets")
        it.living[0].ok("DELETE", f"/connectors/{c.name}")
        leave_records(it, new.name)

        hand_over(it, [JavaMember])
        for source in (a, new):
            source.append(100)
        it.await_lines(everything, new)
        assert not everything.has_all(a)
        order(it, "resume", a.name, b.name, first.name, second.name)
        b.append(100)
        for sink, sources in ((everything, (a, b, new)), (first, (a,)), (second, (a,))):
            it.await_lines(sink, *sources)
        await_in_own_topic(it, a, b, new)

    for source in (a, b, c, d, new):
        assert everything.numbers(source) == topic(it, source)
    assert topic(it, a) == [*range(400)]
    assert topic(it, b) == [*range(200), *range(130, 300)]
    assert topic(it, c) == [*range(100), *range(60, 200)]
    assert topic(it, d) == [*range(100)]
    assert topic(it, new) == [*range(200)]
    assert read_by_first == [*range(300)]
    assert first.numbers(a) == [*range(300), *range(400)]
    assert second.numbers(a) == [*range(100), *range(60, 400)]


def await_ready(members: Sequence[ClusterMember]) -> None:
    for member in members:
        member.wait_until_ready()


def put(it: Neighbours, connector: str, config: Mapping[str, str]) -> None:
    it.living[0].ok("PUT", f"/connectors/{connector}/config", config)


def order(it: Neighbours, what: str, *connectors: str) -> None:
    """`pause`, `stop` or `resume` connectors, and wait until they are."""
    for name in connectors:
        it.living[0].ok("PUT", f"/connectors/{name}/{what}")
    for name in connectors:
        wait_until(
            lambda name=name: set(states(it, name).values()) == {STATES[what]}, f"{name} is there; see {it.folder}"
        )


def own_topic(source: Lines) -> str:
    """A topic for its offsets alone (KIP-618)."""
    return f"{source.name}-offsets"


def await_in_own_topic(it: Neighbours, *sources: Lines) -> None:
    """Until the offsets of these are in their own topics and in that of all."""
    for source in sources:
        for name in (own_topic(source), f"{it.name}-offsets"):
            # Asked for each time: what came last may not be committed yet.
            wait_until(
                lambda name=name, source=source: last(it, name, source) == it.offsets(source.name)[0]["offset"],
                f"the offset of {source.name} is in {name}",
            )


def last(it: Neighbours, topic: str, source: Lines) -> Any:
    """What an offset topic says of a source."""
    records = it.kafka.consume(topic, sum(it.kafka.end_offsets(topic).values()))
    key = [source.name, {"filename": str(source.file)}]
    found = [record.value() for record in records if json.loads(record.key() or b"null") == key]
    return json.loads(found[-1] or b"null") if found else None


def alter_source(it: Neighbours, source: Lines, line: int) -> None:
    """The next line that it reads is to be this one."""
    position = sum(len(f"{source.name} {number}\n") for number in range(line))
    offset = {"partition": {"filename": str(source.file)}, "offset": {"position": position}}
    it.living[0].ok("PATCH", f"/connectors/{source.name}/offsets", {"offsets": [offset]})


def alter_sink(it: Neighbours, sink: Written, source: Lines, line: int) -> None:
    """The next line that it reads is to be this one."""
    partition = {"kafka_topic": source.name, "kafka_partition": 0}
    offset = {"partition": partition, "offset": {"kafka_offset": line}}
    it.living[0].ok("PATCH", f"/connectors/{sink.name}/offsets", {"offsets": [offset]})


def leave_records(it: Neighbours, connector: str) -> None:
    """What else there is in a config topic: a restart and a level, which are not to be obeyed again."""
    it.living[0].ok("POST", f"/connectors/{connector}/restart?includeTasks=true")
    order(it, "resume", connector)
    it.living[0].ok("PUT", f"/admin/loggers/{LOGGER}?scope=cluster", {"level": "DEBUG"})


def states(it: Neighbours, connector: str) -> dict[str, str]:
    """Of a connector and its tasks, on workers that live; others count as nowhere."""
    workers = {each.worker_id for each in it.living}
    found = it.statuses(connector).items()
    return {unit: state if worker in workers else "nowhere" for unit, (state, worker) in found}


def hand_over(it: Neighbours, heirs: Sequence[type[ClusterMember]]) -> None:
    """Stop all workers in good order, and start others: all connectors are there, in the same states."""
    before = picture(it)
    for member in it.living:
        member.kill(signal.SIGTERM)
    await_ready([it.add(kind) for kind in heirs])
    # Looked at again and again as a whole: what one worker has taken over may go to the other one, which joins after it.
    pictures = [picture(it)]

    def is_as_before() -> bool:
        pictures.append(picture(it))
        return pictures[-1] == before

    try:
        wait_until(is_as_before, f"all is as it was; see {it.folder}")
    finally:
        assert pictures[-1] == before


def picture(it: Neighbours) -> dict[str, Any]:
    """All that must outlive a change of the runtime, by connector."""
    member = it.living[0]
    found = {}
    for name in member.ok("GET", "/connectors"):
        info = member.ok("GET", f"/connectors/{name}")
        found[name] = {
            "config": info["config"],
            "type": info["type"],
            "tasks": member.ok("GET", f"/connectors/{name}/tasks"),
            "states": states(it, name),
            "offsets": it.offsets(name),
            "topics": sorted(member.ok("GET", f"/connectors/{name}/topics")[name]["topics"]),
        }
    return found


def topic(it: Neighbours, source: Lines) -> list[int]:
    """The numbers of the lines in the topic of a source."""
    end = it.kafka.end_offsets(source.name)[0]
    return [int(line.split()[1]) for line in it.kafka.lines(source.name, end)]
