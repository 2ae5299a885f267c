"""What the leader of a group does and knows: it decides each round, and can say who runs what."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import structlog
from msgspec.structs import replace

from supervisor.group.assignment import Assignment, AssignmentError, Configured, WorkerState
from supervisor.group.assignor import Claim, History, Round, assign, assign_eagerly
from supervisor.group.protocol import ConnectProtocol
from supervisor.group.storage_topics import agreed_topics, difference, has_topics
from supervisor.units.lifecycle import UnitId

log = structlog.get_logger(__name__)

# The round that was completed last, and the one that is decided now, and may fail.
_REMEMBERED: Final = 2


class Leader:
    """The leader's part of Kafka's `WorkerCoordinator`, kept by every member, for each may become the leader."""

    def __init__(self, max_delay_ms: int, clock_ms: Callable[[], int]) -> None:
        self._max_delay_ms = max_delay_ms
        self._clock_ms = clock_ms
        # By generation: what a failed round has decided is not to be built upon.
        self._histories: OrderedDict[int, History] = OrderedDict()
        self.owner_urls: Mapping[UnitId, str] = {}
        # Of all members, also of those that have nothing to run.
        self.worker_urls: tuple[str, ...] = ()
        # Whether what comes anew can be granted without a round: all is assigned, nothing is to move, all members understand.
        self.may_grant = False

    def decide(
        self,
        leader: str,
        protocol: ConnectProtocol,
        states: Mapping[str, WorkerState],
        configured: Configured,
        *,
        last_generation: int,
        generation: int,
        granted: Mapping[UnitId, str] = MappingProxyType({}),
    ) -> dict[str, Assignment]:
        """The assignment of each member; `last_generation` is that of the last round which this worker completed, `granted` are
        the URLs of those that took something afterwards.

        If a member has read more of the config topic than `configured`, all are told so. Members with other storage topics
        than most have get nothing; if the leader is one of them, nobody does, until another one leads.
        """
        self.worker_urls = tuple(sorted(state.url for state in states.values()))
        self.may_grant = False
        topics = agreed_topics(states, leader)
        strangers = {member: state for member, state in states.items() if not has_topics(state, topics)}
        members = {member: state for member, state in states.items() if member not in strangers}
        offset = max(state.offset for state in members.values())
        base = Assignment(version=protocol.version, leader=leader, leader_url=states[leader].url, topics=topics)
        history = self._histories.get(last_generation, History())
        if granted and self.remembers(last_generation):
            history = replace(history, owners={**history.owners, **granted})
        if leader in strangers or configured.offset < offset:
            if leader not in strangers:
                log.info(
                    f"a member has read the config topic to offset {offset}, this leader to {configured.offset} only"
                )
            self._remember(generation, history)
            return dict.fromkeys(states, replace(base, error=AssignmentError.CONFIG_MISMATCH, offset=offset))
        base = replace(base, offset=configured.offset)
        decided = self._decide(protocol, members, all_units(configured), history, generation)
        self.owner_urls = {unit: states[member].url for unit, member in decided.owners.items()}
        # Java's workers do not say which topics they use.
        understand = protocol is not ConnectProtocol.EAGER and all(state.topics == topics for state in states.values())
        self.may_grant = bool(topics) and understand and not decided.delay_ms and not any(decided.revoked.values())
        given = {member: _assignment(base, decided, member) for member in members}
        return given | {member: _nothing(base, state) for member, state in strangers.items()}

    def _decide(
        self,
        protocol: ConnectProtocol,
        states: Mapping[str, WorkerState],
        units: Collection[UnitId],
        history: History,
        generation: int,
    ) -> Round:
        if protocol is ConnectProtocol.EAGER:
            return assign_eagerly(states, units)
        claims = {member: Claim(state.url, _claimed(state)) for member, state in states.items()}
        decided, history = assign(claims, units, history, now_ms=self._clock_ms(), max_delay_ms=self._max_delay_ms)
        self._remember(generation, history)
        return decided

    def resume(
        self, generation: int, states: Iterable[WorkerState], granted: Mapping[UnitId, str] = MappingProxyType({})
    ) -> None:
        """Lead on where an earlier process of this static member has led: `states` are what the members ran when the round was
        over, `granted` what they were given afterwards."""
        members = list(states)
        owners = {unit: state.url for state in members for unit in _claimed(state)} | dict(granted)
        self._remember(generation, History(owners=owners))
        self.owner_urls = owners
        self.worker_urls = tuple(sorted(state.url for state in members))

    def remembers(self, generation: int) -> bool:
        """Whether this worker has decided that round."""
        return generation in self._histories

    def _remember(self, generation: int, history: History) -> None:
        self._histories[generation] = history
        while len(self._histories) > _REMEMBERED:
            self._histories.popitem(last=False)


def all_units(configured: Configured) -> list[UnitId]:
    """The connectors and their tasks."""
    return [UnitId(connector) for connector in configured.tasks] + [
        task for tasks in configured.tasks.values() for task in tasks
    ]


def units_of(connectors: Iterable[str], tasks: Iterable[UnitId]) -> tuple[UnitId, ...]:
    """Both as one."""
    return (*map(UnitId, connectors), *tasks)


def _claimed(state: WorkerState) -> tuple[UnitId, ...]:
    return units_of(state.assignment.connectors, state.assignment.tasks)


def _assignment(base: Assignment, decided: Round, member: str) -> Assignment:
    started, revoked = decided.started.get(member, ()), decided.revoked.get(member, ())
    return replace(
        base,
        connectors=connectors_in(started),
        tasks=tasks_in(started),
        revoked_connectors=connectors_in(revoked),
        revoked_tasks=tasks_in(revoked),
        delay_ms=decided.delay_ms,
    )


def _nothing(base: Assignment, stranger: WorkerState) -> Assignment:
    log.error(f"the worker {stranger.url} gets nothing to run: its {difference(stranger.topics, base.topics)}")
    claimed = _claimed(stranger)
    return replace(base, revoked_connectors=connectors_in(claimed), revoked_tasks=tasks_in(claimed))


def connectors_in(units: Iterable[UnitId]) -> tuple[str, ...]:
    """The names of the connectors among them."""
    return tuple(unit.connector for unit in units if unit.task is None)


def tasks_in(units: Iterable[UnitId]) -> tuple[UnitId, ...]:
    """The tasks among them."""
    return tuple(unit for unit in units if unit.task is not None)
