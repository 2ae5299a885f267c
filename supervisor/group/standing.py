"""Where a worker stands in its group, and what it runs after a round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from supervisor.group.assignment import EAGER, SESSIONED, Assignment
from supervisor.group.grants import Grant
from supervisor.group.leader import connectors_in, tasks_in
from supervisor.group.session import Session
from supervisor.units.lifecycle import UnitId

T = TypeVar("T")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """As of the last round that was completed; replaced as a whole, so that any thread may read it.

    `joined` until the membership ends, `settled` while no new round has begun. What only the leader knows is empty for others:
    who runs what, which workers there are, and whether it may grant without a round what comes anew.
    """

    joined: bool = False
    settled: bool = False
    member_id: str = ""
    generation: int = -1
    protocol_version: int = SESSIONED
    leads: bool = False
    leader: str | None = None
    leader_url: str | None = None
    owner_urls: Mapping[UnitId, str] = {}
    worker_urls: tuple[str, ...] = ()
    may_grant: bool = False


def holds(grant: Grant, standing: Standing, session: Session) -> bool:
    """Whether a grant is good for a worker that stands so: not if it is of another round, or a new one has begun, or the group
    may have gone on without this worker."""
    is_member = standing.joined and standing.settled and not session.is_over
    return is_member and (grant.leader, grant.generation) == (standing.leader, standing.generation)


def merged(before: Assignment | None, given: Assignment) -> Assignment:
    """All that a worker is to run once it has stopped what is revoked.

    With the eager protocol it is what the leader has given; what the worker still runs from before, under another
    protocol, is revoked.
    """
    before = before or Assignment()
    if given.version == EAGER:
        return msgspec.structs.replace(
            given,
            revoked_connectors=_without(before.connectors, given.connectors),
            revoked_tasks=_without(before.tasks, given.tasks),
            topics=(),
        )
    connectors = _without(before.connectors, given.revoked_connectors)
    tasks = _without(before.tasks, given.revoked_tasks)
    return msgspec.structs.replace(
        given,
        connectors=tuple(dict.fromkeys((*connectors, *given.connectors))),
        tasks=tuple(dict.fromkeys((*tasks, *given.tasks))),
        topics=(),
    )


def extended(before: Assignment, units: Iterable[UnitId]) -> Assignment:
    """All that a worker is to run once it was granted some more."""
    more = tuple(units)
    return msgspec.structs.replace(
        before,
        connectors=tuple(dict.fromkeys((*before.connectors, *connectors_in(more)))),
        tasks=tuple(dict.fromkeys((*before.tasks, *tasks_in(more)))),
    )


def _without(given: Iterable[T], unwanted: Iterable[T]) -> tuple[T, ...]:
    excluded = frozenset(unwanted)
    return tuple(each for each in given if each not in excluded)
