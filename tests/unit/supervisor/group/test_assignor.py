"""Who runs what: properties of thousands of random histories, and single decisions."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.group.assignor import Claim, History, Round, assign, assign_eagerly
from supervisor.group.leader import all_units
from supervisor.units.lifecycle import UnitId
from tests.support.group_world import (
    EVENTS,
    MAX_DELAY_MS,
    Event,
    OurLeader,
    World,
    happen,
    lived,
    random_events,
    settled_copy,
)

A, B = UnitId("a"), UnitId("b")
TASKS = tuple(UnitId("a", number) for number in range(4))

EVENT = st.sampled_from(sorted(EVENTS)).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(*map(st.sampled_from, EVENTS[name][1])))
)


def decided(
    claims: dict[str, Claim], units: tuple[UnitId, ...], history: History, now_ms: int = 0, max_delay_ms: int = 1000
) -> tuple[Round, History]:
    return assign(claims, units, history, now_ms=now_ms, max_delay_ms=max_delay_ms)


# --- histories --------------------------------------------------------------------------------------------------------


@settings(max_examples=1000, deadline=None)
@given(st.lists(EVENT, max_size=25))
def test_whatever_happens_all_runs_once_and_is_balanced_in_the_end(events: list[Event]) -> None:
    """That nothing is started where it still runs, and that rounds come to an end, is checked in each round."""
    world = lived(events, OurLeader)
    world.settle()
    world.check()


@pytest.mark.parametrize("seed", range(8))
def test_long_histories(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        world = lived(random_events(random), OurLeader)
        world.settle()
        world.check()


def test_without_a_delay() -> None:
    random = Random(1)
    for _ in range(200):
        world = lived(random_events(random), lambda: OurLeader(max_delay_ms=0))
        assert world.due_ms is None
        world.rebalance()
        world.check()


def settled_worlds(count: int) -> list[World]:
    random, found = Random(2), []
    for _ in range(count):
        world = lived(random_events(random), OurLeader)
        world.settle()
        found.append(world)
    return found


@pytest.mark.parametrize("event", sorted(EVENTS.keys() - {"wait"}))
def test_one_event_takes_two_rounds(event: str) -> None:
    """One to take away what is too much, one to give it to others; the delay for a departed worker takes one more."""
    random = Random(event)
    for world in settled_worlds(40):
        world = settled_copy(world, OurLeader)
        happen(world, (event, tuple(map(random.choice, EVENTS[event][1]))))
        delayed = world.due_ms is not None
        world.wait(MAX_DELAY_MS)
        world.check()
        heard = world.rounds - (event in ("miss", "fail"))
        assert heard <= 2 + delayed


def test_a_quiet_group_stays_as_it_is() -> None:
    for world in settled_worlds(40):
        before = {worker.url: set(worker.runs) for worker in world.workers}
        moves = world.moves
        for _ in range(3):
            world.rebalance()
        assert ({worker.url: set(worker.runs) for worker in world.workers}, world.moves) == (before, moves)


def test_a_worker_that_comes_takes_no_more_than_its_share() -> None:
    for world in settled_worlds(40):
        world = settled_copy(world, OurLeader)
        world.join()
        world.settle()
        assert world.moves == len(world.workers[-1].runs)


def test_a_worker_that_goes_disturbs_nobody() -> None:
    for world in settled_worlds(40):
        world = settled_copy(world, OurLeader)
        if len(world.workers) > 1:
            world.crash(0)
            before = {worker.member: set(worker.runs) for worker in world.workers}
            world.settle()
            assert all(worker.runs >= before[worker.member] for worker in world.workers)
            assert world.moves == 0


def test_a_worker_that_is_back_in_time_has_its_work_at_once() -> None:
    for world in settled_worlds(40):
        if len(world.workers) > 1:
            world = settled_copy(world, OurLeader)
            gone = world.workers[-1]  # the first one leads, and a new leader does not know who has gone
            world.crash(-1)
            world.wait(MAX_DELAY_MS // 2)
            rounds = world.rounds
            world.join(gone.url)
            assert (world.workers[-1].runs, world.rounds - rounds, world.moves) == (gone.runs, 1, 0)


def test_a_suspended_worker_that_is_back_takes_no_more_than_its_share() -> None:
    for world in settled_worlds(40):
        if len(world.workers) > 1:
            world = settled_copy(world, OurLeader)
            world.suspend(-1)
            world.settle()
            others = Counter(unit for worker in world.workers for unit in worker.runs)
            world.wake(len(world.zombies) - 1)
            world.settle()
            kept = sum((others & Counter(unit for w in world.workers[:-1] for unit in w.runs)).values())
            assert others.total() - kept == len(world.workers[-1].runs)


# --- single decisions -------------------------------------------------------------------------------------------------


def test_connectors_and_tasks_are_balanced_each_for_themselves() -> None:
    round_, _ = decided({"m1": Claim("u1"), "m2": Claim("u2")}, (A, B, *TASKS), History())
    assert round_.started == {"m1": (A, TASKS[0], TASKS[2]), "m2": (B, TASKS[1], TASKS[3])}


def test_one_connector_with_one_task_uses_two_workers() -> None:
    round_, _ = decided({"m1": Claim("u1"), "m2": Claim("u2")}, (A, TASKS[0]), History())
    assert {unit: member for member, units in round_.started.items() for unit in units} == {A: "m1", TASKS[0]: "m2"}


def test_what_is_revoked_is_nobodys_until_the_next_round() -> None:
    claims = {"m1": Claim("u1", TASKS), "m2": Claim("u2")}
    round_, history = decided(claims, TASKS, History(owners=dict.fromkeys(TASKS, "u1")))
    assert (round_.revoked["m1"], round_.started["m2"]) == (TASKS[2:], ())
    assert set(round_.owners) == set(history.owners) == set(TASKS[:2])
    claims = {"m1": Claim("u1", TASKS[:2]), "m2": Claim("u2")}
    assert decided(claims, TASKS, history)[0].started["m2"] == TASKS[2:]


def test_the_work_of_a_departed_worker_waits_and_then_goes_to_the_idlest() -> None:
    owners = dict(zip(TASKS, ("u1", "u1", "u2", "u2"), strict=True))
    claims = {"m1": Claim("u1", TASKS[:2]), "m3": Claim("u3")}
    round_, history = decided(claims, TASKS, History(owners=owners), now_ms=100)
    assert (round_.started, round_.revoked, round_.delay_ms) == (
        dict.fromkeys(claims, ()),
        dict.fromkeys(claims, ()),
        1000,
    )
    round_, history = decided(claims, TASKS, history, now_ms=700)
    assert round_.delay_ms == 400
    round_, history = decided(claims, TASKS, history, now_ms=1100)
    assert (round_.started, round_.delay_ms) == ({"m1": (), "m3": TASKS[2:]}, 0)


def test_workers_that_are_back_have_each_its_own() -> None:
    owners = dict(zip(TASKS, ("u1", "u1", "u2", "u2"), strict=True))
    round_, _ = decided({"m3": Claim("u1"), "m4": Claim("u2")}, TASKS, History(owners=owners))
    assert round_.started == {"m3": TASKS[:2], "m4": TASKS[2:]}


def test_what_is_new_does_not_wait_for_a_departed_worker() -> None:
    owners = {TASKS[0]: "u1", TASKS[1]: "gone"}
    round_, _ = decided({"m1": Claim("u1", TASKS[:1])}, (A, *TASKS[:3]), History(owners=owners))
    assert (round_.started["m1"], round_.delay_ms) == ((A, TASKS[2]), 1000)


def test_what_several_run_stays_with_the_one_that_was_given_it() -> None:
    claims = {"m1": Claim("u1", TASKS), "m2": Claim("u2", TASKS[2:])}
    owners = dict(zip(TASKS, ("u1", "u1", "u2", "u2"), strict=True))
    round_, _ = decided(claims, TASKS, History(owners=owners))
    assert round_.revoked == {"m1": TASKS[2:], "m2": ()}
    # Also if the other one has less to do.
    claims = {"m1": Claim("u1", TASKS[:1]), "m2": Claim("u2", (A, TASKS[0]))}
    round_, _ = decided(claims, (A, TASKS[0]), History(owners={A: "u2", TASKS[0]: "u2"}))
    assert round_.revoked == {"m1": TASKS[:1], "m2": ()}


def test_what_is_deleted_is_revoked_also_by_a_new_leader() -> None:
    round_, _ = decided({"m1": Claim("u1", (A, *TASKS))}, (), History())
    assert round_.revoked == {"m1": (A, *TASKS)}


def test_revocations_in_one_round_after_the_other_are_put_off() -> None:
    claims = {"m1": Claim("u1", TASKS), "m2": Claim("u2")}
    round_, history = decided(claims, TASKS, History(revoked=True), now_ms=5)
    assert (round_.revoked["m1"], round_.delay_ms) == ((), 40)
    assert decided(claims, TASKS, history, now_ms=25)[0].delay_ms == 20
    round_, history = decided(claims, TASKS, history, now_ms=45)
    assert (round_.revoked["m1"], round_.delay_ms) == (TASKS[2:], 0)
    round_, history = decided(claims, TASKS, history, now_ms=50, max_delay_ms=60_000)
    assert round_.delay_ms == 1600
    # Once all is balanced, the next revocation is the first again.
    _, history = decided({"m1": Claim("u1", TASKS)}, TASKS, history, now_ms=60)
    assert history == History(owners=dict.fromkeys(TASKS, "u1"))


def test_eagerly_everything_is_handed_out_in_turn() -> None:
    round_ = assign_eagerly(["m2", "m1"], all_units_of({"b": 1, "a": 3}))
    assert round_.started == {"m1": (A, TASKS[0], TASKS[2]), "m2": (B, TASKS[1], UnitId("b", 0))}
    assert round_.owners[TASKS[1]] == "m2"


def all_units_of(counts: dict[str, int]) -> list[UnitId]:
    world = World(OurLeader)
    world.connectors = counts
    return all_units(world.configured)
