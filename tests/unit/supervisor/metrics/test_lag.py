"""How old a position is, told from where partitions ended when."""

from __future__ import annotations

import pytest

from supervisor.metrics.lag import _Ends


def ends(*seen: tuple[float, int]) -> _Ends:
    found = _Ends()
    for at, end in seen:
        found.note(at, end)
    return found


def test_who_is_at_the_end_is_not_behind() -> None:
    assert ends((0.0, 10), (5.0, 20)).age(20, 9.0) == 0.0
    assert _Ends().age(3, 1.0) == 0.0


def test_between_two_looks_the_pace_counts() -> None:
    assert ends((0.0, 0), (10.0, 100)).age(50, 12.0) == pytest.approx(7.0)


def test_what_is_older_than_all_looks_is_estimated() -> None:
    assert ends((10.0, 100), (20.0, 200)).age(50, 21.0) == pytest.approx(16.0)
    # Nothing was written since the first look: at least that long.
    assert ends((10.0, 100), (20.0, 100)).age(50, 21.0) == pytest.approx(11.0)


def test_a_topic_that_was_created_again_has_no_past() -> None:
    assert ends((0.0, 1000), (10.0, 5)).age(0, 12.0) == pytest.approx(2.0)
