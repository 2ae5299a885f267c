"""What workers tell each other in their group: a worker's state, its assignment, and what is configured at all."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from supervisor.units.lifecycle import UnitId

EAGER: Final = 0
COMPATIBLE: Final = 1
SESSIONED: Final = 2
UNKNOWN_OFFSET: Final = -1


class AssignmentError(enum.IntEnum):
    """Why there is no assignment (`ConnectProtocol.Assignment`)."""

    NO_ERROR = 0
    CONFIG_MISMATCH = 1
    """The leader has not read as much of the config topic as another member: read to its end and join again."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is to run (`ExtendedAssignment`).

    On the wire, and between members of a cooperative group, `connectors` and `tasks` are what comes anew. What a
    `GroupMember` hands to its listener is all that the worker is to run from now on, without what was revoked.
    `delay_ms` is when the members are to join again, 0 for never; `offset` is that of the config topic which the leader
    had read: a worker starts nothing before it has read as far. `topics` are the storage topics of the group, as in
    `WorkerState`.
    """

    version: int = COMPATIBLE
    error: int = AssignmentError.NO_ERROR
    leader: str | None = None
    leader_url: str | None = None
    offset: int = UNKNOWN_OFFSET
    connectors: tuple[str, ...] = ()
    tasks: tuple[UnitId, ...] = ()
    revoked_connectors: tuple[str, ...] = ()
    revoked_tasks: tuple[UnitId, ...] = ()
    delay_ms: int = 0
    topics: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there is no assignment, but an error."""
        return self.error != AssignmentError.NO_ERROR


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of itself when it joins (`ExtendedWorkerState`): its REST URL, how far it has read the config
    topic, and what it runs. `topics` are its storage topics (`supervisor.group.storage_topics`); Java's workers do not say."""

    url: str
    offset: int
    assignment: Assignment = Assignment()
    topics: tuple[str, ...] = ()


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to assign: the tasks of each connector, by the connector's name, as of an offset of the config topic.

    A connector whose tasks are not known for certain (a half-written set) has none.
    """

    offset: int = UNKNOWN_OFFSET
    tasks: Mapping[str, Sequence[UnitId]] = {}
