"""What the leader hands out between two rounds of the group: new connectors, and new tasks, need none.

Ours beyond Kafka's protocol. Where the group is at rest and all its members are connectd's, the leader says beside the record
that makes a connector, or its tasks, who is to run them (a header, which Java's workers do not read). Who reads that record
in the round of which it speaks takes what is its own, and claims it from the next round on like everything else that it
runs. Whatever goes wrong ends in a round: what nobody claims then is new, and is assigned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from supervisor.group.assignor import spread
from supervisor.units.lifecycle import UnitId

# Stands among the numbers of tasks for the connector itself, as in the protocol of the rounds.
_CONNECTOR: Final = -1


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The URLs of the workers that are to run connectors and tasks. It is good in one round: that of `generation`, which the
    member `leader` has decided."""

    leader: str
    generation: int
    owners: Mapping[UnitId, str]


class _Wire(msgspec.Struct, frozen=True):
    """What is written of a grant: the numbers of tasks by worker."""

    leader: str
    generation: int
    connector: str
    numbers: dict[str, list[int]]


def encode_grant(grant: Grant) -> bytes:
    """All that is granted is of one connector."""
    numbers: dict[str, list[int]] = {}
    for unit, url in grant.owners.items():
        numbers.setdefault(url, []).append(_CONNECTOR if unit.task is None else unit.task)
    connector = next(iter(grant.owners)).connector
    return msgspec.json.encode(_Wire(grant.leader, grant.generation, connector, numbers))


def decode_grant(data: bytes) -> Grant:
    """Raises ValueError."""
    wire = msgspec.json.decode(data, type=_Wire)
    owners = {
        UnitId(wire.connector, None if number == _CONNECTOR else number): url
        for url, numbers in wire.numbers.items()
        for number in numbers
    }
    return Grant(leader=wire.leader, generation=wire.generation, owners=owners)


def hand_out(units: Iterable[UnitId], owners: Mapping[UnitId, str], workers: Iterable[str]) -> dict[UnitId, str]:
    """Who is to run these connectors, or these tasks, that nobody runs: those with the least to do. `owners` run the rest."""
    new = list(units)
    tasks = any(unit.task is not None for unit in new)
    totals = Counter(owners.values())
    counts = Counter(url for unit, url in owners.items() if (unit.task is not None) is tasks)
    return dict(spread(new, {url: (counts[url], totals[url]) for url in workers}))


def worker_id_of(url: str) -> str:
    """How the worker with this REST API calls itself in states."""
    return url.partition("://")[2].rstrip("/")


class Grants:
    """What was granted in one round, by what the config topic and states say: every member keeps it, for each may be started
    again, or become the leader.

    Told of on the event loop; may be asked in any thread, for what is asked for is replaced as a whole.
    """

    def __init__(self) -> None:
        self._last: Grant | None = None
        self._taken: Mapping[UnitId, str] = {}

    def add(self, grant: Grant) -> None:
        """One that was read."""
        last = self._last
        if last is None or (last.leader, last.generation) != (grant.leader, grant.generation):
            self._last, self._taken = grant, {}
        else:
            self._last = msgspec.structs.replace(grant, owners={**last.owners, **grant.owners})

    def took(self, unit: UnitId, worker_id: str) -> None:
        """A worker says that it runs it."""
        url = None if self._last is None or unit in self._taken else self._last.owners.get(unit)
        if url is not None and worker_id_of(url) == worker_id:
            self._taken = {**self._taken, unit: url}

    def owners(self, leader: str | None, generation: int) -> Mapping[UnitId, str]:
        """Of all that was granted in a round."""
        last = self._last
        return last.owners if last is not None and (last.leader, last.generation) == (leader, generation) else {}

    def taken(self, leader: str | None, generation: int) -> Mapping[UnitId, str]:
        """Of what their workers have said to run, of all that was granted in a round."""
        return self._taken if self.owners(leader, generation) else {}
