"""Decisions of our assignor held against those of Kafka's `IncrementalCooperativeAssignor`, over random histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from tests.peer.java_assignor import JavaAssignors
from tests.support.group_world import OurLeader, World, happen, lived, random_events, settled_copy

# Java has no static workers.
NOT_JAVA = ("restart_static",)
FIGURES = ("moves", "missing_ms", "rounds")


@pytest.fixture(scope="module")
def java() -> Iterator[JavaAssignors]:
    with JavaAssignors() as jvm:
        yield jvm


@pytest.mark.parametrize("seed", range(4))
def test_each_event_of_a_history_costs_no_more_than_in_java(java: JavaAssignors, seed: int) -> None:
    """From the same state, until all is settled: no more is stopped, nothing waits longer for a worker, no more rounds."""
    random = Random(seed)
    less: Counter[str] = Counter()
    for _ in range(60):
        world = lived((), OurLeader)
        world.settle()
        for event in random_events(random, but=NOT_JAVA):
            ours, theirs = settled_copy(world, OurLeader), settled_copy(world, java.new_leader)
            for each in (ours, theirs):
                happen(each, event)
                each.settle()
                each.check()
            for figure in FIGURES:
                assert getattr(ours, figure) <= getattr(theirs, figure), f"{figure} after {event}"
                less[figure] += getattr(ours, figure) < getattr(theirs, figure)
            less["events"] += 1
            world = ours
    print("less than Java:", dict(less))
    assert less["missing_ms"] > 0


def test_over_whole_histories_less_is_stopped_and_less_waits_than_in_java(java: JavaAssignors) -> None:
    """Events overlap here, and what one assignor has not yet moved cannot be moved again: single histories may be luckier
    in Java, such as those in which a worker's work was still waiting when that would have been stopped."""
    random = Random(11)
    sums: dict[str, Counter[str]] = {"ours": Counter(), "java": Counter()}
    for _ in range(300):
        events = random_events(random, but=(*NOT_JAVA, "grant"))  # new connectors take a round, as in Java
        worlds: dict[str, World] = {"ours": lived(events, OurLeader), "java": lived(events, java.new_leader)}
        for name, world in worlds.items():
            world.settle()
            world.check()
            sums[name].update({figure: getattr(world, figure) for figure in FIGURES})
    print({name: dict(each) for name, each in sums.items()})
    for figure in FIGURES:
        assert sums["ours"][figure] <= sums["java"][figure], (figure, sums)
