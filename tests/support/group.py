"""Members of a group on a real Kafka that note what they would run, in this process or in others of their own."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from connectd.errors import ConnectException
from supervisor.group import Assignment, Configured, GroupMember, GroupSettings
from supervisor.group.leader import all_units, units_of
from supervisor.units.lifecycle import UnitId
from tasks.deadline import boottime
from tasks.settings import DistributedConfig
from tests.support.processes import until

# A heartbeat so often makes rounds quick.
QUICK = {"session.timeout.ms": "10000", "heartbeat.interval.ms": "200", "scheduled.rebalance.max.delay.ms": "0"}
WAIT_S = 120.0


def connectors(**tasks: int) -> Configured:
    """Connectors with so many tasks each."""
    return Configured(offset=1, tasks={name: [UnitId(name, n) for n in range(count)] for name, count in tasks.items()})


FOUR = connectors(a=3, b=3, c=3, d=3)


def group_settings(client: Mapping[str, str], group: str, name: str, **more: str) -> GroupSettings:
    """The settings of a worker; `client` has Java's names, `more` underscores for their dots."""
    storage = {f"{kind}.storage.topic": f"{group}-{kind}" for kind in ("config", "offset", "status")}
    own = {key.replace("_", "."): value for key, value in more.items()}
    file = {"group.id": group, "client.id": name, "key.converter": "K", "value.converter": "V"}
    return GroupSettings.of(DistributedConfig({**client, **file, **storage, **QUICK, **own}), f"http://{name}:8083/")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker was told: `kind` is the listener's method without `on_`; `at` is by `boottime`."""

    worker: str
    at: float
    kind: str
    units: tuple[UnitId, ...] = ()
    generation: int = -1
    error: int = 0
    delay_ms: int = 0
    leads: bool = False
    settled: bool = False
    protocol: int = -1
    session_until: float = 0.0
    text: str = ""


class Ledger:
    """All events of a test, from all its workers. What a worker runs ends with its session at the latest, as tasks do that
    hear nothing of their supervisor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: list[Event] = []

    def note(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)

    def of(self, worker: str, *kinds: str) -> list[Event]:
        """A worker's events."""
        with self._lock:
            return [event for event in self.events if event.worker == worker and (not kinds or event.kind in kinds)]

    def count(self) -> int:
        """How many there are."""
        return len(self.events)

    def running(self, worker: str) -> frozenset[UnitId]:
        """What a worker runs now."""
        found: frozenset[UnitId] = frozenset()
        for event in self.of(worker):
            found = _after(event, found)
        return found

    def runs_once(self, workers: Iterable[str], configured: Configured, *, balanced: bool = True) -> bool:
        """Whether everything runs, once, and on these workers alone; and none has more than one more than another."""
        loads = [self.running(worker) for worker in workers]
        once = Counter(unit for load in loads for unit in load) == Counter(all_units(configured))
        return once and (not balanced or all(_spread(loads, tasks) <= 1 for tasks in (False, True)))

    def check_nothing_ran_twice(self) -> None:
        """At no time anything was run by two workers."""
        for unit, spans in self._spans().items():
            ordered = sorted(spans)
            for (_, end, first), (start, _, second) in itertools.pairwise(ordered):
                assert end <= start, f"{unit} ran on {first} until {end:.3f} and on {second} from {start:.3f}"

    def _spans(self) -> dict[UnitId, list[tuple[float, float, str]]]:
        found: dict[UnitId, list[tuple[float, float, str]]] = defaultdict(list)
        for worker in {event.worker for event in self.events}:
            runs: frozenset[UnitId] = frozenset()
            since: dict[UnitId, float] = {}
            until = 0.0
            for event in self.of(worker):
                after = _after(event, runs)
                end = min(event.at, until) if event.kind in ("lost", "poll_timeout", "failed") else event.at
                for unit in runs - after:
                    found[unit].append((since.pop(unit), max(since.get(unit, 0.0), end), worker))
                since |= dict.fromkeys(after - runs, event.at)
                runs, until = after, max(until, event.session_until)
            for unit in runs:
                found[unit].append((since[unit], float("inf"), worker))
        return found


def _after(event: Event, runs: frozenset[UnitId]) -> frozenset[UnitId]:
    if event.kind == "assigned":
        return frozenset(event.units)
    if event.kind == "granted":
        return runs | frozenset(event.units)
    if event.kind == "revoked":
        return runs - frozenset(event.units)
    if event.kind in ("lost", "poll_timeout", "failed", "ended"):
        return frozenset()
    return runs


def _spread(loads: Sequence[frozenset[UnitId]], tasks: bool) -> int:
    counts = [sum((unit.task is not None) is tasks for unit in load) for load in loads]
    return max(counts) - min(counts)


class LocalWorker:
    """A member on this event loop. `on_revoked` can be made to take long."""

    def __init__(self, ledger: Ledger, settings: GroupSettings, configured: Configured = FOUR) -> None:
        self.name = settings.client_id
        self.configured = configured
        self.revocations_may_end = asyncio.Event()
        self.revocations_may_end.set()
        self._ledger = ledger
        self.member = GroupMember(settings, lambda: self.configured, self)

    async def start(self) -> LocalWorker:
        await self.member.start()
        return self

    async def stop(self) -> None:
        """As the herder does: first what runs, then the membership."""
        self._note("ended")
        await self.member.stop()

    @property
    def running(self) -> frozenset[UnitId]:
        return self._ledger.running(self.name)

    def seen(self, *kinds: str) -> list[Event]:
        """What this worker was told."""
        return self._ledger.of(self.name, *kinds)

    async def on_assigned(self, assignment: Assignment, generation: int) -> None:
        self._note("assigned", assignment=assignment, generation=generation)

    async def on_granted(self, units: Sequence[UnitId]) -> None:
        self._note("granted", tuple(units))

    async def on_revoked(self, leader: str | None, connectors: Sequence[str], tasks: Sequence[UnitId]) -> None:
        await self.revocations_may_end.wait()
        self._note("revoked", units_of(connectors, tasks))

    async def on_lost(self, reason: str) -> None:
        self._note("lost", text=reason)

    async def on_poll_timeout(self) -> None:
        self._note("poll_timeout")

    async def on_failed(self, error: ConnectException) -> None:
        self._note("failed", text=str(error))

    def note_session(self) -> None:
        """For those that watch from outside."""
        self._note("session")

    def _note(
        self,
        kind: str,
        units: tuple[UnitId, ...] = (),
        assignment: Assignment | None = None,
        generation: int = -1,
        text: str = "",
    ) -> None:
        given = assignment or Assignment()
        self._ledger.note(
            Event(
                worker=self.name,
                at=boottime(),
                kind=kind,
                units=units_of(given.connectors, given.tasks) or units,
                generation=generation,
                error=given.error,
                delay_ms=given.delay_ms,
                leads=self.member.is_leader,
                settled=self.member.is_settled,
                protocol=given.version,
                session_until=self.member.session_until,
                text=text,
            )
        )


async def started(*workers: LocalWorker) -> None:
    """Start workers at the same time."""
    await asyncio.gather(*(worker.start() for worker in workers))


async def settled(
    ledger: Ledger,
    workers: Sequence[LocalWorker | ProcessWorker],
    configured: Configured = FOUR,
    *,
    balanced: bool = True,
) -> None:
    """Wait until everything runs once."""
    names = [worker.name for worker in workers]
    await until(lambda: ledger.runs_once(names, configured, balanced=balanced), f"{names} run everything", WAIT_S)


class ProcessWorker:
    """A member in a process of its own, to be killed or suspended. Its events are those of its `LocalWorker`, and its session
    from time to time."""

    def __init__(self, ledger: Ledger, name: str, client: Mapping[str, str], group: str, **more: str) -> None:
        self.name = name
        self._ledger = ledger
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.group_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._send({"client": dict(client), "group": group, "name": name, "more": more})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def request_rejoin(self) -> None:
        self._send({"rejoin": True})

    def seen(self, *kinds: str) -> list[Event]:
        """What this worker was told."""
        return self._ledger.of(self.name, *kinds)

    def kill(self) -> None:
        """With -9; the end is noted at once."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._ledger.note(Event(worker=self.name, at=boottime(), kind="ended"))

    def suspend(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def resume_and_stop(self) -> None:
        """In order, whatever was done to it; the process says itself that it has ended."""
        if self._process.poll() is None:
            self.resume()
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(WAIT_S)
            finally:
                self._process.kill()
        self._reader.join()

    def _send(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._ledger.note(msgspec.json.decode(line, type=Event))


def new_ledger(note: Callable[[Event], None]) -> Ledger:
    """One that hands on what it is told."""
    ledger = Ledger()
    ledger.note = note  # type: ignore[method-assign]
    return ledger
