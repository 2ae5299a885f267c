"""Tells hung from busy: for how long a child may be in which call."""

from __future__ import annotations

from typing import Final

import msgspec

from tasks.states import Call

# Waiting is what these are for: `poll` has a limit of its own, and sending is the Kafka client's business.
_UNLIMITED: Final = frozenset({Call.NONE, Call.SEND})


class HangLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds; 0 is no limit."""

    call_s: float
    poll_s: float


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """The last sign of life: what call the child was in, for how long, and when (monotonic) it said so."""

    call: Call
    call_s: float
    received: float


def hung(limits: HangLimits, beat: Beat, now: float) -> str | None:
    """For example `hung in put for 301 s`; None as long as all may be well."""
    silent_s = now - beat.received
    if beat.call not in _UNLIMITED:
        limit_s = limits.poll_s if beat.call is Call.POLL else limits.call_s
        in_call_s = beat.call_s + silent_s
        if limit_s and in_call_s > limit_s:
            return f"hung in {beat.call} for {in_call_s:.0f} s"
    if limits.call_s and silent_s > limits.call_s:
        return f"no sign of life for {silent_s:.0f} s"
    return None
