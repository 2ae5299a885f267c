"""This worker as a member of its group: the herder's view of it (Kafka's `WorkerGroupMember`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from supervisor.group.assignment import Configured
from supervisor.group.grants import Grant, Grants, hand_out
from supervisor.group.listener import GroupListener
from supervisor.group.session import Session
from supervisor.group.settings import GroupSettings
from supervisor.group.standing import Standing, holds
from supervisor.units.lifecycle import UnitId

if TYPE_CHECKING:
    from supervisor.group.membership import Membership


class GroupMember:
    """Joins the group, stays in it, and tells the listener of every change.

    All work with Kafka is done in a thread of its own; every method here may be called on the event loop and never
    blocks it. `configured` is called in that thread: it must be quick and safe there, such as one that returns a
    snapshot which is replaced as a whole.
    """

    def __init__(self, settings: GroupSettings, configured: Callable[[], Configured], listener: GroupListener) -> None:
        self._settings = settings
        self._configured = configured
        self._listener = listener
        self._session = Session(settings.session_timeout_ms)
        self.grants = Grants()
        # What this worker has granted as the leader, read back or not.
        self._promised = Grants()
        self._standing = Standing(protocol_version=settings.protocol.version)
        self._membership: Membership | None = None

    async def prepare(self) -> None:
        """Import what `start` needs: kafka-python costs 0.1 s and 8 MB, and only distributed workers need it."""
        await asyncio.to_thread(import_module, "supervisor.group.membership")

    async def start(self) -> None:
        """Begin to join; returns at once. Call it on the event loop that is to run the listener."""
        self._membership = await asyncio.to_thread(self._open, asyncio.get_running_loop())

    async def stop(self) -> None:
        """Leave the group and end the thread; a static member stays, until its session is over.

        The listener may be called until this returns, but nobody waits for it: stop what runs here first.
        """
        if self._membership is not None:
            membership, self._membership = self._membership, None
            await asyncio.to_thread(membership.close)

    def request_rejoin(self, reason: str) -> None:
        """Have a new round, for example since connectors or tasks were added or removed."""
        if self._membership is not None:
            self._membership.request_rejoin(reason)

    def grant(self, units: Collection[UnitId]) -> Grant | None:
        """Who is to run these connectors, or these tasks, of those that are new since the last round. None if there are none, and
        if it takes a round: this worker does not lead, the group is not at rest, or a member knows nothing of grants."""
        standing = self._standing
        if not (self.is_leader and self.is_settled and standing.may_grant and standing.leader is not None):
            return None
        promised = self._promised.owners(standing.leader, standing.generation)
        owners = self.owner_urls
        new = hand_out([unit for unit in units if unit not in owners], owners, standing.worker_urls)
        # What was granted before is said again: compaction forgets the record that said it first.
        found = {unit: url for unit in units if (url := promised.get(unit) or new.get(unit)) is not None}
        if not found:
            return None
        grant = Grant(leader=standing.leader, generation=standing.generation, owners=found)
        self._promised.add(grant)
        return grant

    def take(self, grant: Grant) -> bool:
        """Take what a record of the config topic grants to this worker, if it does; whether the grant is good in this round."""
        self.grants.add(grant)
        if not holds(grant, self._standing, self._session):
            return False
        if self._membership is not None and self._settings.url in grant.owners.values():
            self._membership.take(grant)
        return True

    def is_untaken(self, grant: Grant) -> bool:
        """Whether, in the round of the grant, somebody has not said to run what it grants."""
        taken = self.grants.taken(grant.leader, grant.generation)
        return holds(grant, self._standing, self._session) and any(unit not in taken for unit in grant.owners)

    def expect_round(self) -> None:
        """Learn of a new round within a moment, and not with the next heartbeat: another worker has given up work."""
        if self._membership is not None:
            self._membership.expect_round()

    def leave_for(self, seconds: float, reason: str) -> None:
        """Leave the group, static member or not, and join again after a while.

        For a worker that cannot catch up with the config topic. The listener is not told, and what runs here is claimed
        again afterwards; but others may be given it `scheduled.rebalance.max.delay.ms` from now.
        """
        if self._membership is not None:
            self._membership.leave_for(seconds, reason)

    @property
    def member_id(self) -> str:
        """The id that the coordinator has given to this member; empty outside a group."""
        return self._standing.member_id if self._standing.joined else ""

    @property
    def generation(self) -> int:
        """The number of the last round that was completed with this member; -1 before the first."""
        return self._standing.generation

    @property
    def protocol_version(self) -> int:
        """The version of the protocol that the group uses: 0 eager, 1 compatible, 2 sessioned."""
        return self._standing.protocol_version

    @property
    def is_settled(self) -> bool:
        """Whether this worker is a member, and no new round has begun."""
        return self._standing.joined and self._standing.settled

    @property
    def is_leader(self) -> bool:
        """Whether this member leads the group, by the last completed round."""
        return self._standing.joined and self._standing.leads

    @property
    def leader_url(self) -> str | None:
        """The REST URL of the leader by the last completed round; None outside a group."""
        return self._standing.leader_url if self._standing.joined else None

    @property
    def session_until(self) -> float:
        """The time, by `boottime`, before which nobody else is given what this worker runs."""
        return self._session.until

    def owner_url(self, unit: UnitId) -> str | None:
        """The REST URL of the worker that runs a connector or task. Only the leader knows; None otherwise, during a round, and
        for what nobody runs."""
        return self.owner_urls.get(unit) if self.is_settled else None

    @property
    def owner_urls(self) -> Mapping[UnitId, str]:
        """Of the workers that run everything, by the last round and what was granted since: their REST URLs. Only the leader
        knows."""
        promised = self._promised.owners(self._standing.leader, self._standing.generation)
        return {**self._standing.owner_urls, **promised}

    @property
    def worker_urls(self) -> tuple[str, ...]:
        """The REST URLs of all members. Only the leader knows; empty otherwise."""
        return self._standing.worker_urls if self._standing.joined else ()

    def _open(self, loop: asyncio.AbstractEventLoop) -> Membership:
        from supervisor.group.membership import Membership

        return Membership(
            self._settings, self._configured, self._listener, self._session, self.grants, self._publish, loop
        )

    def _publish(self, standing: Standing) -> None:
        self._standing = standing
