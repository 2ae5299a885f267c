"""One connector or task under supervision: a process of its own, started again as the restart policy says."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from supervisor.logs.tails import Tails, UnitLines
from supervisor.metrics.tasks import UnitMetrics
from supervisor.processes.exits import Cause, Exit
from supervisor.processes.pool import ProcessPool, ProcessStartError
from supervisor.processes.process import Child
from supervisor.units.counts import Counts
from supervisor.units.hangs import Beat, Hang, HangLimits, hung
from supervisor.units.lifecycle import Statuses, UnitId
from supervisor.units.preflight import Preflight
from supervisor.units.restarts import Decision, GiveUp, History, Restart, RestartAfter, RestartPolicy, decide
from supervisor.units.topics import ActiveTopics
from tasks.messages import (
    Heartbeat,
    Lease,
    LogSettings,
    Order,
    ReferencesResolved,
    Report,
    SecretsChanged,
    StateChanged,
    Stop,
)
from tasks.settings import Limits
from tasks.states import Call, ExitCode, State

log = structlog.get_logger(__name__)

# What the trace of a process that hangs begins with.
STALLED: Final = "Stalled: "

_FAILURES_KEPT: Final = 50


class Surroundings(msgspec.Struct, kw_only=True):
    """What all connectors and tasks of a worker share."""

    pool: ProcessPool
    statuses: Statuses
    worker_config: dict[str, str]
    log: LogSettings
    # Levels that only the processes of a connector have, by its name.
    connector_levels: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    graceful_stop_s: float
    topics: ActiveTopics = msgspec.field(default_factory=ActiveTopics)
    counts: Counts = msgspec.field(default_factory=Counts)
    metrics: UnitMetrics = msgspec.field(default_factory=UnitMetrics)
    tails: Tails = msgspec.field(default_factory=Tails)
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    # Keys the digests of resolved secrets; known to this worker's processes only, and gone with them.
    salt: bytes = msgspec.field(default_factory=lambda: secrets.token_bytes(32))
    # What processes get at once and then, from whoever gives leases, again and again; None if they need none.
    lease: Callable[[], Lease | None] = lambda: None
    # What sources must pass to start; None where they do not deliver exactly once.
    preflight: Preflight | None = None
    generations: Iterator[int] = msgspec.field(default_factory=lambda: itertools.count(1))

    def log_of(self, connector: str) -> LogSettings:
        """How the processes of a connector log."""
        own = self.connector_levels.get(connector)
        return msgspec.structs.replace(self.log, levels={**self.log.levels, **own}) if own else self.log

    def __post_init__(self) -> None:
        self.metrics.follow(self.statuses, self.clock)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How one connector and its tasks are supervised."""

    restarts: RestartPolicy
    limits: Limits


class _Bell:
    """An `asyncio.Event` for one who waits, at a tenth of its memory: there are two for each task."""

    def __init__(self) -> None:
        self._rung = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        self._rung = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        self._rung = False

    async def wait(self) -> None:
        if self._rung:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class Unit(ABC):
    """What connectors and tasks have in common. At any time there is one process at the most.

    A coroutine lives as long as the unit: it runs one process after the other, and in between waits until a restart is due
    or asked for.
    """

    # Dictionaries of so many attributes would take a megabyte and a half for a thousand tasks.
    __slots__ = (
        "_beat",
        "_child",
        "_decided",
        "_decision",
        "_ending",
        "_failure",
        "_failures",
        "_generation",
        "_history",
        "_killer",
        "_loop",
        "_ordered_to_stop",
        "_python",
        "_rules",
        "_runner",
        "_surroundings",
        "_woken",
        "heartbeat",
        "id",
        "on_secrets_changed",
        "resolved",
        "stalled",
    )

    def __init__(
        self, id: UnitId, surroundings: Surroundings, rules: Rules, after: asyncio.Future[None] | None = None
    ) -> None:
        """The first process starts once `after` is done."""
        self.id = id
        self.heartbeat: Heartbeat | None = None
        # What the configurations of the last process refer to; None if they refer to nothing, or before it is known.
        self.resolved: ReferencesResolved | None = None
        self.on_secrets_changed: Callable[[list[str]], object] = lambda references: None
        self.stalled: Hang | None = None
        self._surroundings = surroundings
        self._rules = rules
        self._child: Child | None = None
        self._python = ""  # the interpreter of the last process
        self._generation = 0
        self._ending = False  # the unit is to go
        self._ordered_to_stop = False  # the process is to go
        self._woken = _Bell()
        self._history = History()
        self._failures: list[str] = []  # those that count, in words
        self._decision: Decision | None = None
        self._failure: StateChanged | None = None  # what the process said it failed with
        self._decided = 0.0
        self._beat: Beat | None = None
        self._killer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        surroundings.tails.set_size(id, rules.limits.log_lines)
        self._change(State.UNASSIGNED)
        self._runner = self._loop.create_task(self._run(after), name=str(id))
        self._runner.add_done_callback(_log_error)

    # --- what the worker calls ----------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Replace the process, or start one. The failures so far are forgotten."""
        self._history = History()
        self._failures.clear()
        self.resolved = None
        self._change(State.RESTARTING)
        self._stop_process()
        self._woken.set()

    def end(self, *, forget: bool) -> asyncio.Future[None]:
        """Stop the process in good order, or kill it after the graceful time; the result is done when it is gone.

        With `forget` the unit is deleted.
        """
        if forget:
            self._change(State.DESTROYED)
            self._surroundings.counts.forget(self.id)
            self._surroundings.tails.forget(self.id)
        self._ending = True
        self._woken.set()
        if self._child is None:
            self._runner.cancel()
        self._stop_process()
        return asyncio.ensure_future(self._ended(forget))

    async def _ended(self, forget: bool) -> None:
        await asyncio.wait([self._runner])
        if not forget:
            self._change(State.UNASSIGNED)
        await self._let_go()

    def send(self, order: Order) -> None:
        """An order to the process, if there is one."""
        if self._child is not None:
            self._child.send(order)

    def supervise_by(self, rules: Rules) -> None:
        """Follow other rules from now on. What the process does itself, such as limiting its rate, its successor does."""
        self._rules = rules
        self._surroundings.tails.set_size(self.id, rules.limits.log_lines)
        if self._child is not None:
            self._child.limit(rules.limits)

    def check(self) -> None:
        """Look whether the process hangs. To be called about once a second."""
        if self._child is None or self._beat is None:
            return
        hang = hung(self._hang_limits, self._beat, self._surroundings.clock())
        if hang is None:
            self._go_on()
        elif self.stalled is None:
            self._stall(hang)

    def _stall(self, hang: Hang) -> None:
        """Mark it, have it say where it hangs, and then, unless the policy is to leave everything alone, kill it."""
        assert self._child is not None
        self.stalled = hang
        self._surroundings.counts.hangs[self.id, hang.call] += 1
        self._child.dump_stacks()
        self._change(self._state, f"{STALLED}{hang}.")
        if self._kills_hung:
            self._child.kill_hung(str(hang))

    def _go_on(self) -> None:
        if self.stalled is not None and not self._kills_hung:
            log.warning(f"{self.id} goes on after it had {self.stalled}", **self._log_fields)
            self.stalled = None
            self._change(self._state)

    # --- what connectors and tasks do differently ---------------------------------------------------------------------

    @abstractmethod
    def _order(self, generation: int) -> Order:
        """What a new process is told to become."""

    @abstractmethod
    def _has_work(self) -> bool:
        """Whether there is to be a process now; otherwise the unit's state is set here."""

    @abstractmethod
    def _on_report(self, report: Report) -> None:
        """A report that only this kind of unit gets."""

    @property
    @abstractmethod
    def _hang_limits(self) -> HangLimits:
        """For how long the process may be in a call."""

    @property
    def _kills_hung(self) -> bool:
        """Without restarts what hangs is left alone, as in Java: it may go on one day."""
        return self._rules.restarts.restart is not Restart.NEVER

    async def _let_go(self) -> None:  # noqa: B027 (most have nothing)
        """The process is gone and none follows by itself: give back what others may be waiting for."""

    def _may_end(self) -> bool:
        """Whether a process that ends well has done all that it was to do."""
        return False

    # --- the life of a unit -------------------------------------------------------------------------------------------

    async def _run(self, after: asyncio.Future[None] | None) -> None:
        if after is not None:
            await asyncio.wait([after])
        while not self._ending:
            self._woken.clear()
            delay_s = await self._run_process() if self._has_work() else None
            if delay_s is None:
                await self._let_go()
            await self._sleep(delay_s)

    async def _sleep(self, delay_s: float | None) -> None:
        """Until the delay has passed, None being for ever, or something is asked for."""
        if delay_s is None:
            await self._woken.wait()
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), delay_s)

    async def _run_process(self) -> float | None:
        """Run one process to its end. Returns after how many seconds there is to be another, None for not by itself."""
        self._decision = self._failure = None
        self._ordered_to_stop = False
        try:
            child = await self._surroundings.pool.take(self._python)
        except ProcessStartError as error:
            self._fail(Cause.LOST, str(error), _first_line(str(error)))
            return self._seconds_to_restart()
        self._woken.clear()  # whatever was asked for until now, the order below heeds it
        if not self._has_work():
            child.kill("there is nothing to do for it any more")
            return None
        self._begin(child)
        exit = await child.exited
        self._python = child.python
        self._child = self.stalled = None
        self._cancel_killer()
        if exit.killed_for is not None:
            log.warning(f"{self.id} was killed: {exit.killed_for}", **self._log_fields, process=child.pid)
        if self._ordered_to_stop:
            return 0.0
        return self._after_exit(exit)

    def _begin(self, child: Child) -> None:
        """Have the child become this unit. What it is told is not kept for as long as it lives."""
        self._generation = next(self._surroundings.generations)
        self._beat = Beat(call=Call.IMPORT, call_s=0.0, received=self._surroundings.clock())
        self._child = child
        self.resolved = None
        child.on_report = self._handle
        order, fields = self._order(self._generation), {**self._log_fields, "worker": self._surroundings.log.worker}
        child.begin(order, fields, UnitLines(self._surroundings.tails, self.id))
        if (lease := self._surroundings.lease()) is not None:
            child.send(lease)

    def _after_exit(self, exit: Exit) -> float | None:
        if self._decision is None:
            if self._failure is not None:
                self._fail_as(self._failure)
            elif exit.code == ExitCode.STOPPED and self._may_end():
                self._change(State.RUNNING)
                return None
            else:
                self._fail(exit.cause, f"The process of {self.id} ended: {exit.account}", str(exit))
        return self._seconds_to_restart()

    def _seconds_to_restart(self) -> float | None:
        if self._decision is None or isinstance(self._decision, GiveUp):
            return None
        return max(0.0, self._decided + self._decision.delay_s - self._surroundings.clock())

    def _fail(self, cause: Cause, trace: str, summary: str) -> None:
        """Decide what happens next, and show it, as soon as the failure is known."""
        self._decided = self._surroundings.clock()
        self._decision, self._history = decide(
            self._rules.restarts, self._history, cause, self._decided, self._surroundings.jitter()
        )
        restarts = isinstance(self._decision, RestartAfter)
        self._surroundings.counts.failures[self.id, cause] += 1
        self._surroundings.counts.restarts[self.id, cause] += restarts
        while len(self._failures) > len(self._history.restarts) - restarts:
            del self._failures[0]  # it does not count any more
        explained = _explained(self._decision, self._failures, trace)
        self._failures.append(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {cause}: {summary}")
        del self._failures[:-_FAILURES_KEPT]
        self._change(State.RESTARTING if restarts else State.FAILED, explained)

    def _fail_as(self, report: StateChanged) -> None:
        trace = report.trace or ""
        self._fail(Cause.CONFIG if report.config_error else Cause.EXCEPTION, trace, _last_line(trace))

    # --- reports ------------------------------------------------------------------------------------------------------

    def _handle(self, report: Report) -> None:
        match report:
            case Heartbeat():
                # All processes count the same, and much is nothing: names and zeros of a thousand would take megabytes.
                report.counters = {sys.intern(name): value or 0.0 for name, value in report.counters.items()}
                self.heartbeat = report
                self._surroundings.metrics.on_heartbeat(self.id, report)
                self._beat = Beat(call=report.call, call_s=report.call_s, received=self._surroundings.clock())
            case StateChanged():
                self._on_state(report)
            case ReferencesResolved() | SecretsChanged() if self._ordered_to_stop:
                pass  # the next process looks them up anyway
            case ReferencesResolved():
                self.resolved = report
            case SecretsChanged():
                self.on_secrets_changed(report.references)
            case _:
                self._on_report(report)

    def _on_state(self, report: StateChanged) -> None:
        if self._ordered_to_stop:
            return
        if report.state is State.FAILED:
            self._failure = report
            if not report.closing:
                self._fail_as(report)
            self._kill_later("it did not end after it had failed")
        elif self._decision is None:
            # Whatever it was in when it was heard of last: that call is over.
            self._beat = Beat(call=Call.NONE, call_s=0.0, received=self._surroundings.clock())
            if self._history.running_since is None:
                self._history = msgspec.structs.replace(self._history, running_since=self._surroundings.clock())
            self._change(report.state)

    # --- the process --------------------------------------------------------------------------------------------------

    def _stop_process(self) -> None:
        """Order the process to stop; it has the graceful time for it."""
        if self._child is not None and not self._ordered_to_stop:
            self._ordered_to_stop = True
            self._child.send(Stop())
            self._kill_later("it did not stop")

    def _kill_later(self, why: str) -> None:
        self._cancel_killer()
        seconds = self._surroundings.graceful_stop_s
        child = self._child
        assert child is not None
        self._killer = self._loop.call_later(
            seconds, lambda: child.kill(f"{why} within {seconds:g} s (task.shutdown.graceful.timeout.ms)")
        )

    def _cancel_killer(self) -> None:
        if self._killer is not None:
            self._killer.cancel()
            self._killer = None

    @property
    def _state(self) -> State:
        return self._surroundings.statuses[self.id].state

    def _change(self, state: State, trace: str | None = None) -> None:
        if not self._ending or state is State.UNASSIGNED:
            pid = None if self._child is None else self._child.pid
            self._surroundings.statuses.change(self.id, state, generation=self._generation, pid=pid, trace=trace)

    @property
    def _log_fields(self) -> dict[str, object]:
        return {"connector": self.id.connector} | ({} if self.id.task is None else {"task": self.id.task})


def _log_error(runner: asyncio.Task[None]) -> None:
    if not runner.cancelled() and (error := runner.exception()) is not None:
        log.critical(f"{runner.get_name()} is not supervised any more", exc_info=error)


def _explained(decision: Decision, failures: Sequence[str], trace: str) -> str:
    if not isinstance(decision, GiveUp):
        when = "at once" if decision.delay_s == 0 else f"in {decision.delay_s:.1f} s"
        return f"{trace.rstrip()}\nRestart {when}."
    lines = [decision.why] if decision.why else []
    if failures:
        which = "Failures" if len(failures) < _FAILURES_KEPT else f"The last {_FAILURES_KEPT} failures"
        lines += [f"{which} before this one:", *(f"  {failure}" for failure in failures)]
    return "\n".join([trace.rstrip(), *lines]) if lines else trace


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _last_line(trace: str) -> str:
    lines = trace.strip().splitlines()
    return lines[-1] if lines else "no reason given"
