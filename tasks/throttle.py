"""Limits how fast a task moves records: what was moved beyond the limit has to be waited for before the next batch."""

from __future__ import annotations

import time
from collections.abc import Callable

# What was not used in the last second may be used now.
_BURST_S = 1.0


class Throttle:
    """`records_per_s` and `bytes_per_s` may be 0 for no limit. Each batch is noted once, whatever its size."""

    def __init__(self, records_per_s: float, bytes_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.records_per_s = records_per_s
        self.bytes_per_s = bytes_per_s
        self._clock = clock
        # When all that was moved so far would have been moved at exactly the limit.
        self._records_until = self._bytes_until = clock() - _BURST_S

    @classmethod
    def if_limited(cls, records_per_s: float, bytes_per_s: float) -> Throttle | None:
        """None where there is no limit, so that no time is spent on it."""
        return cls(records_per_s, bytes_per_s) if records_per_s or bytes_per_s else None

    def note(self, records: int, size: int) -> None:
        """So many records and bytes are being moved now."""
        earliest = self._clock() - _BURST_S
        if self.records_per_s:
            self._records_until = max(self._records_until, earliest) + records / self.records_per_s
        if self.bytes_per_s:
            self._bytes_until = max(self._bytes_until, earliest) + size / self.bytes_per_s

    @property
    def wait_s(self) -> float:
        """For how long nothing more may be moved."""
        return max(0.0, max(self._records_until, self._bytes_until) - self._clock())
