"""Tells hung from busy: for how long a child may be in which call."""

from __future__ import annotations

from typing import Final

import msgspec

from tasks.heartbeat import LONG_CALL_S, SILENCE_S
from tasks.states import Call

# Waiting is what these are for: `poll` has a limit of its own, and sending is the Kafka client's business.
_UNLIMITED: Final = frozenset({Call.NONE, Call.SEND})
# So many heartbeats that do not come are a silence.
_MISSED: Final = 3

# Who has been silent for longer than this may be in another call by now than the one that was heard of last.
_BEATS_MISSED_S: Final = 3.0


class HangLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds; 0 is no limit."""

    call_s: float
    poll_s: float


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """The last sign of life: what call the child was in, for how long, and when (monotonic) it said so."""

    call: Call
    call_s: float
    received: float


class Hang(msgspec.Struct, frozen=True):
    """A call beyond its limit; None as the call is a process without a sign of life."""

    call: Call | None
    seconds: float

    def __str__(self) -> str:
        if self.call is None:
            return f"no sign of life for {self.seconds:.0f} s"
        return f"hung in {self.call} for {self.seconds:.0f} s"


def hung(limits: HangLimits, beat: Beat, now: float) -> Hang | None:
    """None as long as all may be well."""
    silent_s = now - beat.received
    if beat.call not in _UNLIMITED and _is_known(beat, silent_s):
        limit_s = limits.poll_s if beat.call is Call.POLL else limits.call_s
        # The end of a long call would have been told; a short one is over, unless heartbeats are missing.
        in_call_s = beat.call_s + (silent_s if beat.call_s >= LONG_CALL_S else max(0.0, silent_s - SILENCE_S))
        if limit_s and in_call_s > limit_s:
            return Hang(beat.call, in_call_s)
    if limits.call_s and silent_s > max(limits.call_s, _MISSED * SILENCE_S):
        return Hang(None, silent_s)
    return None


def _is_known(beat: Beat, silent_s: float) -> bool:
    """Whether the call is still the one of the last sign of life; what is in none yet, and silent, is being imported."""
    return beat.call is Call.IMPORT or silent_s <= max(beat.call_s, _BEATS_MISSED_S)
