"""Ends the static memberships of sink tasks that nobody takes over at once (KIP-345).

A static member stays in its group when its process ends, so that the process that replaces it goes on without a rebalance.
Where none follows, the others would wait for the end of its session: 45 s. librdkafka cannot leave, so a child asks Kafka;
one child for many members, and also for those of tasks that were killed.
"""

from __future__ import annotations

import asyncio
import enum

import structlog

from supervisor.inquiries.inquiry import InquiryFailed, InquiryRefused, ask
from supervisor.units.unit import Surroundings
from tasks.messages import GroupsLeft, LeaveGroups, Membership

log = structlog.get_logger(__name__)

# A longer wait would keep a worker from stopping while Kafka is away. The child gets more, so that it can say what went wrong.
KAFKA_TIMEOUT_S = 3.0
INQUIRY_TIMEOUT_S = 6.0
# The next worker needs a round of its group before it begins, and Kafka's clients their time to start.
TAKEOVER_S = 8.0
# Tasks that stop together are to leave together.
GATHERING_S = 0.05


class Heir(enum.Enum):
    """Who runs a task after its end here, and takes over its membership."""

    NOBODY = enum.auto()
    ANOTHER_WORKER = enum.auto()
    THIS_WORKER = enum.auto()  # when it is back


class Memberships:
    """Members that come while a child is at work wait for the next one and go together."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._waiting: list[tuple[Membership, asyncio.Future[None]]] = []
        self._work: asyncio.Task[None] | None = None
        # Those that another worker may still take over, by group and instance.
        self._moving: dict[tuple[str, str], tuple[Membership, asyncio.TimerHandle]] = {}
        self._ends = False

    def leave(self, member: Membership) -> asyncio.Future[None]:
        """To be called when the member's process is gone. Done when the member is too, or if that failed: it never raises."""
        loop = asyncio.get_running_loop()
        left = loop.create_future()
        self._waiting.append((member, left))
        if self._work is None:
            self._work = loop.create_task(self._leave_all())
        return left

    def leave_later(self, member: Membership) -> None:
        """Another worker is to take the member over; unless it has done so by then, as Java's never do, the member leaves."""
        if not member.member:
            return
        self._not_moving(key := (member.group, member.instance))
        if self._ends:
            self.leave(member)
        else:
            timer = asyncio.get_running_loop().call_later(TAKEOVER_S, self._leave_now, key)
            self._moving[key] = member, timer

    async def end(self) -> None:
        """This worker ends, and cannot wait: those that nobody has taken over yet leave now."""
        self._ends = True
        left = [self._leave_now(key) for key in [*self._moving]]
        if left:
            await asyncio.wait(left)

    def _leave_now(self, key: tuple[str, str]) -> asyncio.Future[None]:
        member = self._moving[key][0]
        self._not_moving(key)
        return self.leave(member)

    def _not_moving(self, key: tuple[str, str]) -> None:
        if key in self._moving:
            self._moving.pop(key)[1].cancel()

    async def _leave_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHERING_S)
            batch, self._waiting = self._waiting, []
            await self._leave([member for member, _ in batch])
            for _, left in batch:
                if not left.done():
                    left.set_result(None)
        self._work = None

    async def _leave(self, members: list[Membership]) -> None:
        around = self._surroundings
        order = LeaveGroups(
            members=members, worker_config=around.worker_config, log=around.log, timeout_s=KAFKA_TIMEOUT_S
        )
        try:
            problems = (await ask(around.pool, order, GroupsLeft, INQUIRY_TIMEOUT_S)).problems
        except (InquiryFailed, InquiryRefused) as error:
            problems = [str(error)]
        if problems:
            log.warning(
                "sinks did not leave their groups: others get their partitions when the session is over", why=problems
            )
