"""What the leader tells each member, and what it remembers from round to round."""

from __future__ import annotations

import msgspec
import pytest
import structlog.testing

from supervisor.group.assignment import Assignment, AssignmentError, Configured, WorkerState
from supervisor.group.leader import Leader
from supervisor.group.protocol import ConnectProtocol
from supervisor.units.lifecycle import UnitId

TASKS = [UnitId("a", number) for number in range(3)]
CONFIGURED = Configured(offset=9, tasks={"a": TASKS})
IDLE = {name: WorkerState(url=f"http://{name}", offset=9) for name in ("m1", "m2")}


def leader(max_delay_ms: int = 1000) -> Leader:
    return Leader(max_delay_ms, lambda: 0)


def decide(
    leader: Leader,
    states: dict[str, WorkerState],
    configured: Configured = CONFIGURED,
    *,
    last: int = -1,
    generation: int = 1,
    protocol: ConnectProtocol = ConnectProtocol.SESSIONED,
) -> dict[str, Assignment]:
    return leader.decide("m1", protocol, states, configured, last_generation=last, generation=generation)


def running(given: dict[str, Assignment]) -> dict[str, WorkerState]:
    return {member: WorkerState(url=f"http://{member}", offset=9, assignment=each) for member, each in given.items()}


def test_each_member_learns_who_leads_and_what_it_starts() -> None:
    given = decide(leader(), IDLE)
    assert given["m1"] == Assignment(
        version=2, leader="m1", leader_url="http://m1", offset=9, connectors=("a",), tasks=(TASKS[1],)
    )
    assert given["m2"].tasks == (TASKS[0], TASKS[2])


@pytest.mark.parametrize("protocol", ConnectProtocol)
def test_the_leader_knows_who_runs_what(protocol: ConnectProtocol) -> None:
    chosen = leader()
    given = decide(chosen, IDLE, protocol=protocol)
    assert {each.version for each in given.values()} == {protocol.version}
    for member, each in given.items():
        for unit in (*map(UnitId, each.connectors), *each.tasks):
            assert chosen.owner_urls[unit] == f"http://{member}"
    assert len(chosen.owner_urls) == 4
    assert chosen.worker_urls == ("http://m1", "http://m2")


@pytest.mark.parametrize("protocol", ConnectProtocol)
def test_a_leader_that_lags_behind_a_member_says_so(protocol: ConnectProtocol) -> None:
    states = {**IDLE, "m2": WorkerState(url="http://m2", offset=12)}
    assert set(decide(leader(), states, protocol=protocol).values()) == {
        Assignment(
            version=protocol.version,
            error=AssignmentError.CONFIG_MISMATCH,
            leader="m1",
            leader_url="http://m1",
            offset=12,
        )
    }


def test_a_round_without_an_assignment_does_not_end_the_wait_for_a_departed_worker() -> None:
    chosen = leader()
    given = decide(chosen, IDLE)
    alone = {"m1": running(given)["m1"]}
    assert decide(chosen, alone, Configured(offset=8), last=1, generation=2)["m1"].failed
    assert decide(chosen, alone, last=2, generation=3)["m1"].delay_ms == 1000


def test_a_round_that_failed_does_not_count() -> None:
    chosen = leader()
    given = decide(chosen, IDLE)
    decide(chosen, running(given), Configured(offset=9, tasks={"a": TASKS, "b": []}), last=1, generation=2)
    alone = {"m1": running(given)["m1"]}
    assert decide(chosen, alone, last=1, generation=3)["m1"].delay_ms == 1000


def test_who_has_not_led_the_last_round_does_not_wait_for_anybody() -> None:
    chosen = leader()
    given = decide(chosen, IDLE)
    alone = decide(chosen, {"m1": running(given)["m1"]}, last=7, generation=8)["m1"]
    assert (alone.tasks, alone.delay_ms) == ((TASKS[0], TASKS[2]), 0)


# --- storage topics ---------------------------------------------------------------------------------------------------

OURS, THEIRS = ("configs", "offsets", "statuses"), ("configs", "other-offsets", "statuses")


def with_topics(**topics: tuple[str, ...]) -> dict[str, WorkerState]:
    return {
        name: WorkerState(url=f"http://{name}", offset=99 if each == THEIRS else 9, topics=each)
        for name, each in topics.items()
    }


def test_a_worker_with_other_storage_topics_gets_nothing_and_the_others_do_not_wait_for_it() -> None:
    states = with_topics(m1=OURS, m2=THEIRS, m3=())
    claims = Assignment(connectors=("z",), tasks=(UnitId("z", 0),))
    states["m2"] = msgspec.structs.replace(states["m2"], assignment=claims)
    with structlog.testing.capture_logs() as logs:
        given = decide(leader(), states)
    assert not any(each.failed for each in given.values())
    assert {each.topics for each in given.values()} == {OURS}
    assert (given["m2"].connectors, given["m2"].tasks, given["m2"].offset) == ((), (), 9)
    assert (given["m2"].revoked_connectors, given["m2"].revoked_tasks) == (("z",), (UnitId("z", 0),))
    assert {*given["m1"].tasks, *given["m3"].tasks} == set(TASKS)
    assert [(each["log_level"], each["event"]) for each in logs] == [
        (
            "error",
            "the worker http://m2 gets nothing to run: its offset.storage.topic is other-offsets instead of offsets",
        )
    ]


def test_a_leader_with_other_storage_topics_than_most_has_another_one_lead() -> None:
    given = decide(leader(), with_topics(m1=THEIRS, m2=OURS, m3=OURS))
    assert {(each.error, each.topics, each.offset) for each in given.values()} == {
        (AssignmentError.CONFIG_MISMATCH, OURS, 9)
    }


def test_of_two_that_differ_the_leader_is_right() -> None:
    given = decide(leader(), with_topics(m1=OURS, m2=THEIRS))
    assert (given["m1"].tasks, given["m2"].tasks) == (tuple(TASKS), ())


def test_a_leader_that_was_restarted_leads_on() -> None:
    states = running(decide(leader(), IDLE))
    chosen = leader()
    chosen.resume(4, states.values())
    assert chosen.remembers(4)
    assert chosen.owner_urls[UnitId("a")] == "http://m1"
    assert decide(chosen, {"m1": states["m1"]}, last=4, generation=5)["m1"].delay_ms == 1000
