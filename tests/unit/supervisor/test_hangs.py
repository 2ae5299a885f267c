"""Busy or hung: the limits of calls, of poll, and of silence."""

from __future__ import annotations

import pytest

from supervisor.units.hangs import Beat, Hang, HangLimits, hung
from tasks.heartbeat import SILENCE_S
from tasks.states import Call

LIMITS = HangLimits(call_s=300, poll_s=0)


@pytest.mark.parametrize(
    "call", [Call.IMPORT, Call.START, Call.PUT, Call.FLUSH, Call.COMMIT, Call.STOP, Call.TASK_CONFIGS]
)
def test_a_call_that_takes_too_long_hangs(call: Call) -> None:
    assert hung(LIMITS, Beat(call=call, call_s=299, received=10), 10.5) is None
    assert hung(LIMITS, Beat(call=call, call_s=300.2, received=10), 10.5) == Hang(call, pytest.approx(300.7))


def test_time_goes_on_in_a_call_although_no_heartbeat_comes() -> None:
    assert str(hung(LIMITS, Beat(call=Call.PUT, call_s=200, received=10), 111)) == "hung in put for 301 s"


def test_who_was_silent_for_most_of_the_time_may_be_in_any_call() -> None:
    beat = Beat(call=Call.FLUSH, call_s=0.1, received=10)
    assert hung(LIMITS, beat, 310) is None
    assert str(hung(LIMITS, beat, 311)) == "no sign of life for 301 s"


def test_who_was_never_heard_of_is_being_imported() -> None:
    assert str(hung(LIMITS, Beat(call=Call.IMPORT, call_s=0, received=10), 311)) == "hung in import for 301 s"


@pytest.mark.parametrize("call", [Call.NONE, Call.SEND, Call.POLL])
def test_waiting_is_no_hanging_but_silence_is(call: Call) -> None:
    assert hung(LIMITS, Beat(call=call, call_s=9999, received=10), 11) is None
    assert str(hung(LIMITS, Beat(call=call, call_s=9999, received=10), 311)) == "no sign of life for 301 s"


def test_poll_has_a_limit_of_its_own() -> None:
    limits = HangLimits(call_s=0, poll_s=60)
    assert hung(limits, Beat(call=Call.POLL, call_s=61, received=0), 0) == Hang(Call.POLL, 61)
    assert hung(limits, Beat(call=Call.PUT, call_s=9999, received=0), 9999) is None


def test_a_short_call_is_over() -> None:
    """One whose end is not told may be another one by now: a source that polls every second sends few heartbeats."""
    limits = HangLimits(call_s=5, poll_s=5)
    assert hung(limits, Beat(call=Call.POLL, call_s=1, received=0), 3 * SILENCE_S) is None
    assert hung(limits, Beat(call=Call.POLL, call_s=2, received=0), 4) == Hang(Call.POLL, 6)


def test_silence_is_more_than_a_heartbeat_that_is_not_due() -> None:
    limits = HangLimits(call_s=5, poll_s=0)
    beat = Beat(call=Call.NONE, call_s=1, received=0)
    assert hung(limits, beat, 2 * SILENCE_S) is None
    assert hung(limits, beat, 3 * SILENCE_S + 1) == Hang(None, 3 * SILENCE_S + 1)
