"""Heartbeats that come faster while a round of the group is to be expected."""

from __future__ import annotations

import time
from typing import Any, Final

from kafka.coordinator.heartbeat import Heartbeat

# A worker that leaves does so a moment after it has given up its work.
HURRY_S: Final = 2.0
HURRY_INTERVAL_S: Final = 0.1


class HurriedHeartbeat(Heartbeat):  # type: ignore[misc]  # it has no types
    """Members learn of a new round by their next heartbeat only, which may be seconds away."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._hurried_until = float("-inf")

    def hurry(self) -> None:
        """Be quick for a while from now on."""
        self._hurried_until = time.monotonic() + HURRY_S

    def time_to_next_heartbeat(self) -> float:
        """Seconds."""
        usual: float = super().time_to_next_heartbeat()
        now, last = time.monotonic(), float(max(self.last_send, self.last_reset))
        if now >= self._hurried_until:
            return usual
        return min(usual, max(0.0, last + HURRY_INTERVAL_S - now))
