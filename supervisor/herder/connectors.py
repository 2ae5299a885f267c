"""One connector as the standalone herder knows it, and how it is shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import msgspec
from msgspec import UNSET, UnsetType

from supervisor.herder.entities import (
    ConnectorInfo,
    ConnectorState,
    ConnectorStateInfo,
    ConnectorTaskId,
    ConnectorType,
    TaskInfo,
    TaskState,
)
from supervisor.units.lifecycle import Status, Statuses, UnitId
from supervisor.units.specs import ConnectorSpec, Plan, TaskSpec, need_same_process
from tasks.messages import Validated
from tasks.states import State, TargetState

# The version of a plugin that does not say.
UNDEFINED = "undefined"

_AIMS = {
    TargetState.STARTED: State.RUNNING,
    TargetState.PAUSED: State.PAUSED,
    TargetState.STOPPED: State.STOPPED,
}


@dataclass
class Connector:
    """What is wanted of it, what it plans, and what its validation said about it."""

    spec: ConnectorSpec
    plan: Plan | None = None
    kind: ConnectorType = ConnectorType.UNKNOWN
    version: str = UNDEFINED
    secret_keys: Collection[str] = ()

    @classmethod
    def of(cls, spec: ConnectorSpec, before: Self | None, validated: Validated | None) -> Self:
        """A connector with a configuration that is new; until it has planned, the plan of the one before counts."""
        connector = (
            cls(spec) if before is None else cls(spec, before.plan, before.kind, before.version, before.secret_keys)
        )
        if connector.plan is not None and need_same_process(connector.plan.connector_config, spec.config):
            connector.plan = msgspec.structs.replace(connector.plan, connector_config=spec.config)
        if validated is not None:
            connector.kind = ConnectorType(validated.kind or ConnectorType.UNKNOWN)
            connector.version = validated.version
            connector.secret_keys = _shared(frozenset(validated.secret_keys))
        return connector

    def tasks(self) -> Sequence[TaskSpec]:
        """The tasks to run."""
        return self.plan.tasks(self.spec.name, self.spec.target_state) if self.plan else ()

    def info(self) -> ConnectorInfo:
        """Its configuration and tasks."""
        count = len(self.plan.task_configs) if self.plan else 0
        ids = [ConnectorTaskId(self.spec.name, number) for number in range(count)]
        return ConnectorInfo(self.spec.name, self.spec.config, ids, self._type)

    def task_infos(self) -> list[TaskInfo]:
        """Its tasks with their configurations."""
        configs = self.plan.task_configs if self.plan else []
        return [TaskInfo(ConnectorTaskId(self.spec.name, number), config) for number, config in enumerate(configs)]

    def state_info(
        self, statuses: Statuses, worker_id: str, *, restarting: Collection[UnitId] = ()
    ) -> ConnectorStateInfo:
        """Its state and that of its tasks; those in `restarting` are shown as if they were already."""
        own = UnitId(self.spec.name)
        status = statuses[own]
        return ConnectorStateInfo(
            name=self.spec.name,
            connector=ConnectorState(
                state=State.RESTARTING if own in restarting else status.state,
                worker_id=worker_id,
                version=self._version,
                trace=status.trace or "",
            ),
            tasks=[
                TaskState(
                    id=id.task,
                    state=State.RESTARTING if id in restarting else task.state,
                    worker_id=worker_id,
                    version=self._version,
                    trace=task.trace or "",
                )
                for id, task in statuses.tasks_of(self.spec.name)
                if id.task is not None
            ],
            type=self._type,
        )

    @property
    def _type(self) -> ConnectorType:
        return ConnectorType(self.plan.kind) if self.plan and self.kind is ConnectorType.UNKNOWN else self.kind

    @property
    def _version(self) -> str | UnsetType:
        return UNSET if self.version == UNDEFINED else self.version


@lru_cache(maxsize=64)
def _shared(keys: frozenset[str]) -> frozenset[str]:
    """One for all that are equal: those of a thousand connectors of few classes."""
    return keys


def is_settled(connector: Connector, status: Status | None) -> bool:
    """Whether it does what it was told, or has failed to."""
    if status is None:
        return True
    if status.state is State.FAILED or (status.state is State.RESTARTING and status.trace):
        return True
    if status.state is not _AIMS[connector.spec.target_state]:
        return False
    if connector.spec.target_state is not TargetState.STARTED:
        return True
    return connector.plan is not None and connector.plan.connector_config == connector.spec.config
