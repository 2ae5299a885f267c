"""Where a worker stands in its group, and what it runs after a round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from supervisor.group.assignment import EAGER, SESSIONED, Assignment
from supervisor.units.lifecycle import UnitId

T = TypeVar("T")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """As of the last round that was completed; replaced as a whole, so that any thread may read it.

    `joined` until the membership ends, `settled` while no new round has begun.
    """

    joined: bool = False
    settled: bool = False
    member_id: str = ""
    generation: int = -1
    protocol_version: int = SESSIONED
    leads: bool = False
    leader_url: str | None = None
    owner_urls: Mapping[UnitId, str] = {}
    worker_urls: tuple[str, ...] = ()


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


def _without(given: Iterable[T], unwanted: Iterable[T]) -> tuple[T, ...]:
    excluded = frozenset(unwanted)
    return tuple(each for each in given if each not in excluded)
