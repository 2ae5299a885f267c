"""States change in one place: legal moves only, and everybody is told."""

from __future__ import annotations

import pytest

from supervisor.units.lifecycle import LEGAL_MOVES, Status, Statuses, UnitId
from tasks.states import State

TASK = UnitId("c", 0)


def test_every_state_has_its_moves_and_only_destroyed_is_final() -> None:
    assert set(LEGAL_MOVES) == set(State)
    assert [state for state, moves in LEGAL_MOVES.items() if not moves] == [State.DESTROYED]
    assert all(State.DESTROYED in moves for state, moves in LEGAL_MOVES.items() if state is not State.DESTROYED)


def test_listeners_hear_of_every_change_in_order() -> None:
    heard: list[tuple[UnitId, Status]] = []
    statuses = Statuses(clock=lambda: 5.0)
    statuses.listen(lambda unit, status: heard.append((unit, status)))
    statuses.change(TASK, State.UNASSIGNED)
    statuses.change(TASK, State.RUNNING, generation=3, pid=42)
    statuses.change(TASK, State.FAILED, generation=3, trace="boom")
    assert [(unit, status.state, status.trace) for unit, status in heard] == [
        (TASK, State.UNASSIGNED, None),
        (TASK, State.RUNNING, None),
        (TASK, State.FAILED, "boom"),
    ]
    assert heard[1][1] == Status(state=State.RUNNING, since=5.0, generation=3, pid=42)
    assert statuses.moves == {State.UNASSIGNED: 1, State.RUNNING: 1, State.FAILED: 1}


def test_what_failed_runs_only_after_a_restart() -> None:
    statuses = Statuses()
    statuses.change(TASK, State.FAILED)
    with pytest.raises(ValueError, match="c-0 cannot move from FAILED to RUNNING"):
        statuses.change(TASK, State.RUNNING)
    assert statuses[TASK].state is State.FAILED
    statuses.change(TASK, State.RESTARTING)
    statuses.change(TASK, State.RUNNING)
    assert statuses[TASK].state is State.RUNNING


def test_a_destroyed_one_is_forgotten_and_may_be_made_again() -> None:
    statuses = Statuses()
    statuses.change(TASK, State.RUNNING)
    statuses.change(TASK, State.DESTROYED)
    assert statuses.get(TASK) is None
    statuses.change(TASK, State.UNASSIGNED)
    assert statuses[TASK].state is State.UNASSIGNED


def test_tasks_are_listed_by_number_without_their_connector() -> None:
    statuses = Statuses()
    for unit in (UnitId("c"), UnitId("c", 10), UnitId("c", 2), UnitId("d", 0)):
        statuses.change(unit, State.RUNNING)
    assert [str(unit) for unit, _ in statuses.tasks_of("c")] == ["c-2", "c-10"]
