"""One worker of a cluster: its group, its topics, and what it runs, each told of what concerns it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

import structlog

from connectd.errors import ConnectException
from supervisor.group import Assignment, Configured, Grant, GroupMember, GroupSettings, decode_grant
from supervisor.herder.distributed.fencing import ZombieFencing
from supervisor.herder.distributed.group_listener import WorkListener
from supervisor.herder.distributed.kinds import ConnectorKinds
from supervisor.herder.distributed.leader_requests import LeaderRequests
from supervisor.herder.distributed.leadership import Leadership
from supervisor.herder.distributed.pace import Pace
from supervisor.herder.distributed.plans import Plans
from supervisor.herder.distributed.preflight_checks import PreflightChecks
from supervisor.herder.distributed.rebalances import Rebalances
from supervisor.herder.distributed.restart_plan import more_important, restart_plan
from supervisor.herder.distributed.session_keys import SessionKeys
from supervisor.herder.distributed.status_reporter import StatusReporter
from supervisor.herder.distributed.storage import Storage
from supervisor.herder.distributed.topics import ClusterTopics
from supervisor.herder.distributed.view import ClusterView
from supervisor.herder.distributed.wanted import configured, is_configured, same_units
from supervisor.herder.distributed.work import Work
from supervisor.herder.errors import Unavailable
from supervisor.inquiries.plugin_catalogue import PluginCatalogue
from supervisor.log_levels import LogLevels
from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.storage.snapshot import EMPTY, ClusterConfig
from supervisor.storage.status_records import WorkStatus
from supervisor.units.lifecycle import UnitId
from supervisor.units.specs import Plan
from supervisor.units.unit import Surroundings
from supervisor.units.worker import Worker
from tasks.deadline import GRACE_S, boottime
from tasks.messages import ForgetTopics, Lease
from tasks.settings import DistributedConfig
from tasks.states import State

if TYPE_CHECKING:
    from supervisor.rest.client import WorkerClient

log = structlog.get_logger(__name__)

TICK_S: Final = 1.0
# A worker that stops does not wait for longer until what it says of its tasks is written.
FLUSH_TIMEOUT_S: Final = 2.0
# The first record is applied at once; those that follow it closely are applied together.
GATHERING_S: Final = 0.02


class ClusterWorker:
    """`url` is where other workers reach this one, `worker_id` how it calls itself in states; `client` sends requests to them.

    It is also what the config topic's reader tells of each record (`supervisor.storage.config_listener.ConfigListener`).
    """

    def __init__(
        self,
        surroundings: Surroundings,
        settings: DistributedConfig,
        url: str,
        worker_id: str,
        client: Callable[[], WorkerClient],
    ) -> None:
        self.settings = settings
        self.worker_id = worker_id
        self.storage = Storage(settings, self, self._on_status, self._refusal)
        self.topics = ClusterTopics(self.storage.statuses)
        surroundings.topics = self.topics
        surroundings.lease = self._lease
        self.worker = Worker(surroundings, self.storage.offsets, self._on_plan)
        self.worker.on_ended = self._on_ended
        self.log_levels = LogLevels(surroundings.log.levels, self.worker, surroundings.connector_levels)
        self.kinds = ConnectorKinds(PluginCatalogue(surroundings))
        self.view = ClusterView(self.config, self.storage.statuses, self.kinds)
        self.keys = SessionKeys(settings, lambda: self.config().session_key)
        self.work = Work(self.worker, self.config)
        group = GroupSettings.of(settings, url)
        self._delay_s = group.scheduled_rebalance_max_delay_ms / 1000
        self._session_s = group.session_timeout_ms / 1000
        self.rebalances = Rebalances(lambda: self.member, lambda: self.work.counts, group.client_id)
        self.member = GroupMember(
            group,
            self._configured,
            WorkListener(
                self.work,
                self.storage.configs,
                self.storage.statuses,
                self.rebalances,
                settings.worker_sync_timeout_ms / 1000,
                self._after_round,
                self._leave,
                self._fail,
                self.storage.abandon,
            ),
        )
        self.reporter = StatusReporter(
            surroundings.statuses,
            self.storage.statuses,
            worker_id,
            lambda: self.member.generation,
            self.view.version,
            self.may_write,
        )
        self.leadership = Leadership(
            self.member,
            self.may_write,
            self.storage.configs,
            self.storage.statuses,
            self.reporter,
            self.keys,
            self._grant,
        )
        self.fencing = ZombieFencing(surroundings, settings, self.storage.configs, self.leadership, self.kinds)
        self.leader = LeaderRequests(self.member, self.leadership, self.fencing, self.keys, client)
        if settings.exactly_once_source_enabled:
            surroundings.preflight = PreflightChecks(
                self.leader, self.storage.configs, settings.worker_sync_timeout_ms / 1000
            )
        self._plans = Plans(self.config, self.leader.put_task_configs)
        self._has_read = False
        self._known: ClusterConfig = EMPTY
        self._units_changed_at = EMPTY.offset
        # How far into the config topic all that is configured was handed out, in the last round and by grants since then.
        self._assigned_at = self._granted_at = EMPTY.offset
        self._restarts: dict[str, RestartRequest] = {}
        self._pace = Pace()
        self._applying: asyncio.Handle | None = None
        self._applied = float("-inf")
        self._asking: asyncio.TimerHandle | None = None
        self._leased: Lease | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        # Done with the first assignment, or the error that keeps this worker from ever getting one.
        self.joined: asyncio.Future[None] = self._loop.create_future()
        # Fails when the group does not want this worker any more.
        self.ended: asyncio.Future[NoReturn] = self._loop.create_future()

    # --- what others ask ----------------------------------------------------------------------------------------------

    def config(self) -> ClusterConfig:
        """What the config topic said when it was last read."""
        return self.storage.configs.snapshot()

    def require_read(self) -> None:
        """Raises Unavailable until the topics were read: half of what is in them is worse than nothing."""
        if not self._has_read:
            raise Unavailable("The worker is still starting, it has not read the topics of its cluster yet")

    def may_write(self) -> bool:
        """Whether nobody else can have been given what this worker runs."""
        return boottime() < self.member.session_until

    @property
    def expects_round(self) -> bool:
        """Whether connectors or tasks came or went that the group has not distributed yet."""
        return self._units_changed_at > max(self._assigned_at, self._granted_at)

    async def read(self) -> None:
        """Read the topics. Raises ConfigException, ConnectException."""
        await asyncio.gather(self.storage.start(), self.member.prepare())
        self._has_read = True
        self._known = self.config()
        self.kinds.start()

    async def join(self) -> None:
        """Begin to join the group, once everything is read."""
        await self.member.start()
        self._ticker = self._loop.create_task(self._tick_for_ever())

    async def stop(self) -> None:
        """Stop all that runs, say so, and leave the group. A static member is expected back."""
        if self._stopping is None:
            self._stopping = self._loop.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        self._plans.stop()
        self.work.end()
        for timer in (self._ticker, self._applying, self._asking):
            if timer is not None:
                timer.cancel()
        self.kinds.stop()
        await self.worker.stop(returns=self.settings.group_instance_id is not None)
        await self.storage.statuses.flush(FLUSH_TIMEOUT_S)
        await self.member.stop()
        await self.storage.stop()

    # --- the group ----------------------------------------------------------------------------------------------------

    def _configured(self) -> Configured:
        return configured(self.config())

    async def _after_round(self, assignment: Assignment) -> None:
        self._assigned_at, self._granted_at = assignment.offset, EMPTY.offset
        self._pace.note_round(self._loop.time())
        self._ask_for_round()
        await self.leadership.assume()
        if not self.joined.done():
            self.joined.set_result(None)

    def _grant(self, units: Collection[UnitId]) -> Grant | None:
        """Who is to run what is new among these; None if that takes a round."""
        return None if self.expects_round else self.member.grant(units)

    def _require_taken(self, grant: Grant) -> None:
        """Whoever was granted something has had time to say that it runs: a round finds out what it really runs."""
        if self.member.is_leader and self.member.is_untaken(grant):
            self.member.request_rejoin("a worker has not taken what it was granted")

    def _leave(self, reason: str) -> None:
        self.member.leave_for(self.settings.worker_unsync_backoff_ms / 1000, reason)

    def _fail(self, error: ConnectException) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)

    def _refusal(self) -> str | None:
        return None if self.may_write() else "this worker has lost its place in the group"

    def _lease(self) -> Lease:
        until = self.member.session_until
        # An eager group does not wait for a worker that is gone.
        delay_s = self._delay_s if self.member.protocol_version else 0.0
        return Lease(until=until, gone_by=until + max(delay_s, GRACE_S))

    # --- connectors and tasks -----------------------------------------------------------------------------------------

    def _on_plan(self, connector: str, plan: Plan) -> None:
        self._plans.put(connector, plan)

    def _on_ended(self, unit: UnitId) -> None:
        if unit.task is None and unit.connector not in self.worker.connectors:
            self._plans.forget(unit.connector)
        if is_configured(self.config(), unit):
            self.reporter.unassigned(unit)

    def _on_status(self, unit: UnitId, status: WorkStatus | None) -> None:
        self.view.on_status(unit, status)
        if status is not None and status.state is not State.UNASSIGNED:
            self.member.grants.took(unit, status.worker_id)
        # It may be about to leave the group, or to let go what is to come to this worker.
        if status is not None and status.state is State.UNASSIGNED and status.worker_id != self.worker_id:
            self.member.expect_round()

    # --- the config topic ---------------------------------------------------------------------------------------------

    def on_note(self, note: bytes) -> None:
        try:
            grant = decode_grant(note)
        except ValueError as error:
            log.warning(f"ignoring a note in the config topic: {error}")
            return
        # What came before and still waits for a round waits on.
        if not self.expects_round and self.member.take(grant):
            self._granted_at = self.config().offset
            self._loop.call_later(self._session_s, self._require_taken, grant)

    def on_connector_config_update(self, connector: str) -> None:
        self._changed()

    def on_connector_config_remove(self, connector: str) -> None:
        self._changed()

    def on_task_config_update(self, tasks: Sequence[UnitId]) -> None:
        self._changed()

    def on_target_state_change(self, connector: str) -> None:
        self._changed()

    def on_session_key_update(self, key: SessionKey) -> None:
        log.debug("there is a new session key")

    def on_restart_request(self, request: RestartRequest) -> None:
        self._restarts[request.connector] = more_important(self._restarts.get(request.connector), request)
        self._apply_soon()

    def on_logging_level_update(self, logger: str, level: str) -> None:
        self.log_levels.set_named(logger, level)

    def _changed(self) -> None:
        config = self.config()
        if not same_units(self._known, config):
            self._units_changed_at = config.offset
        self._known = config
        self._apply_soon()

    def _apply_soon(self) -> None:
        if self._applying is None:
            due = self._applied + GATHERING_S
            # At once is before those who wait for the record: the group waits for this worker meanwhile.
            at_once = due <= self._loop.time()
            self._applying = self._loop.call_soon(self._apply) if at_once else self._loop.call_at(due, self._apply)

    def _apply(self) -> None:
        self._applying, self._applied = None, self._loop.time()
        self._ask_for_round()
        self.work.reconcile()
        self._plans.repair()
        restarts, self._restarts = self._restarts, {}
        for request in restarts.values():
            self._restart(request)

    def _ask_for_round(self) -> None:
        """Have the group distribute what is new, soon."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        if not self.expects_round:
            return
        now = self._loop.time()
        if (at := self._pace.next_round(now)) <= now:
            self.member.request_rejoin("connectors or tasks came or went")
        else:
            self._asking = self._loop.call_at(at, self._ask_for_round)

    def _restart(self, request: RestartRequest) -> None:
        """What runs here of what is to be restarted; each worker does so with what it runs."""
        if self.storage.statuses.get(UnitId(request.connector)) is None:
            return
        plan = restart_plan(request, self.view.status(request.connector))
        mine = [unit for unit in self.worker.units() if unit.id in plan.units]
        log.info(f"restarting {len(mine)} of the {len(plan.units)} that are to be", connector=request.connector)
        for unit in mine:
            unit.restart()

    # --- time ---------------------------------------------------------------------------------------------------------

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._tick()
            except Exception:
                log.critical("an error of connectd itself", exc_info=True)

    async def _tick(self) -> None:
        # New ones have one from their start; all others need another one when the group has answered again.
        if (lease := self._lease()) != self._leased and self.may_write():
            self.worker.send_to_all(lease)
            self._leased = lease
        for connector in self.topics.forgotten():
            for task in self.worker.tasks_of(connector):
                task.send(ForgetTopics())
        self.storage.offsets.close_unused([task.spec.connector_config for task in self.worker.tasks.values()])
        await self.leadership.look_after()
