"""Who runs what: the leader's decision of one round, as a pure function of what the members say and what it remembers.

Follows Kafka's `IncrementalCooperativeAssignor` (KIP-415, with the backoff between revocations of KAFKA-12495 and the
revocations of KAFKA-13764) and `EagerAssignor`. Like them it balances connectors among themselves and tasks among
themselves. It differs where a connector or task would stop or wait without need:

- What a worker ran that is back under the same URL, with nothing running, is given back to it at once. Java lets it wait
  until `scheduled.rebalance.max.delay.ms` are over.
- Of several members that run the same, all but one are told to stop. Java stops all of them.
- What a departed worker ran goes to the members with the least to do. Java gives it to those that came during the
  delay, however much that is, and moves it on afterwards.
- What is not configured any more is revoked also by a leader that has just become one.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from itertools import cycle
from typing import Final

import msgspec

from supervisor.units.lifecycle import UnitId

_BACKOFF_FACTOR: Final = 40


class Claim(msgspec.Struct, frozen=True):
    """What a member says when it joins: its URL, by which it is known again, and what it runs."""

    url: str
    units: tuple[UnitId, ...] = ()


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What the leader remembers of the last round that was completed, if it has decided that itself.

    `owners` are the URLs of the workers that run everything, the departed ones included as long as their return is
    waited for. Times are milliseconds on the clock of the rounds, None if there is nothing to wait for.
    """

    owners: Mapping[UnitId, str] = {}
    return_until_ms: int | None = None
    revoke_after_ms: int | None = None
    revoked: bool = False
    revoking_rounds: int = 0


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided, by member: what it starts, and what it stops first. `owners` are the members that run everything
    when the round is over; `delay_ms` is when all are to join again, 0 for never."""

    started: Mapping[str, tuple[UnitId, ...]]
    revoked: Mapping[str, tuple[UnitId, ...]]
    owners: Mapping[UnitId, str]
    delay_ms: int = 0


def assign_eagerly(members: Iterable[str], units: Collection[UnitId]) -> Round:
    """Everything is handed out anew, in turn: first the connectors, then the tasks. Nobody may run anything by then."""
    order = cycle(sorted(members))
    started: dict[str, list[UnitId]] = {member: [] for member in members}
    for unit in _in_order(units):
        started[next(order)].append(unit)
    owners = {unit: member for member, given in started.items() for unit in given}
    return Round(started={member: tuple(given) for member, given in started.items()}, revoked={}, owners=owners)


def assign(
    claims: Mapping[str, Claim],
    units: Collection[UnitId],
    history: History,
    *,
    now_ms: int,
    max_delay_ms: int,
) -> tuple[Round, History]:
    """Decide one round, and what to remember of it. `claims` are by member, `units` all that is configured."""
    return _Decision(claims, units, history, now_ms, max_delay_ms).decide()


def spread(units: Iterable[UnitId], loads: Mapping[str, tuple[int, int]]) -> Iterator[tuple[UnitId, str]]:
    """Who gets each of these units, which are of one kind. `loads` are how many of that kind a member runs, and how many in all:
    among members that have as many of it, the one that runs less in all comes first."""
    heap = [(*load, member) for member, load in loads.items()]
    heapq.heapify(heap)
    for unit in units:
        count, total, member = heap[0]
        heapq.heapreplace(heap, (count + 1, total + 1, member))
        yield unit, member


class _Decision:
    """One round in the making: `loads` is who runs what when it is over."""

    def __init__(
        self,
        claims: Mapping[str, Claim],
        units: Collection[UnitId],
        history: History,
        now_ms: int,
        max_delay_ms: int,
    ) -> None:
        self._claims = claims
        self._configured = frozenset(units)
        self._history = history
        self._remembered = history.owners
        self._now_ms = now_ms
        self._max_delay_ms = max_delay_ms
        self._members = {claim.url: member for member, claim in claims.items()}
        self._active = {unit for claim in claims.values() for unit in claim.units}
        self._loads = self._kept()

    def decide(self) -> tuple[Round, History]:
        """The round, and what to remember of it."""
        gone = {unit for unit in self._configured - self._active if self._has_gone(unit)}
        return_until_ms = self._wait_for_return(gone)
        waiting = set() if return_until_ms is None else gone
        balance = History() if waiting else self._balance()
        self._hand_out(self._configured - self._active - waiting, within_shares=not waiting)
        owners = {unit: member for member, load in self._loads.items() for unit in load}
        due_ms = [time_ms for time_ms in (return_until_ms, balance.revoke_after_ms) if time_ms is not None]
        decided = Round(
            started={
                member: _in_order(load.difference(self._claims[member].units)) for member, load in self._loads.items()
            },
            revoked={
                member: _in_order(set(claim.units) - self._loads[member]) for member, claim in self._claims.items()
            },
            owners=owners,
            delay_ms=min(due_ms, default=self._now_ms) - self._now_ms,
        )
        urls = {unit: self._claims[member].url for unit, member in owners.items()}
        urls |= {unit: self._remembered[unit] for unit in waiting}
        return decided, msgspec.structs.replace(balance, owners=urls, return_until_ms=return_until_ms)

    def _kept(self) -> dict[str, set[UnitId]]:
        """What each member goes on with: what is configured, and of what several run the part of one."""
        claimants: dict[UnitId, list[str]] = {}
        for member, claim in self._claims.items():
            for unit in self._configured.intersection(claim.units):
                claimants.setdefault(unit, []).append(member)
        loads: dict[str, set[UnitId]] = {member: set() for member in self._claims}
        for unit, members in claimants.items():
            loads[min(members, key=lambda member: self._claim_to(unit, member))].add(unit)
        return loads

    def _claim_to(self, unit: UnitId, member: str) -> tuple[bool, int, str]:
        """The less, the better: who was given it goes before one that comes back late, and who has less to do."""
        claim = self._claims[member]
        return claim.url != self._remembered.get(unit), len(claim.units), member

    def _has_gone(self, unit: UnitId) -> bool:
        return unit in self._remembered and self._remembered[unit] not in self._members

    def _wait_for_return(self, gone: Set[UnitId]) -> int | None:
        """Until when departed workers are waited for; None if there are none, or they have had their time."""
        if not gone or self._max_delay_ms == 0:
            return None
        until_ms = self._history.return_until_ms
        if until_ms is None:
            return self._now_ms + self._max_delay_ms
        return until_ms if self._now_ms < until_ms else None

    def _balance(self) -> History:
        """Take from those that run too much, but not in round after round; returns what to remember of that."""
        surplus = self._surplus()
        if not surplus:
            return History()
        rounds, after_ms = self._history.revoking_rounds, self._history.revoke_after_ms
        if after_ms is None and self._history.revoked and self._max_delay_ms > 0:
            rounds += 1
            after_ms = self._now_ms + min(_BACKOFF_FACTOR**rounds, self._max_delay_ms)
        if after_ms is not None and self._now_ms < after_ms:
            return History(revoke_after_ms=after_ms, revoking_rounds=rounds)
        for load in self._loads.values():
            load -= surplus
        return History(revoked=True, revoking_rounds=rounds)

    def _surplus(self) -> set[UnitId]:
        """The fewest that have to be taken so that nobody runs more than its share."""
        found: set[UnitId] = set()
        for tasks in (False, True):
            low, extra = self._share(tasks)
            for load in sorted((_of_kind(load, tasks) for load in self._loads.values()), key=len, reverse=True):
                if len(load) <= low:
                    break
                found.update(load[low + 1 if extra > 0 else low :])
                extra -= 1
        return found

    def _share(self, tasks: bool) -> tuple[int, int]:
        """How many connectors, or tasks, each member is to run at least, and how many members one more."""
        return divmod(len(_of_kind(self._configured, tasks)), len(self._loads))

    def _hand_out(self, units: Set[UnitId], *, within_shares: bool) -> None:
        """To whom had it before, if that is back; everything else to those with the least to do."""
        for tasks in (False, True):
            low, extra = self._share(tasks)
            counts = {member: len(_of_kind(load, tasks)) for member, load in self._loads.items()}
            extra -= sum(count > low for count in counts.values())
            others = []
            for unit in _of_kind(units, tasks):
                member = self._members.get(self._remembered.get(unit, ""))
                if member is None or (within_shares and counts[member] >= low + (extra > 0)):
                    others.append(unit)
                    continue
                extra -= counts[member] == low
                counts[member] += 1
                self._loads[member].add(unit)
            self._spread(others, counts)

    def _spread(self, units: Iterable[UnitId], counts: Mapping[str, int]) -> None:
        """`counts` are of the units' kind."""
        loads = {member: (count, len(self._loads[member])) for member, count in counts.items()}
        for unit, member in spread(units, loads):
            self._loads[member].add(unit)


def _of_kind(units: Iterable[UnitId], tasks: bool) -> list[UnitId]:
    """The tasks, or the connectors, in order."""
    return sorted(unit for unit in units if (unit.task is not None) is tasks)


def _in_order(units: Iterable[UnitId]) -> tuple[UnitId, ...]:
    """Connectors come first, as in the protocol."""
    return tuple(sorted(units, key=lambda unit: (unit.task is not None, unit.connector, unit.task or 0)))
