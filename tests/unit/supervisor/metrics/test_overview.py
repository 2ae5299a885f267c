"""What the overview makes of traces."""

from __future__ import annotations

import pytest

from supervisor.metrics.overview import reason_of


def test_why_something_failed_is_below_the_calls_of_the_last_exception() -> None:
    try:
        try:
            raise OSError("disk")
        except OSError as error:
            raise ValueError("no file") from error
    except ValueError as error:
        import traceback

        trace = "".join(traceback.format_exception(error))
    assert reason_of(f"{trace}Given up after 3 restarts") == "ValueError: no file"


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("", ""),
        ("java.lang.Exception: no\n\tat a.b.C", "java.lang.Exception: no"),
        ("the process was killed by signal 9\nmore", "the process was killed by signal 9"),
        ("Traceback (most recent call last):\n  cut", "Traceback (most recent call last):"),
        ("x" * 500, "x" * 200),
    ],
)
def test_reasons(trace: str, reason: str) -> None:
    assert reason_of(trace) == reason
