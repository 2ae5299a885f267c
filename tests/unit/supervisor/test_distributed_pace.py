"""How soon a round of the group may follow another."""

from __future__ import annotations

from supervisor.herder.distributed.pace import INTERVAL_S, ROUNDS_AT_ONCE, Pace


def test_a_new_connector_and_its_tasks_wait_for_nothing() -> None:
    pace = Pace()

    for now in (100.0, 100.1):
        assert pace.next_round(now) == now
        pace.note_round(now)

    assert pace.next_round(100.2) == 100.2


def test_where_there_is_always_something_new_there_is_one_round_in_each_interval() -> None:
    pace, now, rounds = Pace(), 100.0, 0

    while (at := pace.next_round(now)) < 110.0:
        now = at
        pace.note_round(now)
        rounds += 1

    assert rounds == ROUNDS_AT_ONCE - 1 + 10.0 / INTERVAL_S


def test_what_is_long_over_delays_nothing() -> None:
    pace = Pace()
    for _ in range(5):
        pace.note_round(100.0)

    assert pace.next_round(100.1) > 100.1
    assert pace.next_round(105.0) == 105.0
