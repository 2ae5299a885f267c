"""The Connect group protocol on kafka-python: joining, and what is done with an assignment.

Follows `org.apache.kafka.connect.runtime.distributed.WorkerCoordinator`. Beyond it, a worker with a `group.instance.id` is a
static member (KIP-345): one that is started again asks, before it joins, what the group has given to it, since the
group's own answer holds no more than what came new in the last round. All of it runs on kafka-python's network thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog
from kafka import errors as kafka_errors
from kafka.coordinator.base import BaseCoordinator
from kafka.future import Future
from kafka.protocol.consumer import (
    UNKNOWN_MEMBER_ID,
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
)
from kafka.protocol.metadata import FindCoordinatorRequest
from kafka.structs import MemberState

from supervisor.group.assignment import Assignment, Configured, WorkerState
from supervisor.group.bridge import Bridge
from supervisor.group.grants import Grant, Grants
from supervisor.group.heartbeat import HurriedHeartbeat
from supervisor.group.leader import Leader
from supervisor.group.listener import GroupListener
from supervisor.group.protocol import ConnectProtocol
from supervisor.group.recollection import Recollection, recollect
from supervisor.group.session import Session
from supervisor.group.settings import GroupSettings
from supervisor.group.standing import Standing, extended, holds, merged
from supervisor.group.storage_topics import OtherStorageTopics, difference
from supervisor.group.wire import decode_assignment, decode_state, encode_assignment, encode_state
from tasks.deadline import boottime

log = structlog.get_logger(__name__)

# With this version the broker tells a static leader that was started again that it leads (KIP-814).
_JOIN_VERSION: Final = 9
_SYNC_VERSION: Final = 5
# The longest reason that brokers take (KIP-800).
_REASON_LENGTH: Final = 255


class WorkerCoordinator(BaseCoordinator):  # type: ignore[misc]  # it has no types
    """Membership of one worker; `publish` is called with each change of its standing."""

    def __init__(
        self,
        client: Any,
        settings: GroupSettings,
        configured: Callable[[], Configured],
        listener: GroupListener,
        bridge: Bridge,
        session: Session,
        grants: Grants,
        publish: Callable[[Standing], None],
    ) -> None:
        super().__init__(
            client,
            group_id=settings.group_id,
            group_instance_id=settings.instance_id,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_interval_ms,
            max_poll_interval_ms=settings.rebalance_timeout_ms,
            request_timeout_ms=settings.client["request_timeout_ms"],
            retry_backoff_ms=settings.client["retry_backoff_ms"],
            api_version=client.get_broker_version(),
        )
        self.heartbeat = HurriedHeartbeat(**self.config)
        self._settings = settings
        self._configured = configured
        self._listener = listener
        self._bridge = bridge
        self._session = session
        self._grants = grants
        self._publish = publish
        self._leader = Leader(settings.scheduled_rebalance_max_delay_ms, lambda: time.monotonic_ns() // 1_000_000)
        self._protocol = settings.protocol
        self._standing = Standing(protocol_version=settings.protocol.version)
        # What this worker runs, or may claim since it can be back in time; None if there is nothing.
        self._snapshot: Assignment | None = None
        self._claim_until: float | None = None
        self._configured_at_join = Configured()
        self._recollection: Recollection | None = None
        # The URL that the group knows of a static member that was restarted, until the first round is over.
        self._url = settings.url
        self._never_joined = True
        self._leads = False
        # Counts what makes an assignment void that is still on its way.
        self._losses = 0
        self._losing: Future | None = None
        self._reason: str | None = "the worker starts"
        self._heartbeat_timeout_ms = min(settings.session_timeout_ms // 2, settings.client["request_timeout_ms"])
        self.rejoin_at: float | None = None
        self.fatal: BaseException | None = None

    # --- joining ------------------------------------------------------------------------------------------------------

    def protocol_type(self) -> str:
        return "connect"

    def group_protocols(self) -> list[tuple[str, bytes]]:
        """The protocols that this worker can do, the best first, each with the worker's state."""
        if self._claim_until is not None and boottime() > self._claim_until:
            self._snapshot = None
        self._configured_at_join = self._configured()
        state = WorkerState(
            url=self._url,
            offset=self._configured_at_join.offset,
            assignment=self._snapshot or Assignment(),
            topics=self._settings.topics,
        )
        return [
            (protocol.wire_name, encode_state(state, protocol.version)) for protocol in self._settings.protocol.offered
        ]

    def ask_to_rejoin(self, reason: str) -> None:
        """Have a new round, after the one that is going on now."""
        self._reason = self._reason or reason

    def expect_round(self) -> None:
        """Learn soon of a round that is about to begin."""
        self.heartbeat.hurry()
        self._heartbeat_wakeup.notify()

    def take(self, grant: Grant) -> None:
        """Have this worker run what it was granted, unless a round has begun: that tells then who runs it."""
        standing, snapshot = self._standing, self._snapshot
        if snapshot is None or not holds(grant, standing, self._session):
            return
        mine = [unit for unit, url in grant.owners.items() if url == self._settings.url]
        self._snapshot = extended(snapshot, mine)
        self._bridge.call(self._listener.on_granted, mine)

    def need_rejoin(self) -> bool:
        # A round that has begun is to be waited for to its end, although what asked for it is settled.
        return self.rejoin_needed or self.rejoining or self._reason is not None or self._snapshot is None

    @property
    def was_refused(self) -> bool:
        """Whether the last round has ended without an assignment for this worker."""
        return self._snapshot is None or self._snapshot.failed

    async def _on_join_prepare_async(self, generation: int, member_id: str, timeout_ms: float | None = None) -> None:
        self.rejoin_at = None
        self._stand(settled=False)
        await self._loss_handled()
        if self._protocol is ConnectProtocol.EAGER:
            await self._stop_everything()
        if self._never_joined and self.group_instance_id is not None:
            await self._recollect()

    async def _stop_everything(self) -> None:
        before = self._snapshot
        if before is not None:
            await self._bridge.call(self._listener.on_revoked, before.leader, before.connectors, before.tasks)
            self._snapshot = None

    async def _recollect(self) -> None:
        found = await recollect(self._manager, self.coordinator_id, self.group_id, self.group_instance_id)
        if found is not None:
            log.info(f"this worker was a member of the group before, as {self.group_instance_id}: it takes up its work")
            self._recollection = found
            self._snapshot, self._url = found.own.assignment, found.own.url

    async def _do_join_and_sync_async(self) -> bytes:
        """One attempt. Other than its base it asks with a version by which a static leader learns that it still leads."""
        if self.coordinator_unknown():
            raise kafka_errors.CoordinatorNotAvailableError(self.coordinator_id)
        self.state = MemberState.REBALANCING
        protocols = self.group_protocols()
        reason, self._reason = self._reason or "the group rebalances", None
        request = JoinGroupRequest(
            group_id=self.group_id,
            session_timeout_ms=self._settings.session_timeout_ms,
            rebalance_timeout_ms=self._settings.rebalance_timeout_ms,
            member_id=self._generation.member_id,
            group_instance_id=self.group_instance_id,
            protocol_type=self.protocol_type(),
            protocols=protocols,
            reason=reason[:_REASON_LENGTH],
            max_version=_JOIN_VERSION,
        )
        # The broker answers when all members have joined, or their time is over.
        timeout_ms = max(self.config["request_timeout_ms"], self._settings.rebalance_timeout_ms + 5000)
        sent_at = time.monotonic()
        response = await self._manager.send(request, node_id=self.coordinator_id, request_timeout_ms=timeout_ms)
        self._process_join_group_response(response, sent_at)
        self._session.answered(boottime())
        assignments = self._decide(response)
        if response.protocol_name == ConnectProtocol.EAGER.wire_name:
            # Not only once the assignment is there: the next round may begin before this worker has it.
            await self._stop_everything()
        return await self._sync(assignments)

    def _decide(self, response: Any) -> dict[str, bytes]:
        self._leads = response.leader == response.member_id
        if not self._leads:
            return {}
        if response.skip_assignment:
            self._lead_on(response)
            return {}
        assignments: dict[str, bytes] = self._perform_assignment(
            response.leader, response.protocol_name, response.members
        )
        return assignments

    async def _sync(self, assignments: dict[str, bytes]) -> bytes:
        request = SyncGroupRequest(
            group_id=self.group_id,
            generation_id=self._generation.generation_id,
            member_id=self._generation.member_id,
            group_instance_id=self.group_instance_id,
            protocol_type=self.protocol_type(),
            protocol_name=self._generation.protocol,
            assignments=assignments.items(),
            max_version=_SYNC_VERSION,
        )
        sent_at, asked_at = time.monotonic(), boottime()
        response = await self._manager.send(request, node_id=self.coordinator_id)
        given: bytes = self._process_sync_group_response(response, sent_at)
        self._session.answered(asked_at)
        return given

    # --- leading ------------------------------------------------------------------------------------------------------

    def _perform_assignment(self, leader_id: str, protocol: str, members: Any) -> dict[str, bytes]:
        agreed = ConnectProtocol.of_wire_name(protocol)
        states = {member.member_id: decode_state(member.metadata) for member in members}
        configured = self._configured_at_join
        if configured.offset < max(state.offset for state in states.values()):
            configured = self._configured()  # this worker may have read on meanwhile
        if agreed is ConnectProtocol.EAGER and self._protocol is not agreed and self._standing.joined:
            # Nobody has stopped anything for this round, as is usual in the eager protocol: that comes first.
            configured = msgspec.structs.replace(configured, tasks={})
            self.ask_to_rejoin("all is stopped, now that the group has become an eager one")
        assignments = self._leader.decide(
            leader_id,
            agreed,
            states,
            configured,
            last_generation=self._standing.generation,
            generation=self._generation.generation_id,
            granted=self._grants.taken(self._standing.leader, self._standing.generation),
        )
        return {member: encode_assignment(given, agreed.version) for member, given in assignments.items()}

    def _lead_on(self, response: Any) -> None:
        """The group did not notice that its leader was restarted, and goes on with what it has."""
        if self._recollection is not None:
            own, others = self._recollection.own, self._recollection.others.values()
            granted = self._grants.owners(own.assignment.leader, response.generation_id)
            self._leader.resume(response.generation_id, [own, *others], granted)
        elif not self._leader.remembers(response.generation_id):
            self.ask_to_rejoin("the leader does not know who runs what")

    # --- a round is over ----------------------------------------------------------------------------------------------

    async def _on_join_complete_async(
        self, generation: int, member_id: str, protocol: str, member_assignment_bytes: bytes
    ) -> None:
        await self._loss_handled()
        losses = self._losses
        if not member_assignment_bytes:
            self.ask_to_rejoin("the leader has given no assignment to this worker")
            return
        given = decode_assignment(member_assignment_bytes)
        if given.topics not in ((), self._settings.topics):
            self.fatal = OtherStorageTopics(
                f"this worker is not one of group {self.group_id}, led by {given.leader_url}: its "
                f"{difference(self._settings.topics, given.topics)}"
            )
            return
        self._protocol = ConnectProtocol.of_wire_name(protocol)
        runs = merged(self._snapshot, given)
        if self._recollection is not None:
            granted = self._grants.owners(given.leader, generation)
            runs = extended(runs, [unit for unit, url in granted.items() if url == self._url])
        if self._leads:
            runs = msgspec.structs.replace(runs, leader=member_id, leader_url=self._settings.url)
        if runs.revoked_connectors or runs.revoked_tasks:
            await self._bridge.call(self._listener.on_revoked, runs.leader, runs.revoked_connectors, runs.revoked_tasks)
        if losses != self._losses:
            return
        self._snapshot, self._claim_until = runs, None
        self._never_joined, self._recollection = False, None
        self._stand(
            joined=True,
            settled=True,
            member_id=member_id,
            generation=generation,
            protocol_version=self._protocol.version,
            leads=self._leads,
            leader=runs.leader,
            leader_url=runs.leader_url,
            owner_urls=self._leader.owner_urls if self._leads else {},
            worker_urls=self._leader.worker_urls if self._leads else (),
            may_grant=self._leads and self._leader.may_grant,
        )
        self._plan_next_round(runs)
        await self._bridge.call(self._listener.on_assigned, runs, generation)

    def _plan_next_round(self, runs: Assignment) -> None:
        if runs.failed:
            self.ask_to_rejoin("the leader could not assign anything")
        elif runs.revoked_connectors or runs.revoked_tasks:
            self.ask_to_rejoin("what was revoked is stopped")
        elif self._url != self._settings.url:
            self.ask_to_rejoin("the worker's URL has changed")
        elif runs.delay_ms > 0:
            self.rejoin_at = time.monotonic() + runs.delay_ms / 1000
        self._url = self._settings.url

    # --- the session --------------------------------------------------------------------------------------------------

    async def _send_heartbeat_request(self) -> None:
        """Other than its base it does not wait for an answer until the session is long over."""
        if self.coordinator_unknown():
            raise kafka_errors.CoordinatorNotAvailableError(self.coordinator_id)
        request = HeartbeatRequest(
            group_id=self.group_id,
            generation_id=self._generation.generation_id,
            member_id=self._generation.member_id,
            group_instance_id=self.group_instance_id,
        )
        coordinator, sent_at, asked_at = self.coordinator_id, time.monotonic(), boottime()
        try:
            response = await self._manager.send(
                request, node_id=coordinator, request_timeout_ms=self._heartbeat_timeout_ms
            )
        except kafka_errors.KafkaError as error:
            self._failed_request(coordinator, request, error)
            raise
        try:
            self._handle_heartbeat_response(response, sent_at)
        except kafka_errors.RebalanceInProgressError:
            self._session.answered(asked_at)
            raise
        except (kafka_errors.FencedInstanceIdError, kafka_errors.GroupAuthorizationFailedError) as error:
            self.fatal = error
            raise
        self._session.answered(asked_at)

    async def probe(self) -> None:
        """While a round is going on no heartbeats are sent: whether the coordinator can be reached at all is asked then by
        another connection."""
        if not self._standing.joined or self.state is not MemberState.REBALANCING or self.coordinator_unknown():
            return
        coordinator = int(str(self.coordinator_id).rpartition("-")[2])
        request = FindCoordinatorRequest(key=self.group_id, key_type=0, coordinator_keys=[self.group_id])
        asked_at = boottime()
        try:
            await self._manager.send(request, node_id=coordinator, request_timeout_ms=self._heartbeat_timeout_ms)
        except kafka_errors.KafkaError as error:
            log.debug(f"the coordinator did not answer: {error}")
            return
        if self.state is MemberState.REBALANCING:
            self._session.answered(asked_at)

    def check_session(self, *, was_paused: bool) -> None:
        """Give up the membership if it is not confirmed for too long. A process that stood still first asks, if there is time."""
        if self._standing.joined and self._session.is_ending and (self._session.is_over or not was_paused):
            self.lose("the coordinator of the group has not answered for most of the session timeout")

    def reset_generation(self, member_id: str = UNKNOWN_MEMBER_ID) -> None:
        """Called when the coordinator does not take this worker for a member any more, or not for one of this generation."""
        super().reset_generation(member_id)
        if member_id == UNKNOWN_MEMBER_ID:
            self.lose("the coordinator has removed this worker from the group")

    def lose(self, reason: str) -> None:
        """The membership cannot be relied upon: have everything stopped, and join again afterwards."""
        if self._standing.joined:
            log.warning(f"{reason}: everything is stopped")
            self._end_membership(max(self._session.until, boottime()))
            self._losing = self._bridge.call(self._listener.on_lost, reason)
            self.ask_to_rejoin(reason)

    async def expel(self) -> None:
        """Leave since nobody works on what the group asks for (Kafka's poll timeout)."""
        if self._standing.joined:
            log.error("the herder has not answered its group for rebalance.timeout.ms: the worker leaves the group")
            self._losing = self._bridge.call(self._listener.on_poll_timeout)
            await self.leave("the worker does not answer", even_if_static=False)
            self.ask_to_rejoin("the worker answers again")

    async def leave(self, reason: str, *, even_if_static: bool, timeout_ms: int = 3000) -> None:
        """Tell the coordinator, which need not answer. Whoever joins again in time finds its work still there."""
        member_id = self._generation.member_id
        stays = self.group_instance_id is not None and not even_if_static
        self._end_membership(self._session.until if stays else boottime())
        super().reset_generation()
        if stays or not member_id or self.coordinator_unknown():
            return
        request = LeaveGroupRequest(
            group_id=self.group_id,
            member_id=member_id,
            members=[
                LeaveGroupRequest.MemberIdentity(
                    member_id=member_id, group_instance_id=self.group_instance_id, reason=reason[:_REASON_LENGTH]
                )
            ],
        )
        try:
            answer = self._manager.send(request, node_id=self.coordinator_id)
            self._handle_leave_group_response(await self._manager.wait_for(answer, timeout_ms))
        except kafka_errors.KafkaError as error:
            log.info(f"the coordinator did not answer that the worker leaves: {error}")

    def _end_membership(self, over_at: float) -> None:
        """Others are given this worker's work no earlier than the longest delay after the membership is over."""
        self._losses += 1
        self._session.end()
        self._claim_until = over_at + self._settings.scheduled_rebalance_max_delay_ms / 1000
        if self._protocol is ConnectProtocol.EAGER:
            self._snapshot = None
        self._stand(joined=False, settled=False)

    async def _loss_handled(self) -> None:
        while self._losing is not None:
            losing, self._losing = self._losing, None
            await losing

    def _stand(self, **changes: Any) -> None:
        self._standing = msgspec.structs.replace(self._standing, **changes)
        self._publish(self._standing)
