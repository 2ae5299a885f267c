"""The standalone herder: connectors are kept in memory, and their plans are run on this worker at once.

As `org.apache.kafka.connect.runtime.standalone.StandaloneHerder`, with one difference: a new plan restarts only the tasks
whose configuration it changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import structlog

from connectd.errors import AlreadyExistsException, NotFoundException
from supervisor.herder.errors import InvalidConnector
from supervisor.lifecycle import Status, UnitId
from supervisor.offsets import OffsetStore
from supervisor.specs import ConnectorSpec, Plan
from supervisor.units import Surroundings
from supervisor.validation import validate
from supervisor.worker import Worker
from tasks.messages import Validated
from tasks.states import State, TargetState

log = structlog.get_logger(__name__)


class ConnectorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A connector with its tasks by number, as `GET /connectors/NAME/status` shows them. `kind` is None before the first plan."""

    name: str
    connector: Status
    tasks: dict[int, Status]
    kind: str | None


class StandaloneHerder:
    """Answers the requests of the command line and the REST API; all of them take effect at once.

    Requests about a connector or task that does not exist raise NotFoundException.
    """

    def __init__(self, surroundings: Surroundings, offsets: OffsetStore) -> None:
        self.worker = Worker(surroundings, offsets, self._on_plan)
        self._statuses = surroundings.statuses
        self._connectors: dict[str, ConnectorSpec] = {}
        self._plans: dict[str, Plan] = {}

    @property
    def connectors(self) -> Mapping[str, ConnectorSpec]:
        """The connectors by name."""
        return self._connectors

    async def validate(self, config: dict[str, str]) -> Validated:
        """All that is wrong with a connector's configuration. Raises InquiryFailed if its plugin does not say."""
        around = self.worker.surroundings
        return await validate(around.pool, around.worker_config, around.log, config)

    async def submit(
        self, config: dict[str, str], target_state: TargetState | None = None, *, replace: bool = True
    ) -> bool:
        """Create or change a connector after validating it; True if it is new.

        `target_state` None keeps that of an existing one. Raises InvalidConnector, InquiryFailed, or
        AlreadyExistsException when it is there and may not be replaced.
        """
        name = config.get("name", "")
        if name in self._connectors and not replace:
            raise AlreadyExistsException(f"Connector {name} already exists")
        outcome = await self.validate(config)
        if outcome.errors:
            raise InvalidConnector(name, outcome.errors)
        if name in self._connectors and not replace:
            raise AlreadyExistsException(f"Connector {name} already exists")
        return self.put(config, target_state)

    def put(self, config: dict[str, str], target_state: TargetState | None = None) -> bool:
        """As `submit`, for a configuration that has been validated."""
        name = config["name"]
        before = self._connectors.get(name)
        if target_state is None:
            target_state = before.target_state if before else TargetState.STARTED
        self._connectors[name] = ConnectorSpec(name=name, config=dict(config), target_state=target_state)
        self._reconcile()
        return before is None

    def remove(self, name: str) -> None:
        """Delete a connector; its offsets stay."""
        self._existing(name)
        del self._connectors[name]
        self._plans.pop(name, None)
        self._reconcile()

    def set_target_state(self, name: str, target_state: TargetState) -> None:
        """Pause, resume or stop a connector. A stopped one has no tasks until it resumes."""
        spec = self._existing(name)
        self._connectors[name] = msgspec.structs.replace(spec, target_state=target_state)
        if target_state is TargetState.STOPPED:
            self._plans.pop(name, None)
        self._reconcile()

    def restart(
        self, name: str, *, include_connector: bool = True, include_tasks: bool = False, only_failed: bool = False
    ) -> None:
        """Restart a connector, its tasks, or both; `only_failed` spares those that are not FAILED (KIP-745)."""
        self._existing(name)
        units = [self.worker.connectors[name]] if include_connector else []
        tasks = [task for id, task in self.worker.tasks.items() if id.connector == name] if include_tasks else []
        for unit in (*units, *tasks):
            if not only_failed or self._statuses[unit.id].state is State.FAILED:
                unit.restart()

    def restart_task(self, name: str, task: int) -> None:
        """Restart one task."""
        self._existing(name)
        unit = self.worker.tasks.get(UnitId(name, task))
        if unit is None:
            raise NotFoundException(f"Task {name}-{task} not found")
        unit.restart()

    def status(self, name: str) -> ConnectorStatus:
        """The state of a connector and its tasks."""
        self._existing(name)
        plan = self._plans.get(name)
        return ConnectorStatus(
            name=name,
            connector=self._statuses[UnitId(name)],
            tasks={id.task: status for id, status in self._statuses.tasks_of(name) if id.task is not None},
            kind=plan.kind if plan else None,
        )

    async def stop(self) -> None:
        """Stop all connectors and tasks in good order."""
        await self.worker.stop()

    def _existing(self, name: str) -> ConnectorSpec:
        if name not in self._connectors:
            raise NotFoundException(f"Connector {name} not found")
        return self._connectors[name]

    def _on_plan(self, name: str, plan: Plan) -> None:
        if name not in self._connectors or self._plans.get(name) == plan:
            return
        self._plans[name] = plan
        log.info(f"the connector has {len(plan.task_configs)} tasks", connector=name)
        self._reconcile()

    def _reconcile(self) -> None:
        tasks = {
            task.id: task
            for name, plan in self._plans.items()
            for task in plan.tasks(name, self._connectors[name].target_state)
        }
        self.worker.apply(self._connectors, tasks)
