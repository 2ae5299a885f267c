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
    if beat.call not in _UNLIMITED and _goes_on(beat):
        limit_s = limits.poll_s if beat.call is Call.POLL else limits.call_s
        in_call_s = beat.call_s + silent_s
        if limit_s and in_call_s > limit_s:
            return Hang(beat.call, in_call_s)
    if limits.call_s and silent_s > max(limits.call_s, _MISSED * SILENCE_S):
        return Hang(None, silent_s)
    return None


def _goes_on(beat: Beat) -> bool:
    """Whether the child is still in the call that it told of last: the end of a long one is told, a short one is long over.

    The import comes first, and what runs afterwards has said so.
    """
    return beat.call is Call.IMPORT or beat.call_s >= LONG_CALL_S
