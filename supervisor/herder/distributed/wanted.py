"""What a worker is to run: a pure function of what is configured in the cluster and what the group has given to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import msgspec

from supervisor.configuration.live_settings import CONNECTOR_FILE
from supervisor.group import Configured
from supervisor.storage.snapshot import ClusterConfig
from supervisor.units.lifecycle import UnitId
from supervisor.units.specs import ConnectorSpec, TaskSpec, need_same_process
from tasks.states import TargetState

TASK_CLASS = "task.class"


class Wanted(msgspec.Struct, frozen=True):
    """For `Worker.apply`."""

    connectors: dict[str, ConnectorSpec]
    tasks: dict[UnitId, TaskSpec]


def wanted(config: ClusterConfig, connectors: Iterable[str], tasks: Iterable[UnitId]) -> Wanted:
    """Of what was given to this worker, all that is still configured.

    A connector that was deleted ends at once, and so do tasks that a new plan does without; the round of the group that
    takes them from this worker follows.
    """
    connector_specs = {name: _connector(config, name) for name in connectors}
    # Of hundreds of tasks of a connector, each has the same.
    config_of_tasks = cache(lambda name: _config_of_tasks(config, name))
    task_specs = {task: _task(config, task, config_of_tasks) for task in tasks}
    return Wanted(
        {name: spec for name, spec in connector_specs.items() if spec is not None},
        {task: spec for task, spec in task_specs.items() if spec is not None},
    )


def configured(config: ClusterConfig) -> Configured:
    """What there is to assign."""
    return Configured(offset=config.offset, tasks={name: config.tasks(name) for name in config.connectors()})


def is_configured(config: ClusterConfig, unit: UnitId) -> bool:
    """Whether there is such a connector or task."""
    return config.contains(unit.connector) and (unit.task is None or unit.task < config.tasks_to_run(unit.connector))


def same_units(one: ClusterConfig, other: ClusterConfig) -> bool:
    """Whether there is the same to assign: what else changes needs no round of the group."""
    return one.connectors() == other.connectors() and all(
        one.tasks_to_run(name) == other.tasks_to_run(name) for name in one.connectors()
    )


def is_planned(config: ClusterConfig, connector: str, task_configs: Sequence[Mapping[str, str]]) -> bool:
    """Whether the connector's tasks are these already, and were made from its present configuration.

    As Java's `AbstractHerder.taskConfigsChanged`; only what the supervisor alone reads may differ.
    """
    tasks = config.tasks(connector)
    if connector in config.inconsistent or len(tasks) != len(task_configs):
        return False
    if any(config.task_config(task) != wanted for task, wanted in zip(tasks, task_configs, strict=True)):
        return False
    applied, present = config.applied_connector_config(connector), config.connector_config(connector)
    return applied is not None and present is not None and need_same_process(applied, present)


def target_state(config: ClusterConfig, connector: str) -> TargetState:
    """What the connector is to be: it runs where nobody wanted anything else."""
    return config.target_state(connector) or TargetState.STARTED


def _connector(config: ClusterConfig, name: str) -> ConnectorSpec | None:
    properties = config.connector_config(name)
    if properties is None:
        return None
    own = {key: value for key, value in properties.items() if key != CONNECTOR_FILE}
    return ConnectorSpec(name=name, config=own, target_state=target_state(config, name))


def _task(config: ClusterConfig, id: UnitId, config_of_tasks: Callable[[str], dict[str, str]]) -> TaskSpec | None:
    properties = config.task_config(id)
    if properties is None or id.task is None or not is_configured(config, id):
        return None
    return TaskSpec(
        connector=id.connector,
        task=id.task,
        task_class=properties.get(TASK_CLASS, ""),
        task_config=dict(properties),
        connector_config=config_of_tasks(id.connector),
        target_state=target_state(config, id.connector),
        plan_number=config.task_config_generation(id.connector),
    )


def _config_of_tasks(config: ClusterConfig, name: str) -> dict[str, str]:
    """Until the connector has planned with its new configuration, its tasks go on with the one that they were made from."""
    applied, present = config.applied_connector_config(name), config.connector_configs[name]
    return dict(present if applied is None or need_same_process(applied, present) else applied)
