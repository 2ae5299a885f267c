"""What a group knows of a static member that was restarted: the member itself has forgotten what it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from kafka import errors as kafka_errors
from kafka.protocol.admin import DescribeGroupsRequest

from supervisor.group.assignment import WorkerState
from supervisor.group.standing import merged
from supervisor.group.wire import decode_assignment, decode_state

_STABLE = "Stable"


class Recollection(msgspec.Struct, frozen=True, kw_only=True):
    """`own` is the state of the restarted member, its assignment being all that it runs; `others` that of the others, by
    member."""

    own: WorkerState
    others: Mapping[str, WorkerState]


async def recollect(manager: Any, coordinator: Any, group_id: str, instance_id: str) -> Recollection | None:
    """Ask the coordinator; None unless the group is stable and this member in it. Raises kafka-python's errors.

    What each member runs is what it said when it joined the last round, and what it was given in that round: while a round
    is going on, the coordinator does not tell.
    """
    response = await manager.send(DescribeGroupsRequest(groups=[group_id]), node_id=coordinator)
    group = response.groups[0]
    error = kafka_errors.for_code(group.error_code)
    if error not in (kafka_errors.NoError, kafka_errors.GroupIdNotFoundError):
        raise error(group_id)
    if group.group_state != _STABLE:
        return None
    own, others = None, {}
    for member in group.members:
        state = _state(member.member_metadata, member.member_assignment)
        if member.group_instance_id == instance_id:
            own = state
        else:
            others[member.member_id] = state
    return None if own is None else Recollection(own=own, others=others)


def _state(metadata: bytes, assignment: bytes) -> WorkerState:
    state = decode_state(metadata)
    runs = merged(state.assignment, decode_assignment(assignment))
    return msgspec.structs.replace(
        state, assignment=msgspec.structs.replace(runs, revoked_connectors=(), revoked_tasks=())
    )
