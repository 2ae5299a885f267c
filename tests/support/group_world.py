"""A group of simulated workers, for what a leader decides: histories of joins, crashes, returns, changes and failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

import msgspec

from supervisor.group.assignment import Assignment, Configured, WorkerState
from supervisor.group.grants import hand_out
from supervisor.group.leader import Leader, all_units, units_of
from supervisor.group.protocol import ConnectProtocol
from supervisor.units.lifecycle import UnitId

MAX_DELAY_MS: Final = 60_000
# More rounds than that without a change from outside are a storm.
STORM: Final = 12


class Decided(msgspec.Struct, frozen=True):
    """What a leader tells its members, by member."""

    started: Mapping[str, Sequence[UnitId]]
    revoked: Mapping[str, Sequence[UnitId]]
    delay_ms: int


class LeaderUnderTest(Protocol):
    """One process that may lead."""

    def decide(
        self, states: Mapping[str, WorkerState], configured: Configured, last: int, generation: int, now_ms: int
    ) -> Decided: ...

    def resume(self, generation: int, states: Sequence[WorkerState]) -> None: ...


class OurLeader:
    """The leader that is shipped."""

    def __init__(self, max_delay_ms: int = MAX_DELAY_MS) -> None:
        self._now_ms = 0
        self._leader = Leader(max_delay_ms, lambda: self._now_ms)
        self._granted_in = -1
        self._promised: dict[UnitId, str] = {}
        self._taken: dict[UnitId, str] = {}

    def decide(
        self, states: Mapping[str, WorkerState], configured: Configured, last: int, generation: int, now_ms: int
    ) -> Decided:
        self._now_ms = now_ms
        given = self._leader.decide(
            min(states),
            ConnectProtocol.SESSIONED,
            states,
            configured,
            last_generation=last,
            generation=generation,
            granted=self._taken if last == self._granted_in else {},
        )
        return Decided(
            {member: units_of(each.connectors, each.tasks) for member, each in given.items()},
            {member: units_of(each.revoked_connectors, each.revoked_tasks) for member, each in given.items()},
            max(each.delay_ms for each in given.values()),
        )

    def resume(self, generation: int, states: Sequence[WorkerState]) -> None:
        self._leader.resume(generation, states)

    def grant(self, units: Sequence[UnitId], generation: int) -> Mapping[UnitId, str]:
        """The URLs of those that are to run what is new; nothing if that takes a round. The last one was this generation."""
        if not self._leader.may_grant:
            return {}
        if generation != self._granted_in:
            self._granted_in, self._promised, self._taken = generation, {}, {}
        owners = {**self._leader.owner_urls, **self._promised}
        new = hand_out(units, owners, self._leader.worker_urls)
        self._promised |= new
        return new

    def took(self, unit: UnitId, url: str) -> None:
        """Somebody runs what was granted."""
        self._taken[unit] = url


@dataclass
class Worker:
    """One process: its member id, its URL, what it runs, and what it would do as the leader."""

    member: str
    url: str
    leader: LeaderUnderTest
    runs: set[UnitId] = field(default_factory=set)
    generation: int = -1


class World:
    """`moves` counts what was stopped although it is configured and its worker lives; `rounds` those with a decision, `granted`
    the connectors that took none."""

    def __init__(self, new_leader: Callable[[], LeaderUnderTest]) -> None:
        self._new_leader = new_leader
        self._members = 0
        self._urls = 0
        self._names = 0
        self.now_ms = 1_000_000
        self.generation = 0
        self.connectors: dict[str, int] = {}
        self.workers: list[Worker] = []
        self.departed: list[str] = []
        self.zombies: list[Worker] = []
        self.leader: Worker | None = None
        self.due_ms: int | None = None
        self.moves = 0
        self.rounds = 0
        self.granted = 0
        self.missing_ms = 0

    # --- what happens -------------------------------------------------------------------------------------------------

    def join(self, url: str | None = None, runs: set[UnitId] | None = None) -> None:
        """A worker joins; without a URL a new one."""
        if url is None:
            self._urls += 1
            url = f"http://worker-{self._urls}"
        self._members += 1
        self.workers.append(Worker(f"member-{self._members:03}", url, self._new_leader(), runs or set()))
        self.rebalance()

    def crash(self, which: int) -> None:
        """A worker is gone for good, or until it comes back."""
        if len(self.workers) > 1:
            worker = self.workers.pop(which % len(self.workers))
            self.departed.append(worker.url)
            self.rebalance()

    def back(self, which: int) -> None:
        """A departed worker was started again, with the same URL."""
        if self.departed:
            self.join(self.departed.pop(which % len(self.departed)))

    def restart(self, which: int) -> None:
        """A worker is gone and back before anybody has noticed."""
        worker = self.workers.pop(which % len(self.workers))
        self.join(worker.url)

    def restart_static(self, which: int) -> None:
        """A static member is gone and back within its session: no round."""
        worker = self.workers[which % len(self.workers)]
        self._members += 1
        worker.member, worker.leader = f"member-{self._members:03}", self._new_leader()
        if worker is self.leader:
            worker.leader.resume(self.generation, list(self._states().values()))

    def suspend(self, which: int) -> None:
        """A worker stands still until its session is over; what it runs goes on when it does."""
        if len(self.workers) > 1:
            worker = self.workers.pop(which % len(self.workers))
            self.zombies.append(worker)
            self.rebalance()

    def wake(self, which: int) -> None:
        """Such a worker is back, and says that it runs what it ran."""
        if self.zombies:
            worker = self.zombies.pop(which % len(self.zombies))
            self.join(worker.url, worker.runs)

    def add(self, tasks: int) -> None:
        """A connector is created."""
        self._names += 1
        self.connectors[f"connector-{self._names:03}"] = tasks
        self.rebalance()

    def grant(self, tasks: int, deaf: int) -> None:
        """A connector is created, and handed out without a round where that is possible; one worker may hear nothing of it."""
        leader = self.leader.leader if self.leader in self.workers and self.leader is not None else None
        if not isinstance(leader, OurLeader):
            self.add(tasks)
            return
        self._names += 1
        name = f"connector-{self._names:03}"
        self.connectors[name] = tasks
        workers = {worker.url: number for number, worker in enumerate(self.workers)}
        before, complete = set(self.running), True
        for units in ([UnitId(name)], [UnitId(name, number) for number in range(tasks)]):
            granted = leader.grant(units, self.generation)
            complete &= granted.keys() == set(units)
            for unit, url in granted.items():
                assert unit not in before, "what one worker runs is granted to another"
                if workers[url] == deaf:
                    complete = False
                else:
                    self.workers[workers[url]].runs.add(unit)
                    leader.took(unit, url)
        if complete:
            self.granted += 1
        else:
            self.rebalance()

    def delete(self, which: int) -> None:
        """A connector is deleted."""
        if self.connectors:
            del self.connectors[sorted(self.connectors)[which % len(self.connectors)]]
            self.rebalance()

    def resize(self, which: int, tasks: int) -> None:
        """A connector gets another number of tasks."""
        if self.connectors:
            self.connectors[sorted(self.connectors)[which % len(self.connectors)]] = tasks
            self.rebalance()

    def miss(self, which: int) -> None:
        """A round whose outcome one member never hears of."""
        self._round(deaf=which % len(self.workers))
        self.rebalance()

    def fail(self) -> None:
        """A round that the leader decides, and nobody hears of."""
        self._round(deaf=None, failed=True)
        self.rebalance()

    def wait(self, ms: int) -> None:
        """Time passes; rounds that are due are held."""
        until_ms = self.now_ms + ms
        while self.due_ms is not None and self.due_ms <= until_ms:
            self._pass_to(self.due_ms)
            self.rebalance()
        self._pass_to(until_ms)

    def rebalance(self) -> int:
        """A round, and those that it asks for at once; returns how many."""
        rounds = 1
        while self._round():
            rounds += 1
            assert rounds <= STORM, "rounds without an end"
        return rounds

    def settle(self) -> None:
        """Let all delays pass."""
        self.rebalance()
        waits = 0
        while self.due_ms is not None:
            waits += 1
            assert waits <= STORM, "delays without an end"
            self.wait(self.due_ms - self.now_ms)

    # --- what is to be seen -------------------------------------------------------------------------------------------

    @property
    def configured(self) -> Configured:
        """All connectors and their tasks."""
        return Configured(
            offset=0,
            tasks={name: [UnitId(name, number) for number in range(count)] for name, count in self.connectors.items()},
        )

    @property
    def running(self) -> Counter[UnitId]:
        """How often each runs."""
        return Counter(unit for worker in self.workers for unit in worker.runs)

    def spread(self, tasks: bool) -> int:
        """How many connectors, or tasks, the busiest worker runs more than the idlest."""
        counts = [sum((unit.task is not None) is tasks for unit in worker.runs) for worker in self.workers]
        return max(counts) - min(counts)

    def check(self) -> None:
        """That all is well when nothing is pending."""
        assert self.running == Counter(all_units(self.configured)), "not everything runs once"
        assert self.spread(tasks=False) <= 1
        assert self.spread(tasks=True) <= 1

    # --- a round ------------------------------------------------------------------------------------------------------

    def _round(self, deaf: int | None = None, failed: bool = False) -> bool:
        """Whether the members join again at once."""
        if self.leader not in self.workers:
            self.leader = self.workers[0]
        assert self.leader is not None
        self.generation += 1
        self.rounds += 1
        decided = self.leader.leader.decide(
            self._states(), self.configured, self.leader.generation, self.generation, self.now_ms
        )
        if failed:
            return False
        before = {unit for worker in self.workers for unit in worker.runs}
        units = set(all_units(self.configured))
        revoked = False
        for number, worker in enumerate(self.workers):
            if number == deaf:
                continue
            revoked |= self._apply(worker, decided, before, units)
        self.due_ms = self.now_ms + decided.delay_ms if decided.delay_ms > 0 else None
        return revoked

    def _apply(self, worker: Worker, decided: Decided, before: set[UnitId], units: set[UnitId]) -> bool:
        started = set(decided.started.get(worker.member, ()))
        revoked = set(decided.revoked.get(worker.member, ()))
        assert not started & before, "what one worker runs is started by another"
        assert started <= units, "what is not configured is started"
        self.moves += len(revoked & worker.runs & units)
        worker.runs = (worker.runs - revoked) | started
        worker.generation = self.generation
        return bool(revoked)

    def _states(self) -> dict[str, WorkerState]:
        return {
            worker.member: WorkerState(
                url=worker.url,
                offset=0,
                topics=("configs", "offsets", "statuses"),
                assignment=Assignment(
                    connectors=tuple(sorted(unit.connector for unit in worker.runs if unit.task is None)),
                    tasks=tuple(sorted(unit for unit in worker.runs if unit.task is not None)),
                ),
            )
            for worker in self.workers
        }

    def _pass_to(self, ms: int) -> None:
        units = len(all_units(self.configured))
        self.missing_ms += (units - len(self.running)) * (ms - self.now_ms)
        self.now_ms = ms


# A call of a method of World with its arguments.
Event = tuple[str, tuple[int, ...]]

_WHICH: Final = tuple(range(8))
_TASKS: Final = (0, 1, 1, 2, 3, 5, 10, 20)
# What may happen: how likely it is, and what its arguments may be.
EVENTS: Final[Mapping[str, tuple[int, tuple[tuple[int, ...], ...]]]] = {
    "join": (6, ()),
    "crash": (5, (_WHICH,)),
    "back": (4, (_WHICH,)),
    "restart": (2, (_WHICH,)),
    "restart_static": (2, (_WHICH,)),
    "suspend": (2, (_WHICH,)),
    "wake": (2, (_WHICH,)),
    "add": (5, (_TASKS,)),
    "grant": (5, (_TASKS, range(16))),
    "delete": (2, (_WHICH,)),
    "resize": (3, (_WHICH, _TASKS)),
    "miss": (2, (_WHICH,)),
    "fail": (1, ()),
    "rebalance": (1, ()),
    "wait": (6, ((10, 100, 1_000, MAX_DELAY_MS // 2, MAX_DELAY_MS),)),
}


def random_events(random: Random, *, but: Collection[str] = ()) -> list[Event]:
    """A history of 3 to 25 events, without those named."""
    names = [name for name in EVENTS if name not in but]
    chosen = random.choices(names, [EVENTS[name][0] for name in names], k=random.randint(3, 25))
    return [(name, tuple(map(random.choice, EVENTS[name][1]))) for name in chosen]


def happen(world: World, event: Event) -> None:
    """Let an event happen."""
    name, arguments = event
    getattr(world, name)(*arguments)


def lived(events: Sequence[Event], new_leader: Callable[[], LeaderUnderTest]) -> World:
    """A world that has seen these events, beginning with one worker and two connectors; not yet settled."""
    world = World(new_leader)
    world.join()
    for tasks in (2, 3):
        world.add(tasks)
    for event in events:
        happen(world, event)
    return world


def settled_copy(world: World, new_leader: Callable[[], LeaderUnderTest]) -> World:
    """The same world with other leaders, all counts at zero, after a round in which they see what there is."""
    copy = World(new_leader)
    copy._members, copy._urls, copy._names = world._members, world._urls, world._names
    copy.now_ms, copy.generation = world.now_ms, world.generation
    copy.connectors, copy.departed = dict(world.connectors), list(world.departed)
    copy.workers = [Worker(each.member, each.url, new_leader(), set(each.runs)) for each in world.workers]
    copy.zombies = [Worker(each.member, each.url, new_leader(), set(each.runs)) for each in world.zombies]
    copy.settle()
    copy.moves = copy.rounds = copy.missing_ms = 0
    return copy
