"""How long the group still counts on this worker, as far as this worker can know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tasks.deadline import boottime

# What is to be stopped before the session is over gets a third of it, but no more than this.
_LONGEST_MARGIN_S: Final = 10.0


class Session:
    """Counts from when a request was sent that the coordinator has answered: the coordinator itself counts from when it
    came, which is later. All times are seconds by `boottime`, for it also counts while this machine is suspended."""

    def __init__(self, timeout_ms: int, clock: Callable[[], float] = boottime) -> None:
        self._timeout_s = timeout_ms / 1000
        self._margin_s = min(self._timeout_s / 3, _LONGEST_MARGIN_S)
        self._clock = clock
        self._answered: float | None = None

    def answered(self, sent_at: float) -> None:
        """The coordinator takes this worker for a member, by its answer to a request sent then."""
        self._answered = sent_at if self._answered is None else max(self._answered, sent_at)

    def end(self) -> None:
        """This worker is not a member any more."""
        self._answered = None

    @property
    def until(self) -> float:
        """Before then nobody else is given what this worker runs; the past if it is not a member."""
        return 0.0 if self._answered is None else self._answered + self._timeout_s

    @property
    def is_ending(self) -> bool:
        """Whether it is time to stop everything, to be done with that when the session is over."""
        return self._answered is not None and self._clock() >= self.until - self._margin_s

    @property
    def is_over(self) -> bool:
        """Whether others may have been given everything already."""
        return self._clock() >= self.until
