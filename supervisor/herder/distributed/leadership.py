"""What only the leader of the group does: it writes configurations and session keys, and tidies up after what was deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import structlog

from connectd.errors import ConnectException, NotFoundException
from supervisor.group import Grant, GroupMember, encode_grant
from supervisor.group.assignment import SESSIONED
from supervisor.herder.distributed.session_keys import SessionKeys
from supervisor.herder.distributed.status_reporter import StatusReporter
from supervisor.herder.distributed.wanted import is_configured, is_planned, target_state
from supervisor.herder.errors import BadRequest, RequestTarget, Unavailable
from supervisor.storage.config_log import ConfigLog
from supervisor.storage.errors import PrivilegedWriteException
from supervisor.storage.status_log import StatusLog
from supervisor.units.lifecycle import UnitId
from tasks.states import TargetState

log = structlog.get_logger(__name__)


class Leadership:
    """`member` says whether this worker leads, and `may_write` whether it can be sure of that; `grant` says who is to run what
    is new, where that takes no round of the group."""

    def __init__(
        self,
        member: GroupMember,
        may_write: Callable[[], bool],
        config_log: ConfigLog,
        status_log: StatusLog,
        reporter: StatusReporter,
        keys: SessionKeys,
        grant: Callable[[Collection[UnitId]], Grant | None],
    ) -> None:
        self._member = member
        self._may_write = may_write
        self._config_log = config_log
        self._status_log = status_log
        self._reporter = reporter
        self._keys = keys
        self._grant = grant
        self._has_privileges = False
        self._looking = asyncio.Lock()
        # Why this leader could not write when it was tried last: it is tried every second, and said once.
        self._trouble: str | None = None

    @property
    def is_mine(self) -> bool:
        """Whether this worker leads."""
        return self._member.is_leader and self._may_write()

    def require(self, what: str) -> None:
        """Raises RequestTarget with the URL of the leader if that is another worker, or nobody knows."""
        if not self.is_mine:
            url = None if self._member.is_leader else self._member.leader_url
            raise RequestTarget(f"Only the leader can {what}", url)

    async def assume(self) -> None:
        """After each round of the group: who leads makes sure that it can write, and tidies up."""
        if self.is_mine:
            self._forget_deleted()
        await self.look_after()

    async def look_after(self) -> None:
        """To be called often: claims what a write needs, and replaces the session key in time."""
        async with self._looking:
            if not self.is_mine:
                self._has_privileges = False
                return
            try:
                if not self._has_privileges:
                    await self._config_log.claim_write_privileges()
                    self._has_privileges = True
                if self._member.protocol_version >= SESSIONED and self._keys.must_be_replaced():
                    await self._write(self._config_log.put_session_key(self._keys.new()))
                    log.info("the session key of the cluster was replaced")
            except ConnectException as error:
                if self._trouble != str(error):
                    self._trouble = str(error)
                    log.warning(f"as the leader, this worker cannot write to the config topic: {error}")
            else:
                self._trouble = None

    async def put_connector(self, name: str, config: Mapping[str, str], state: TargetState | None) -> None:
        """Create a connector, or change its configuration."""
        self.require("set connector configs.")
        note = self._note([UnitId(name)])
        await self._write(self._config_log.put_connector_config(name, config, state, note))

    async def remove_connector(self, name: str) -> None:
        """Delete a connector."""
        self.require("delete connector configs.")
        self._require_known(name)
        await self._write(self._config_log.remove_connector_config(name))

    async def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        """Write what a connector has planned, unless it is so already. Raises NotFoundException, BadRequest."""
        self.require("write task configurations.")
        self._require_known(name)
        config = self._config_log.snapshot()
        if configs and target_state(config, name) is TargetState.STOPPED:
            raise BadRequest(f"Cannot submit non-empty set of task configs for stopped connector {name}")
        if not is_planned(config, name, configs):
            # Where tasks go, a round sees to it that workers have as much to do again.
            goes = len(configs) < config.tasks_to_run(name)
            note = None if goes else self._note(UnitId(name, number) for number in range(len(configs)))
            await self._write(self._config_log.put_task_configs(name, configs, note))

    async def put_task_count_record(self, name: str, tasks: int) -> None:
        """Note how many producers must be fenced before the next tasks of an exactly-once source start (KIP-618)."""
        self.require("perform zombie fencing.")
        await self.look_after()  # tasks may ask before a new leader has claimed what it needs
        await self._write(self._config_log.put_task_count_record(name, tasks))

    async def stop_connector(self, name: str) -> None:
        """No tasks first: a connector that runs without any does no harm, a stopped one that has some is a lie."""
        self.require("transition connectors to the STOPPED state.")
        await self._write(self._config_log.put_task_configs(name, []))
        await self._write(self._config_log.put_target_state(name, TargetState.STOPPED))

    def _note(self, units: Iterable[UnitId]) -> bytes | None:
        grant = self._grant(list(units))
        return None if grant is None else encode_grant(grant)

    async def _write(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except PrivilegedWriteException as error:
            self._has_privileges = False
            raise Unavailable(f"Failed to write to the config topic, try again: {error}") from error

    def _require_known(self, name: str) -> None:
        if not self._config_log.snapshot().contains(name):
            raise NotFoundException(f"Connector {name} not found")

    def _forget_deleted(self) -> None:
        """Only after a round: until then the worker that ran it may still say what becomes of it."""
        config = self._config_log.snapshot()
        for connector in sorted(self._status_log.connectors()):
            units = [UnitId(connector, task) for task in self._status_log.tasks_of(connector)]
            if self._status_log.get(UnitId(connector)) is not None:
                units.append(UnitId(connector))
            for unit in units:
                if not is_configured(config, unit):
                    self._reporter.deleted(unit)
