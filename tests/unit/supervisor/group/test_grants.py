"""What is handed out between two rounds, and what is remembered of it."""

from __future__ import annotations

from collections import Counter

import pytest

from supervisor.group.assignment import Assignment, Configured, WorkerState
from supervisor.group.grants import Grant, Grants, decode_grant, encode_grant, hand_out
from supervisor.group.leader import Leader
from supervisor.group.protocol import ConnectProtocol
from supervisor.units.lifecycle import UnitId
from tests.support.group_world import OurLeader, World

A, B = "http://a:1", "http://b:1"
C, C0, C1 = UnitId("c"), UnitId("c", 0), UnitId("c", 1)
TOPICS = ("configs", "offsets", "statuses")


def grant(*units: UnitId, leader: str = "m", generation: int = 3, url: str = A) -> Grant:
    return Grant(leader=leader, generation=generation, owners=dict.fromkeys(units, url))


@pytest.mark.parametrize("owners", [{C: A}, {C0: A, C1: B}, {C: B, C0: A, C1: A}])
def test_what_is_written_is_read(owners: dict[UnitId, str]) -> None:
    written = Grant(leader="m-1", generation=7, owners=owners)
    assert decode_grant(encode_grant(written)) == written


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b'{"leader":"m","generation":"x","connector":"c","numbers":{}}'])
def test_what_no_leader_writes(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode_grant(data)


def test_those_with_the_least_to_do_get_what_is_new() -> None:
    owners = {UnitId("x"): A, UnitId("x", 0): A, UnitId("y", 0): B}
    assert hand_out([C], owners, [A, B]) == {C: B}
    assert hand_out([C0], owners, [A, B]) == {C0: B}
    assert Counter(hand_out([UnitId("c", n) for n in range(5)], owners, [A, B]).values()) == {A: 2, B: 3}


def test_grants_of_one_round_add_up_and_another_round_begins_anew() -> None:
    grants = Grants()
    grants.add(grant(C))
    grants.add(grant(C0, url=B))
    assert grants.owners("m", 3) == {C: A, C0: B}
    assert not grants.owners("m", 4)
    assert not grants.owners("other", 3)
    grants.add(grant(C1, leader="other"))
    assert grants.owners("other", 3) == {C1: A}
    assert not grants.owners("m", 3)


def test_only_what_its_owner_runs_counts_as_taken() -> None:
    grants = Grants()
    grants.took(C, "a:1")
    grants.add(grant(C, C0))
    grants.took(C, "b:1")
    grants.took(C1, "a:1")
    assert not grants.taken("m", 3)
    grants.took(C, "a:1")
    assert grants.taken("m", 3) == {C: A}
    assert not grants.taken("m", 4)


def states(*workers: str, topics: tuple[str, ...] = TOPICS) -> dict[str, WorkerState]:
    return {worker: WorkerState(url=f"http://{worker}:1", offset=1, topics=topics) for worker in workers}


def decided(protocol: ConnectProtocol = ConnectProtocol.SESSIONED, **members: WorkerState) -> Leader:
    leader = Leader(1000, lambda: 0)
    configured = Configured(offset=1, tasks={"c": [C0, C1]})
    leader.decide(min(members), protocol, members, configured, last_generation=-1, generation=1)
    return leader


def test_a_leader_may_grant_where_the_group_is_at_rest() -> None:
    assert decided(**states("a", "b")).may_grant
    assert decided(ConnectProtocol.COMPATIBLE, **states("a", "b")).may_grant


def test_a_leader_may_not_grant_where_a_member_would_not_understand_or_things_move() -> None:
    assert not decided(ConnectProtocol.EAGER, **states("a", "b")).may_grant
    assert not decided(**states("a"), **states("b", topics=())).may_grant
    other = ("configs", "offsets", "others")
    assert not decided(**states("a", "b"), **states("c", topics=other)).may_grant
    busy = WorkerState(url=A, offset=1, topics=TOPICS, assignment=Assignment(connectors=("c",), tasks=(C0, C1)))
    assert not decided(a=busy, **states("b")).may_grant
    ahead = WorkerState(url=A, offset=9, topics=TOPICS)
    assert not decided(a=ahead, **states("b")).may_grant


def test_nobody_is_asked_to_grant_before_the_first_round_or_after_a_restart() -> None:
    leader = Leader(1000, lambda: 0)
    assert not leader.may_grant
    leader.resume(4, states("a", "b").values(), {C: B})
    assert not leader.may_grant
    assert leader.owner_urls == {C: B}


def three_at_rest() -> World:
    """Three workers, and nothing to run yet."""
    world = World(OurLeader)
    for _ in range(3):
        world.join()
    world.settle()
    return world


def test_what_was_granted_keeps_the_group_balanced_without_a_round() -> None:
    world = three_at_rest()
    before = world.rounds
    for tasks in (1, 4, 0, 2, 7, 1):
        world.grant(tasks, deaf=9)
        world.check()
    assert (world.rounds, world.granted) == (before, 6)
    world.rebalance()
    assert world.moves == 0


def test_what_its_worker_never_hears_of_is_assigned_by_a_round() -> None:
    world = three_at_rest()
    for deaf in range(3):
        world.grant(5, deaf)
        world.check()
    assert world.granted == 0


def test_what_was_granted_waits_for_its_worker_like_everything_else() -> None:
    world = three_at_rest()
    for _ in range(3):
        world.grant(3, deaf=9)
    others = [worker for worker in world.workers if worker is not world.leader]
    runs = set(others[0].runs)
    assert runs
    world.crash(world.workers.index(others[0]))
    assert not runs & set(world.running)
    world.back(0)
    assert world.workers[-1].runs == runs


def test_what_is_granted_to_a_worker_that_is_gone_already_does_not_wait_for_it() -> None:
    world = three_at_rest()
    gone = next(number for number, worker in enumerate(world.workers) if worker is not world.leader)
    worker = world.workers[gone]
    world.connectors["new"] = 6
    leader = world.leader.leader if world.leader is not None else None
    assert isinstance(leader, OurLeader)
    units = [UnitId("new"), *(UnitId("new", n) for n in range(6))]
    granted = {**leader.grant(units[:1], world.generation), **leader.grant(units[1:], world.generation)}
    assert worker.url in granted.values()
    for each in world.workers:
        for unit, url in granted.items():
            if url == each.url and each is not worker:
                each.runs.add(unit)
                leader.took(unit, url)
    world.crash(gone)
    assert granted.keys() <= set(world.running)
