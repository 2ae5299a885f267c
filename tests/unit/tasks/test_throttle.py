"""Rates: what is moved at once, and for how long nothing more may be moved then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_limits_there_is_none() -> None:
    assert Throttle.if_limited(0, 0) is None
    assert Throttle.if_limited(1, 0) is not None
    assert Throttle.if_limited(0, 1) is not None


def test_a_seconds_worth_may_be_moved_at_once() -> None:
    throttle = Throttle(100, 0, Clock())
    throttle.note(100, 10**9)
    assert throttle.wait_s == 0
    throttle.note(50, 10**9)
    assert throttle.wait_s == pytest.approx(0.5)


def test_what_was_not_used_for_long_is_lost() -> None:
    clock = Clock()
    throttle = Throttle(100, 0, clock)
    throttle.note(100, 0)
    clock.now += 3600
    throttle.note(300, 0)
    assert throttle.wait_s == pytest.approx(2)


def test_the_stricter_limit_counts() -> None:
    throttle = Throttle(100, 1000, Clock())
    throttle.note(100, 5000)
    assert throttle.wait_s == pytest.approx(4)


@given(st.floats(1, 1e6), st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 10)), min_size=1, max_size=50))
def test_never_faster_in_the_long_run(rate: float, batches: list[tuple[int, float]]) -> None:
    clock = Clock()
    throttle = Throttle(rate, 0, clock)
    began = clock.now
    for count, pause in batches:
        throttle.note(count, 0)
        clock.now += throttle.wait_s + pause
    moved = sum(count for count, _ in batches)
    assert moved <= rate * (clock.now - began + 1) * (1 + 1e-9) + 1e-3
