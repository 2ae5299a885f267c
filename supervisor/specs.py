"""What a worker is to run: the desired state that a herder hands to the worker."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from supervisor.lifecycle import UnitId
from tasks.states import TargetState


class ConnectorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A connector to run, its configuration as the operator wrote it."""

    name: str
    config: dict[str, str]
    target_state: TargetState


class TaskSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A task to run. Two that differ in more than the target state need different processes."""

    connector: str
    task: int
    task_class: str
    task_config: dict[str, str]
    connector_config: dict[str, str]
    target_state: TargetState

    @property
    def id(self) -> UnitId:
        """The task's id."""
        return UnitId(self.connector, self.task)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector wants to be run, and the configuration that it was made from."""

    connector_config: dict[str, str]
    kind: str
    version: str
    task_class: str
    task_configs: list[dict[str, str]]

    def tasks(self, connector: str, target_state: TargetState) -> Sequence[TaskSpec]:
        """The tasks of the plan."""
        return [
            TaskSpec(
                connector=connector,
                task=number,
                task_class=self.task_class,
                task_config=task_config,
                connector_config=self.connector_config,
                target_state=target_state,
            )
            for number, task_config in enumerate(self.task_configs)
        ]
