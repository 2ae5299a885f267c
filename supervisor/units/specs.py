"""What a worker is to run: the desired state that a herder hands to the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from supervisor.configuration.live_settings import is_for_supervisor
from supervisor.units.lifecycle import UnitId
from tasks.states import TargetState


def need_same_process(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two configurations differ in nothing, or only in what is the supervisor's business alone."""
    return one == other or _for_process(one) == _for_process(other)


def _for_process(config: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in config.items() if not is_for_supervisor(key)}


class ConnectorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A connector to run, its configuration as the operator wrote it."""

    name: str
    config: dict[str, str]
    target_state: TargetState


class TaskSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A task to run. `plan_number` changes whenever the connector's tasks are replaced, also by the same ones: what delivers
    exactly once starts anew then."""

    connector: str
    task: int
    task_class: str
    task_config: dict[str, str]
    connector_config: dict[str, str]
    target_state: TargetState
    plan_number: int | None = None

    @property
    def id(self) -> UnitId:
        """The task's id."""
        return UnitId(self.connector, self.task)

    def needs_same_process(self, other: TaskSpec) -> bool:
        """Whether they differ in nothing that a running process could not be told, such as the target state."""
        return (
            self.id == other.id
            and self.task_class == other.task_class
            and need_same_process(self.task_config, other.task_config)
            and need_same_process(self.connector_config, other.connector_config)
        )


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
