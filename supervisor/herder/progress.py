"""How far a request got before it failed or its time was over: whether it was applied is always said."""

from __future__ import annotations

import enum
from contextvars import ContextVar
from dataclasses import dataclass


class Outcome(enum.StrEnum):
    """What has become of a change so far, as a sentence for people."""

    NOT_APPLIED = "Nothing was changed"
    APPLIED = "It was applied, only its effect is not seen yet"
    UNKNOWN = "Whether it was applied is not known, what is there now shows it"


@dataclass
class Progress:
    """Of one request."""

    outcome: Outcome = Outcome.NOT_APPLIED


_current: ContextVar[Progress | None] = ContextVar("progress", default=None)


def watch_progress() -> Progress:
    """What this request does from now on is noted here."""
    progress = Progress()
    _current.set(progress)
    return progress


def note(outcome: Outcome) -> None:
    """Herders say this when they begin something that cannot be taken back (UNKNOWN), and when it is done (APPLIED)."""
    progress = _current.get()
    if progress is not None:
        progress.outcome = outcome
