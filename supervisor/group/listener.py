"""What the herder is told of its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from connectd.errors import ConnectException
from supervisor.group.assignment import Assignment
from supervisor.units.lifecycle import UnitId


class GroupListener(Protocol):
    """Called on the event loop, one call after another; the member waits for each before it goes on (`WorkerRebalanceListener`).

    Heartbeats go on meanwhile. A call that takes longer than `rebalance.timeout.ms` costs the worker its membership.
    No call may raise: what does is logged and counts as done.
    """

    async def on_assigned(self, assignment: Assignment, generation: int) -> None:
        """A round is over: `assignment` is all that this worker is to run, or says why there is none (`failed`).

        If the worker has read less of the config topic than `assignment.offset`, this is where it catches up, within
        `worker.sync.timeout.ms`, and otherwise calls `GroupMember.leave_for`. Return soon: what takes long is for a task
        of its own. Afterwards the member joins again by itself where the protocol asks for that: after an error, after
        a revocation, and when `assignment.delay_ms` are over.
        """

    async def on_granted(self, units: Sequence[UnitId]) -> None:
        """This worker is to run these too, of which it has read. Return soon."""

    async def on_revoked(self, leader: str | None, connectors: Sequence[str], tasks: Sequence[UnitId]) -> None:
        """Return when these are really stopped: others may start them afterwards. Some may not be running at all."""

    async def on_lost(self, reason: str) -> None:
        """The membership cannot be kept up: others may soon be given everything. Return when all is stopped.

        Comes while others still have to wait: before the session is over on the coordinator's side, unless this process
        itself stood still. The member goes on trying to join, and `on_assigned` tells what is to run again.
        """

    async def on_poll_timeout(self) -> None:
        """A call to this listener, or the event loop itself, took longer than `rebalance.timeout.ms`: the member has left.

        It joins again once the event loop answers. All is to be stopped, as in `on_lost`.
        """

    async def on_failed(self, error: ConnectException) -> None:
        """The group will not have this worker (not authorized, fenced by another one with its `group.instance.id`, a
        group of another kind): the member has stopped, the worker must stop too."""
