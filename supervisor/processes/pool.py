"""The pool of child processes: where connectors run some are warm, so that new work begins at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import defaultdict, deque
from collections.abc import AsyncIterator

import structlog

from connectd.errors import ConnectException
from supervisor.processes import forkserver
from supervisor.processes.cgroups import Cgroups
from supervisor.processes.exits import OutOfMemoryKills
from supervisor.processes.process import Child
from tasks.messages import UseInterpreter

log = structlog.get_logger(__name__)

# A child needs some milliseconds; one that needs this long will not come.
WARM_TIMEOUT_S = 60.0
CHECK_INTERVAL_S = 1.0
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 10.0
# Whoever adds a connector needs a process for it, and another one for its task.
_SPARES = 2
_SPARES_OF_OTHERS = 1
# For so long whoever was given a process has the CPU: a connector that is added is to run by then, with its task.
_REFILL_DELAY_S = 0.2
_OWN = ""
# For so long a spare process waits for a connector that nobody runs any more, such as one that is being changed.
_UNUSED_S = 60.0


class ProcessStartError(ConnectException):
    """No child could be started; the message says why."""


class ProcessPool:
    """Hands out warm processes, and knows every child that lives.

    A forkserver that died is started again with the next child. Spare processes are kept ready where connectors run, on
    connectd's own interpreter and on each other one that is in use; who has no work has no spare either. At the most
    `parallel_starts` are starting at a time, which keeps a restart of many tasks from stopping the machine.
    """

    def __init__(self, entry: str = forkserver.ENTRY, *, parallel_starts: int | None = None) -> None:
        self._entry = entry
        self._starting = asyncio.Semaphore(parallel_starts or 2 * (os.cpu_count() or 1))
        self._spares: defaultdict[str, deque[Child]] = defaultdict(deque)
        # When an interpreter other than connectd's was last in use.
        self._used: dict[str, float] = {}
        self._living: set[Child] = set()
        self._refilling: asyncio.Task[None] | None = None
        self._out_of_memory_kills = OutOfMemoryKills()
        self._cgroups = Cgroups()
        self._checker: asyncio.Task[None] | None = None
        self._closed = False
        self._has_work = False
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Start the forkserver."""
        forkserver.ensure_running(self._entry)
        self._checker = asyncio.get_running_loop().create_task(self._check_for_ever())

    @property
    def living(self) -> frozenset[Child]:
        """All children that have not ended."""
        return frozenset(self._living)

    @property
    def spare_count(self) -> int:
        """How many warm processes wait for work."""
        return sum(map(len, self._spares.values()))

    async def take(self, python: str = "") -> Child:
        """A warm child, which is the caller's from now on. Raises ProcessStartError.

        If there is one ready it runs on the interpreter `python`; else it goes there by itself when its order asks for it.
        """
        spares = self._spares[python] or self._spares[_OWN]
        child = spares.popleft() if spares else await self._start_child()
        self._loop.call_later(_REFILL_DELAY_S, self._refill)
        return child

    def expect_work(self, expected: bool) -> None:
        """Whether connectors run here, so that more are likely to come."""
        if expected is not self._has_work:
            self._has_work = expected
            self._loop.call_later(_REFILL_DELAY_S, self._refill)
            spares = self._spares[_OWN]
            while len(spares) > self._wanted(_OWN):
                spares.pop().kill("no connector runs any more")

    def kill_all(self, why: str) -> None:
        """SIGKILL to every child."""
        for child in self._living:
            child.kill(why)

    async def close(self) -> None:
        """Kill the children that are left, and the forkserver."""
        self._closed = True
        for background in (self._refilling, self._checker):
            if background is not None:
                background.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await background
        self.kill_all("the worker has ended")
        if self._living:
            await asyncio.wait([child.exited for child in self._living])
        forkserver.stop()

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            self._out_of_memory_kills.note()
            for child in self.living:
                child.check_memory()
            self._forget_interpreters()

    def _forget_interpreters(self) -> None:
        """Those that nothing has run on for a while need no spare processes."""
        now = self._loop.time()
        spares = {child for each in self._spares.values() for child in each}
        self._used.update((child.python, now) for child in self._living - spares if child.python)
        for python in [python for python, when in self._used.items() if now - when > _UNUSED_S]:
            del self._used[python]
            for child in self._spares.pop(python, ()):
                child.kill("no connector uses its interpreter any more")

    def _moved(self, child: Child) -> None:
        if child.python:
            self._used[child.python] = self._loop.time()
            self._refill()

    def _wanted(self, python: str) -> int:
        if not self._has_work:
            return 0
        return _SPARES if python == _OWN else _SPARES_OF_OTHERS

    def _short_of_spares(self) -> str | None:
        """An interpreter that there are too few spares for."""
        return next((each for each in (_OWN, *self._used) if len(self._spares[each]) < self._wanted(each)), None)

    def _refill(self) -> None:
        if self._refilling is None and not self._closed and self._short_of_spares() is not None:
            self._refilling = asyncio.get_running_loop().create_task(self._start_spares())

    async def _start_spares(self) -> None:
        retry_s = _FIRST_RETRY_S
        try:
            while (python := self._short_of_spares()) is not None:
                try:
                    await self._start_spare(python)
                    retry_s = _FIRST_RETRY_S
                except ProcessStartError as error:
                    log.error("no process can be started", error=str(error), retry_in_s=retry_s)
                    await asyncio.sleep(retry_s)
                    retry_s = min(2 * retry_s, _LAST_RETRY_S)
        finally:
            self._refilling = None

    async def _start_spare(self, python: str) -> None:
        child = await self._start_child()
        if python == _OWN:
            self._keep(child)
            return
        moved = asyncio.Event()
        child.on_moved = moved.set
        child.send(UseInterpreter(python=python))
        async with _killed_on_failure(child):
            arrival = asyncio.ensure_future(moved.wait())
            try:
                await asyncio.wait((arrival, child.exited), timeout=WARM_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrival.cancel()
        if not moved.is_set():
            # Nobody waits for it: whoever needs the interpreter goes there by itself, and says what is wrong.
            self._used.pop(python, None)
            log.warning("no spare process is kept on an interpreter that cannot be used", interpreter=python)
            child.kill("it did not get to its interpreter")
        elif not child.exited.done():
            child.on_moved = lambda: self._moved(child)
            self._keep(child)

    def _keep(self, child: Child) -> None:
        spares = self._spares[child.python]

        def gone(_: object) -> None:
            if child in spares and not self._closed:
                spares.remove(child)
                log.warning("the spare process ended", pid_of_child=child.pid, cause=str(child.exited.result()))
                self._refill()

        spares.append(child)
        child.exited.add_done_callback(gone)

    async def _start_child(self) -> Child:
        async with self._starting:
            if self._closed:
                raise ProcessStartError("the worker is stopping")
            child = self._launch()
            async with _killed_on_failure(child):
                await asyncio.wait(
                    (child.warm, child.exited), timeout=WARM_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
                )
                if child.exited.done():
                    raise ProcessStartError(f"a new process ended before it was ready: {child.exited.result().account}")
                if not child.warm.done():
                    raise ProcessStartError(f"a new process was not ready after {WARM_TIMEOUT_S:g} s")
        return child

    def _launch(self) -> Child:
        try:
            child = self._request()
        except OSError as error:
            raise ProcessStartError(f"a process could not be asked for: {error}") from error
        self._living.add(child)
        child.on_moved = lambda: self._moved(child)
        child.exited.add_done_callback(lambda _: self._living.discard(child))
        return child

    def _request(self) -> Child:
        try:
            return Child(self._entry, self._out_of_memory_kills, self._cgroups)
        except (ConnectionError, BrokenPipeError):
            # The forkserver died a moment ago, and its death was not known yet: once more, with a new one.
            return Child(self._entry, self._out_of_memory_kills, self._cgroups)


@contextlib.asynccontextmanager
async def _killed_on_failure(child: Child) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        child.kill("its start was given up")
        raise
