"""The standalone herder: connectors are kept in memory, and their plans are run on this worker at once.

As `org.apache.kafka.connect.runtime.standalone.StandaloneHerder`, with one difference: a new plan restarts only the tasks
whose configuration it changes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence

import msgspec
import structlog

from connectd.errors import AlreadyExistsException, NotFoundException
from supervisor.herder.connectors import Connector, is_settled
from supervisor.herder.entities import (
    ConnectorInfo,
    ConnectorOffset,
    ConnectorStateInfo,
    Created,
    TaskInfo,
    TaskState,
)
from supervisor.herder.errors import BadRequest, InvalidConnector, OperationInProgress, Unavailable
from supervisor.herder.herder import ConfigPatch
from supervisor.herder.offsets import ConnectorOffsets
from supervisor.herder.operations import Operations
from supervisor.herder.progress import Outcome, note
from supervisor.herder.signatures import RequestSignature
from supervisor.inquiries.validation import validate
from supervisor.log_levels import LogLevels
from supervisor.storage.offset_file import OffsetStore
from supervisor.units.lifecycle import UnitId
from supervisor.units.specs import ConnectorSpec, Plan
from supervisor.units.unit import Surroundings
from supervisor.units.worker import Worker
from tasks.messages import ForgetTopics, Validated
from tasks.states import State, TargetState

log = structlog.get_logger(__name__)

# How long a write waits for the connector to begin what it was told; then it is answered with what there is.
SETTLE_TIMEOUT_S = 10.0
# How long an offset change waits for the last tasks to end, beyond the time that they have for it.
TASKS_GONE_TIMEOUT_S = 5.0

_STOPPED_FIRST = (
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified "
    "connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
)


class StandaloneHerder:
    """Answers the requests of the command line and the REST API, as `supervisor.herder.herder.Herder` says.

    `worker_id` is how this worker calls itself in states.
    """

    def __init__(self, surroundings: Surroundings, offsets: OffsetStore, worker_id: str = "localhost") -> None:
        self.worker = Worker(surroundings, offsets, self._on_plan)
        self.worker_id = worker_id
        self.is_ready = False
        self.leader_url = None
        self.worker_urls = ()
        self.log_levels = LogLevels(surroundings.log.levels, self.worker, surroundings.connector_levels)
        self._statuses = surroundings.statuses
        self._topics = surroundings.topics
        self._connectors: dict[str, Connector] = {}
        self._operations = Operations()
        self._offsets = ConnectorOffsets(surroundings, offsets)
        self._changed = asyncio.Event()
        self._stopping = False
        # Clients ask more often than anything changes.
        self._shown: dict[str, ConnectorStateInfo] = {}
        self._statuses.listen(lambda unit, status: self._notice(unit.connector))

    # --- reading ------------------------------------------------------------------------------------------------------

    def connectors(self) -> list[str]:
        """The names of all connectors."""
        return list(self._connectors)

    def info(self, name: str) -> ConnectorInfo:
        """A connector's configuration and tasks."""
        return self._existing(name).info()

    def secret_keys(self, name: str) -> Collection[str]:
        """The keys of a connector that its plugins declare as passwords."""
        connector = self._connectors.get(name)
        return () if connector is None else connector.secret_keys

    def status(self, name: str) -> ConnectorStateInfo:
        """The state of a connector and its tasks."""
        if name not in self._connectors:
            raise NotFoundException(f"No status found for connector {name}")
        shown = self._shown.get(name)
        if shown is None:
            shown = self._shown[name] = self._connectors[name].state_info(self._statuses, self.worker_id)
        return shown

    def task_status(self, name: str, task: int) -> TaskState:
        """The state of one task."""
        states = self.status(name).tasks if name in self._connectors else []
        for state in states:
            if state.id == task:
                return state
        raise NotFoundException(f"No status found for task {name}-{task}")

    def task_configs(self, name: str) -> list[TaskInfo]:
        """The tasks with their configurations."""
        return self._existing(name).task_infos()

    def active_topics(self, name: str) -> list[str]:
        """The topics that a connector has used."""
        return self._topics.of(name)

    async def offsets(self, name: str) -> list[ConnectorOffset]:
        """How far a connector has read. Raises InquiryFailed, Unavailable."""
        connector = self._existing(name)
        return await self._offsets.read(connector.spec.config, connector.info().type)

    async def validate(self, config: ConfigPatch) -> Validated:
        """All that is wrong with a connector's configuration. Raises InquiryFailed if its plugin does not say."""
        around = self.worker.surroundings
        return await validate(around.pool, around.worker_config, around.log, config)

    # --- writing ------------------------------------------------------------------------------------------------------

    async def submit(
        self, config: ConfigPatch, target_state: TargetState | None = None, *, replace: bool = True
    ) -> Created:
        """Create or change a connector after validating it; `target_state` None keeps that of an existing one.

        Raises InvalidConnector, InquiryFailed, OperationInProgress, or AlreadyExistsException when it is there and may not
        be replaced.
        """
        name = config.get("name") or ""
        async with self._operations.begin(name, "a new configuration is being validated"):
            created = await self._validate_and_put(name, config, target_state, replace=replace)
        await self._settle(name)
        return Created(self.info(name), created)

    async def patch(self, name: str, patch: ConfigPatch) -> ConnectorInfo:
        """Change some keys of a configuration, None removes one. Raises as `submit`."""
        async with self._operations.begin(name, "a new configuration is being validated"):
            config: dict[str, str | None] = {**self._existing(name).spec.config, **patch}
            kept = {key: value for key, value in config.items() if value is not None}
            await self._validate_and_put(name, kept, None, replace=True)
        await self._settle(name)
        return self.info(name)

    async def _validate_and_put(
        self, name: str, config: ConfigPatch, target_state: TargetState | None, *, replace: bool
    ) -> bool:
        outcome = await self.validate(config)
        if outcome.errors:
            raise InvalidConnector(name, outcome)
        if name in self._connectors and not replace:
            raise AlreadyExistsException(f"Connector {name} already exists")
        return await self.put({key: value or "" for key, value in config.items()}, target_state, outcome)

    async def put(
        self, config: dict[str, str], target_state: TargetState | None = None, validated: Validated | None = None
    ) -> bool:
        """As `submit`, for a configuration that has been validated, and without waiting for anything; True if it is new."""
        self._require_running()
        name = config["name"]
        before = self._connectors.get(name)
        if target_state is None:
            target_state = before.spec.target_state if before else TargetState.STARTED
        spec = ConnectorSpec(name=name, config=dict(config), target_state=target_state)
        self._connectors[name] = Connector.of(spec, before, validated)
        self._shown.pop(name, None)
        self._reconcile()
        note(Outcome.APPLIED)
        return before is None

    async def remove(self, name: str) -> None:
        """Delete a connector; its offsets stay."""
        self._changeable(name)
        del self._connectors[name]
        self._reconcile()
        self._topics.reset(name)

    async def discard(self, name: str) -> None:
        """Delete a connector whose file is gone."""
        await self.remove(name)

    async def set_target_state(self, name: str, target_state: TargetState) -> None:
        """Pause, resume or stop a connector. A stopped one has no tasks until it resumes."""
        if name not in self._connectors:
            raise NotFoundException(f"Unknown connector {name}")
        connector = self._changeable(name)
        connector.spec = msgspec.structs.replace(connector.spec, target_state=target_state)
        if target_state is TargetState.STOPPED:
            connector.plan = None
        self._reconcile()

    async def restart(self, name: str, *, include_tasks: bool = False, only_failed: bool = False) -> ConnectorStateInfo:
        """Restart a connector, and its tasks too; `only_failed` spares those that are not FAILED (KIP-745)."""
        connector = self._changeable(name)
        units = [self.worker.connectors[name], *(self.worker.tasks_of(name) if include_tasks else ())]
        chosen = [unit for unit in units if not only_failed or self._statuses[unit.id].state is State.FAILED]
        info = connector.state_info(self._statuses, self.worker_id, restarting={unit.id for unit in chosen})
        for unit in chosen:
            unit.restart()
        note(Outcome.APPLIED)
        if not include_tasks and not only_failed:
            await self._settle(name)
        return info

    async def restart_task(self, name: str, task: int) -> None:
        """Restart one task."""
        self._changeable(name)
        unit = self.worker.tasks.get(UnitId(name, task))
        if unit is None:
            raise NotFoundException(f"Task {name}-{task} not found")
        unit.restart()

    async def reset_active_topics(self, name: str) -> None:
        """Forget which topics a connector used so far; its tasks report those that they still use."""
        self._topics.reset(name)
        for unit in self.worker.tasks_of(name):
            unit.send(ForgetTopics())

    async def alter_offsets(self, name: str, offsets: Sequence[ConnectorOffset] | None) -> bool:
        """Change the offsets of a stopped connector, None resets them; True if the connector took care of it too.

        Raises BadRequest, InquiryFailed, Unavailable or OperationInProgress, and then nothing was changed.
        """
        async with self._operations.begin(name, "its offsets are being changed", exclusive=True):
            connector = self._existing(name)
            if connector.spec.target_state is not TargetState.STOPPED:
                raise BadRequest(_STOPPED_FIRST.format(name=name))
            await self._wait_for_tasks_to_end(name)
            return await self._offsets.alter(connector.spec.config, offsets)

    def require_signed(self, signature: RequestSignature | None) -> None:
        """There are no other workers."""

    def require_valid(self, signature: RequestSignature) -> None:
        """There are no other workers."""

    async def catch_up(self) -> None:
        """There are no other workers."""

    async def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        """Only workers of a cluster do that."""
        raise BadRequest("Kafka Connect in standalone mode does not support externally setting task configurations.")

    async def write_connector(
        self, name: str, config: Mapping[str, str] | None, target_state: TargetState | None
    ) -> None:
        """Only workers of a cluster do that."""
        raise BadRequest("A standalone worker writes no connectors for others.")

    async def fence_zombies(self, name: str) -> None:
        """Only workers of a cluster do that."""
        raise BadRequest("Kafka Connect in standalone mode does not support exactly-once source connectors.")

    async def set_cluster_log_level(self, logger: str, level: str) -> None:
        """This worker is the whole cluster."""
        self.log_levels.set_named(logger, level)

    async def stop(self) -> None:
        """Stop all connectors and tasks in good order."""
        self._stopping = True
        await self.worker.stop()

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _existing(self, name: str) -> Connector:
        if name not in self._connectors:
            raise NotFoundException(f"Connector {name} not found")
        return self._connectors[name]

    def _require_running(self) -> None:
        if self._stopping:
            raise Unavailable("The worker is stopping")

    def _changeable(self, name: str) -> Connector:
        self._require_running()
        connector = self._existing(name)
        self._operations.require_none_exclusive(name)
        return connector

    async def _settle(self, name: str) -> None:
        """Wait until the connector does what it was told, or has failed to, or it takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                while (connector := self._connectors.get(name)) is not None and not is_settled(
                    connector, self._statuses.get(UnitId(name))
                ):
                    await self._changed.wait()

    def _notice(self, name: str) -> None:
        self._shown.pop(name, None)
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait_for_tasks_to_end(self, name: str) -> None:
        try:
            async with asyncio.timeout(self.worker.surroundings.graceful_stop_s + TASKS_GONE_TIMEOUT_S):
                await self.worker.tasks_ended(name)
        except TimeoutError:
            raise OperationInProgress(
                f"The tasks of connector {name} have not ended yet, nothing was changed"
            ) from None

    def _on_plan(self, name: str, plan: Plan) -> None:
        connector = self._connectors.get(name)
        if connector is None or connector.plan == plan:
            return
        connector.plan = plan
        connector.version = plan.version
        log.info(f"the connector has {len(plan.task_configs)} tasks", connector=name)
        self._reconcile()
        self._notice(name)

    def _reconcile(self) -> None:
        tasks = [task for connector in self._connectors.values() for task in connector.tasks()]
        self.worker.apply(
            {name: connector.spec for name, connector in self._connectors.items()}, {task.id: task for task in tasks}
        )
