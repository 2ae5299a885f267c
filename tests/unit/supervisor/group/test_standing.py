"""What a worker runs after a round, and how long its session holds."""

from __future__ import annotations

import pytest

from supervisor.group.assignment import Assignment
from supervisor.group.protocol import ConnectProtocol
from supervisor.group.session import Session
from supervisor.group.standing import merged
from supervisor.units.lifecycle import UnitId

A0, A1, B0 = UnitId("a", 0), UnitId("a", 1), UnitId("b", 0)


def test_cooperatively_what_runs_goes_on_until_it_is_revoked() -> None:
    before = Assignment(version=2, connectors=("a",), tasks=(A0, A1))
    given = Assignment(
        version=2, connectors=("b",), tasks=(B0,), revoked_connectors=("a",), revoked_tasks=(A0,), offset=3
    )
    runs = merged(before, given)
    assert (runs.connectors, runs.tasks, runs.offset) == (("b",), (A1, B0), 3)
    assert (runs.revoked_connectors, runs.revoked_tasks) == (("a",), (A0,))


def test_to_be_told_twice_changes_nothing() -> None:
    given = Assignment(version=1, tasks=(A0,), revoked_tasks=(A1,))
    once = merged(Assignment(version=1, tasks=(A1, B0)), given)
    assert merged(once, given) == once


def test_eagerly_only_what_is_given_runs_and_all_else_stops() -> None:
    runs = merged(Assignment(version=2, connectors=("a",), tasks=(A0, A1)), Assignment(version=0, tasks=(A1, B0)))
    assert (runs.tasks, runs.revoked_connectors, runs.revoked_tasks) == ((A1, B0), ("a",), (A0,))


def test_without_an_assignment_all_goes_on() -> None:
    assert merged(Assignment(version=2, tasks=(A0,)), Assignment(version=2, error=1)).tasks == (A0,)


def test_a_worker_that_knows_a_protocol_knows_the_older_ones() -> None:
    assert [protocol.wire_name for protocol in ConnectProtocol.SESSIONED.offered] == [
        "sessioned",
        "compatible",
        "default",
    ]
    assert ConnectProtocol.EAGER.offered == [ConnectProtocol.EAGER]
    assert ConnectProtocol.of_wire_name("default") is ConnectProtocol.EAGER
    with pytest.raises(ValueError, match="range"):
        ConnectProtocol.of_wire_name("range")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("timeout_ms", "margin_s"), [(6_000, 2.0), (10_000, 10 / 3), (300_000, 10.0)])
def test_everything_is_stopped_before_the_session_is_over(timeout_ms: int, margin_s: float) -> None:
    clock = Clock()
    session = Session(timeout_ms, clock)
    assert (session.until, session.is_ending) == (0.0, False)
    session.answered(100.0)
    assert session.until == 100 + timeout_ms / 1000
    clock.now = session.until - margin_s - 0.01
    assert not session.is_ending
    clock.now += 0.02
    assert (session.is_ending, session.is_over) == (True, False)
    clock.now = session.until
    assert session.is_over
    session.answered(clock.now)
    session.answered(clock.now - 50)  # an answer that was long on its way
    assert session.until == clock.now + timeout_ms / 1000
    session.end()
    assert (session.until, session.is_ending) == (0.0, False)
