"""The distributed herder: connectors are kept in the config topic, and the group decides which worker runs what.

As `org.apache.kafka.connect.runtime.distributed.DistributedHerder`, with one difference: a new plan restarts only the tasks
whose configuration it changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from connectd.errors import AlreadyExistsException, ConnectException, NotFoundException
from supervisor.configuration.marks import over_rest
from supervisor.group.assignment import SESSIONED
from supervisor.herder.distributed.cluster_worker import ClusterWorker
from supervisor.herder.distributed.restart_plan import RestartPlan, restart_plan
from supervisor.herder.distributed.secret_keys import SecretKeys
from supervisor.herder.distributed.view import ClusterView
from supervisor.herder.distributed.wanted import target_state
from supervisor.herder.entities import (
    ConnectorInfo,
    ConnectorOffset,
    ConnectorStateInfo,
    ConnectorType,
    Created,
    TaskInfo,
    TaskState,
)
from supervisor.herder.errors import BadRequest, InvalidConnector, OperationInProgress, RequestTarget, Unavailable
from supervisor.herder.herder import ConfigPatch
from supervisor.herder.offsets import ConnectorOffsets
from supervisor.herder.operations import Operations
from supervisor.herder.signatures import RequestSignature
from supervisor.inquiries.validation import validate
from supervisor.log_levels import LogLevels
from supervisor.storage.config_records import RestartRequest
from supervisor.units.lifecycle import UnitId
from supervisor.units.worker import Worker
from tasks.messages import Validated
from tasks.states import TargetState

# Whoever asks must not wait for long.
CATCH_UP_TIMEOUT_S: Final = 1.0

_STOPPED_FIRST: Final = (
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified "
    "connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
)


class DistributedHerder:
    """Answers the requests of the REST API, as `supervisor.herder.herder.Herder` says."""

    def __init__(self, cluster: ClusterWorker) -> None:
        self.is_ready = False
        self._cluster = cluster
        self._operations = Operations()
        self._offsets = ConnectorOffsets(cluster.worker.surroundings, cluster.storage.offsets)
        self._secret_keys = SecretKeys(self.validate)
        self._stopping = False

    @property
    def worker(self) -> Worker:
        """What runs on this machine."""
        return self._cluster.worker

    @property
    def log_levels(self) -> LogLevels:
        """The log levels of this worker."""
        return self._cluster.log_levels

    @property
    def leader_url(self) -> str | None:
        """By the last round of the group."""
        return self._cluster.member.leader_url

    @property
    def worker_urls(self) -> Sequence[str]:
        """By the last round of the group, if this worker leads it."""
        return self._cluster.member.worker_urls

    def require_signed(self, signature: RequestSignature | None) -> None:
        """Where the group signs its requests. Raises BadRequest, Forbidden, Unavailable."""
        if self._cluster.member.protocol_version >= SESSIONED:
            self._cluster.keys.require_signed(signature)

    def require_valid(self, signature: RequestSignature) -> None:
        """Raises BadRequest, Forbidden, Unavailable."""
        self._cluster.keys.require_signed(signature)

    async def catch_up(self) -> None:
        """A client that was told of its success, here or by another worker, must find it here."""
        if self._cluster.leadership.is_mine or not self._cluster.may_write():
            return  # it has written all of it itself; or Kafka does not answer
        with contextlib.suppress(TimeoutError, ConnectException):
            await self._cluster.storage.configs.refresh(CATCH_UP_TIMEOUT_S)

    # --- reading ------------------------------------------------------------------------------------------------------

    def connectors(self) -> list[str]:
        """The names of all connectors of the cluster."""
        self._cluster.require_read()
        return list(self._cluster.config().connectors())

    def info(self, name: str) -> ConnectorInfo:
        """A connector's configuration and tasks."""
        return self._view.info(name)

    def secret_keys(self, name: str) -> Collection[str]:
        """The keys of a connector that its plugins declare as passwords; all of its keys while that is not known."""
        config = self._cluster.config().connector_config(name)
        return () if config is None else self._secret_keys.of(name, config)

    def status(self, name: str) -> ConnectorStateInfo:
        """The state of a connector and its tasks, whichever worker runs them."""
        return self._view.status(name)

    def task_status(self, name: str, task: int) -> TaskState:
        """The state of one task."""
        return self._view.task_status(name, task)

    def task_configs(self, name: str) -> list[TaskInfo]:
        """The tasks with their configurations."""
        return self._view.task_configs(name)

    def active_topics(self, name: str) -> list[str]:
        """The topics that a connector has used."""
        self._cluster.require_read()
        return self._cluster.topics.of(name)

    async def offsets(self, name: str) -> list[ConnectorOffset]:
        """How far a connector has read. Raises InquiryFailed, Unavailable."""
        info = self._view.info(name)
        return await self._offsets.read(info.config, info.type)

    async def validate(self, config: ConfigPatch) -> Validated:
        """All that is wrong with a connector's configuration. Raises InquiryFailed if its plugin does not say."""
        around = self.worker.surroundings
        outcome = await validate(around.pool, around.worker_config, around.log, config)
        self._cluster.kinds.learn(config, outcome)
        return outcome

    # --- writing ------------------------------------------------------------------------------------------------------

    async def submit(
        self, config: ConfigPatch, target_state: TargetState | None = None, *, replace: bool = True
    ) -> Created:
        """Create or change a connector after validating it; `target_state` None keeps that of an existing one.

        Raises InvalidConnector, InquiryFailed, OperationInProgress, or AlreadyExistsException when it is there and may not
        be replaced.
        """
        name = config.get("name") or ""
        self._require_leader("set connector configs.")
        async with self._operations.begin(name, "a new configuration is being validated"):
            return await self._validate_and_put(name, config, target_state, replace=replace)

    async def patch(self, name: str, patch: ConfigPatch) -> ConnectorInfo:
        """Change some keys of a configuration, None removes one. Raises as `submit`."""
        self._require_leader("set connector configs.")
        async with self._operations.begin(name, "a new configuration is being validated"):
            config: dict[str, str | None] = {**self._view.connector_config(name), **patch}
            kept = {key: value for key, value in config.items() if value is not None}
            return (await self._validate_and_put(name, kept, None, replace=True)).info

    async def _validate_and_put(
        self, name: str, config: ConfigPatch, target_state: TargetState | None, *, replace: bool
    ) -> Created:
        outcome = await self.validate(config)
        if outcome.errors:
            raise InvalidConnector(name, outcome)
        present = self._cluster.config().connector_config(name)
        if present is not None and not replace:
            raise AlreadyExistsException(f"Connector {name} already exists")
        wanted = over_rest({key: value or "" for key, value in config.items()}, present)
        await self._cluster.leadership.put_connector(name, wanted, target_state)
        return Created(self._view.info(name), present is None)

    async def put(
        self, config: dict[str, str], target_state: TargetState | None = None, validated: Validated | None = None
    ) -> bool:
        """As `submit`, for a configuration that has been validated, on the leader or, from a file, on any worker; True if it
        is new."""
        self._require_running()
        name = config["name"]
        exists = self._cluster.config().contains(name)
        await self._cluster.leader.put_connector(name, config, target_state)
        return not exists

    async def remove(self, name: str) -> None:
        """Delete a connector; its offsets stay."""
        self._require_leader("delete connector configs.")
        self._operations.require_none_exclusive(name)
        await self._cluster.leadership.remove_connector(name)
        self._cluster.topics.reset(name)

    async def discard(self, name: str) -> None:
        """As `remove`, for a connector whose file is gone, on any worker."""
        self._require_running()
        await self._cluster.leader.remove_connector(name)

    async def set_target_state(self, name: str, target_state: TargetState) -> None:
        """Pause, resume or stop a connector. A stopped one has no tasks until it resumes."""
        self._require_running()
        if not self._cluster.config().contains(name):
            raise NotFoundException(f"Unknown connector {name}")
        self._operations.require_none_exclusive(name)
        if target_state is TargetState.STOPPED:
            await self._cluster.leadership.stop_connector(name)
        else:
            await self._cluster.storage.configs.put_target_state(name, target_state)

    async def restart(self, name: str, *, include_tasks: bool = False, only_failed: bool = False) -> ConnectorStateInfo:
        """Restart a connector, and its tasks too; `only_failed` spares those that are not FAILED (KIP-745)."""
        self._require_known(name)
        request = RestartRequest(name, only_failed=only_failed, include_tasks=include_tasks)
        if request.forces_connector_only:
            plan = self._plan(request)
            self._restart_here(UnitId(name))
            return plan.info
        self._require_leader("process restart requests.")
        plan = self._plan(request)
        await self._cluster.storage.configs.put_restart_request(request)
        return plan.info

    async def restart_task(self, name: str, task: int) -> None:
        """Restart one task."""
        self._require_known(name)
        id = UnitId(name, task)
        if self._cluster.config().task_config(id) is None:
            raise NotFoundException(f"Unknown task: {id}")
        self._restart_here(id)

    async def reset_active_topics(self, name: str) -> None:
        """Forget which topics a connector used so far; its tasks report those that they still use."""
        self._require_running()
        self._cluster.topics.reset(name)

    async def alter_offsets(self, name: str, offsets: Sequence[ConnectorOffset] | None) -> bool:
        """Change the offsets of a stopped connector, None resets them; True if the connector took care of it too.

        Raises BadRequest, InquiryFailed, Unavailable or OperationInProgress, and then nothing was changed.
        """
        async with self._operations.begin(name, "its offsets are being changed", exclusive=True):
            self._require_settled()
            self._require_leader("process external offsets modification requests")
            config = await self._stopped_connector(name)
            await self.worker.tasks_ended(name)
            if (
                self._cluster.settings.exactly_once_source_enabled
                and self._view.info(name).type is not ConnectorType.SINK
            ):
                await self._cluster.fencing.fence(name)
                config = await self._stopped_connector(name)
            return await self._offsets.alter(config, offsets)

    async def _stopped_connector(self, name: str) -> dict[str, str]:
        """The configuration of a connector that is stopped and has no tasks. Raises BadRequest."""
        await self._refresh()
        config = self._view.connector_config(name)
        state = target_state(self._cluster.config(), name)
        if state is not TargetState.STOPPED or self._cluster.config().task_count(name):
            raise BadRequest(_STOPPED_FIRST.format(name=name))
        return config

    async def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        """The tasks that a connector wants which runs on another worker."""
        await self._cluster.leadership.put_task_configs(name, configs)

    async def write_connector(
        self, name: str, config: Mapping[str, str] | None, target_state: TargetState | None
    ) -> None:
        """What a file of another worker says."""
        self._require_running()
        self._operations.require_none_exclusive(name)
        if config is None:
            await self._cluster.leadership.remove_connector(name)
        else:
            await self._cluster.leadership.put_connector(name, config, target_state)

    async def fence_zombies(self, name: str) -> None:
        """Fence the producers of a source's earlier tasks (KIP-618)."""
        self._require_leader("perform zombie fencing.")
        await self._cluster.fencing.fence(name)

    async def set_cluster_log_level(self, logger: str, level: str) -> None:
        """Set the level of a logger on all workers."""
        self._require_running()
        await self._cluster.storage.configs.put_logger_level(logger, level)

    async def stop(self) -> None:
        """Stop all connectors and tasks of this worker in good order, and leave the group."""
        self._stopping = True
        self._secret_keys.stop()
        await self._cluster.stop()

    # --- helpers ------------------------------------------------------------------------------------------------------

    @property
    def _view(self) -> ClusterView:
        """Raises Unavailable as long as there is nothing to be seen."""
        self._cluster.require_read()
        return self._cluster.view

    def _require_running(self) -> None:
        self._cluster.require_read()
        if self._stopping:
            raise Unavailable("The worker is stopping")

    def _require_leader(self, what: str) -> None:
        self._require_running()
        self._cluster.leadership.require(what)

    def _require_settled(self) -> None:
        """Raises OperationInProgress while it is not certain who runs what."""
        if self._cluster.expects_round:
            raise OperationInProgress(
                "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config "
                "change): the group is about to distribute connectors and tasks anew. Nothing was changed",
                retry_after_s=1,
            )

    def _require_known(self, name: str) -> None:
        self._require_running()
        self._require_settled()
        if not self._cluster.config().contains(name):
            raise NotFoundException(f"Unknown connector: {name}")
        self._operations.require_none_exclusive(name)

    def _plan(self, request: RestartRequest) -> RestartPlan:
        try:
            return restart_plan(request, self._view.status(request.connector))
        except NotFoundException:
            raise NotFoundException(f"Status for connector {request.connector} not found") from None

    def _restart_here(self, id: UnitId) -> None:
        """Raises RequestTarget if it is another worker's."""
        for unit in self.worker.units():
            if unit.id == id:
                unit.restart()
                return
        member = self._cluster.member
        if member.is_leader:
            raise RequestTarget(f"{id} is not assigned to this worker", member.owner_url(id))
        raise RequestTarget(f"{id} is not assigned to this worker", member.leader_url)

    async def _refresh(self) -> None:
        """Read what others have written to the config topic until now."""
        try:
            await self._cluster.storage.configs.refresh(self._cluster.settings.worker_sync_timeout_ms / 1000)
        except (TimeoutError, ConnectException) as error:
            raise Unavailable("The config topic cannot be read to its end now") from error
