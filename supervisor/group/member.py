"""This worker as a member of its group: the herder's view of it (Kafka's `WorkerGroupMember`)."""

from __future__ import annotations

from collections.abc import Callable

from supervisor.group.assignment import Configured
from supervisor.group.listener import GroupListener
from supervisor.group.settings import GroupSettings
from supervisor.lifecycle import UnitId


class GroupMember:
    """Joins the group, stays in it, and tells the listener of every change.

    All work with Kafka is done in a thread of its own; every method here may be called on the event loop and never
    blocks it. `configured` is called in that thread: it must be quick and safe there, such as one that returns a
    snapshot which is replaced as a whole.
    """

    def __init__(self, settings: GroupSettings, configured: Callable[[], Configured], listener: GroupListener) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Begin to join; returns at once. Call it on the event loop that is to run the listener."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Leave the group and end the thread; a static member stays, until its session is over. The listener is not called
        any more: the herder stops its tasks before it calls this."""
        raise NotImplementedError

    def request_rejoin(self, reason: str) -> None:
        """Have a new round, for example since connectors or tasks were added or removed."""
        raise NotImplementedError

    def leave_for(self, seconds: float, reason: str) -> None:
        """Leave the group, static member or not, and join again after a while, with nothing running.

        For a worker that cannot catch up with the config topic (`worker.unsync.backoff.ms`); the listener is not told.
        """
        raise NotImplementedError

    @property
    def member_id(self) -> str:
        """The id that the coordinator has given to this member; empty outside a group."""
        raise NotImplementedError

    @property
    def generation(self) -> int:
        """The number of the last round that was completed with this member; -1 before the first."""
        raise NotImplementedError

    @property
    def protocol_version(self) -> int:
        """The version of the protocol that the group uses: 0 eager, 1 compatible, 2 sessioned."""
        raise NotImplementedError

    @property
    def is_leader(self) -> bool:
        """Whether this member leads the group, by the last completed round."""
        raise NotImplementedError

    @property
    def leader_url(self) -> str | None:
        """The REST URL of the leader by the last completed round; None outside a group."""
        raise NotImplementedError

    @property
    def session_until(self) -> float:
        """The time, on the clock of `time.monotonic`, before which nobody else is given what this worker runs."""
        raise NotImplementedError

    def owner_url(self, unit: UnitId) -> str | None:
        """The REST URL of the worker that runs a connector or task. Only the leader knows; None otherwise, during a round, and
        for what nobody runs."""
        raise NotImplementedError
