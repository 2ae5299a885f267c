"""What must be so before a source that delivers exactly once may start."""

from __future__ import annotations

from typing import Protocol

from supervisor.units.specs import TaskSpec


class Preflight(Protocol):
    """The checks of Java's `ExactlyOnceWorkerSourceTask` before and after it claims its transactional id (KIP-618).

    Each raises ConnectException if the task may not start.
    """

    async def fence(self, task: TaskSpec) -> None:
        """Nothing that earlier sets of the connector's tasks still write is committed any more."""

    async def verify(self, task: TaskSpec) -> None:
        """The task is one of the connector's present set."""
