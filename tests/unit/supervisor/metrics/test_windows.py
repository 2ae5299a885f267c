"""Rates, averages and maxima over the last minute."""

from __future__ import annotations

import pytest

from supervisor.metrics.windows import STEP_S, WINDOW_S, Window


def test_nothing_came_yet() -> None:
    look = Window(2, 1).look(5.0)
    assert (look.rate(0), look.average(0, 1), look.maxima[0]) == (0.0, 0.0, 0.0)


def test_a_steady_rate() -> None:
    window = Window(1, 0)
    for second in range(200):
        window.add(float(second), [second * 50.0], [])
    assert window.look(199.0).rate(0) == pytest.approx(50.0)


def test_what_is_silent_comes_to_rest() -> None:
    window = Window(1, 1)
    for second in range(30):
        window.add(float(second), [second * 50.0], [9.0])
    assert window.look(29.0 + 30.0).rate(0) == pytest.approx(50.0 * 29 / 59)
    assert window.look(29.0 + 3 * WINDOW_S).rate(0) == 0.0
    assert window.look(29.0 + 3 * WINDOW_S).maxima[0] == 0.0


def test_an_average_is_of_the_window_only() -> None:
    window = Window(2, 0)
    window.add(0.0, [100.0, 1.0], [])  # a second each, later
    window.add(STEP_S, [102.0, 3.0], [])
    assert window.look(STEP_S).average(0, 1) == 1.0
    assert window.look(STEP_S).average(1, 0) == 1.0


def test_a_maximum_is_forgotten_after_a_minute() -> None:
    window = Window(1, 1)
    window.add(0.0, [0.0], [0.0])
    window.add(1.0, [0.0], [70.0])
    for second in range(2, 61):
        window.add(float(second), [0.0], [3.0])
    assert window.look(60.0).maxima[0] == 70.0
    for second in range(61, 80):
        window.add(float(second), [0.0], [3.0])
    assert window.look(80.0).maxima[0] == 3.0
