"""Which of a connector and its tasks a restart request concerns, by their present states (KIP-745, Kafka's `RestartPlan`)."""

from __future__ import annotations

import msgspec

from supervisor.herder.entities import ConnectorStateInfo
from supervisor.storage.config_records import RestartRequest
from supervisor.units.lifecycle import UnitId
from tasks.states import State


class RestartPlan(msgspec.Struct, frozen=True):
    """`units` are to be restarted, `info` shows them as if they were already."""

    units: frozenset[UnitId]
    info: ConnectorStateInfo


def restart_plan(request: RestartRequest, info: ConnectorStateInfo) -> RestartPlan:
    """By the states that the whole cluster knows, so that all workers come to the same plan."""
    replace = msgspec.structs.replace
    units = {UnitId(info.name)} if request.concerns_connector(info.connector.state) else set[UnitId]()
    units |= {UnitId(info.name, task.id) for task in info.tasks if request.concerns_task(task.state)}
    connector, tasks = info.connector, info.tasks
    if UnitId(info.name) in units:
        connector = replace(connector, state=State.RESTARTING)
    tasks = [
        replace(task, state=State.RESTARTING) if UnitId(info.name, task.id) in units else task for task in info.tasks
    ]
    return RestartPlan(frozenset(units), replace(info, connector=connector, tasks=tasks))


def more_important(one: RestartRequest | None, other: RestartRequest) -> RestartRequest:
    """Of two requests for one connector, the one that restarts more."""
    return other if one is None or other.impact > one.impact else one
