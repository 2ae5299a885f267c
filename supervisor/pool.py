"""The pool of child processes: one is always warm, so that new work begins at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import AsyncIterator

import structlog

from connectd.errors import ConnectException
from supervisor import forkserver
from supervisor.cgroups import Cgroups
from supervisor.exits import OutOfMemoryKills
from supervisor.process import Child

log = structlog.get_logger(__name__)

# A child needs some milliseconds; one that needs this long will not come.
WARM_TIMEOUT_S = 60.0
CHECK_INTERVAL_S = 1.0
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 10.0


class ProcessStartError(ConnectException):
    """No child could be started; the message says why."""


class ProcessPool:
    """Hands out warm processes, and knows every child that lives.

    A forkserver that died is started again with the next child. `spares` processes are kept ready, and at the most
    `parallel_starts` are starting at a time, which keeps a restart of many tasks from stopping the machine.
    """

    def __init__(
        self,
        entry: str = forkserver.ENTRY,
        *,
        spares: int = 1,
        parallel_starts: int | None = None,
    ) -> None:
        self._entry = entry
        self._wanted_spares = spares
        self._starting = asyncio.Semaphore(parallel_starts or 2 * (os.cpu_count() or 1))
        self._spares: deque[Child] = deque()
        self._living: set[Child] = set()
        self._refilling: asyncio.Task[None] | None = None
        self._out_of_memory_kills = OutOfMemoryKills()
        self._cgroups = Cgroups()
        self._checker: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Start the forkserver and the first spare."""
        forkserver.ensure_running(self._entry)
        self._checker = asyncio.get_running_loop().create_task(self._check_for_ever())
        self._refill()

    @property
    def living(self) -> frozenset[Child]:
        """All children that have not ended."""
        return frozenset(self._living)

    @property
    def spare_count(self) -> int:
        """How many warm processes wait for work."""
        return len(self._spares)

    async def take(self) -> Child:
        """A warm child, which is the caller's from now on. Raises ProcessStartError."""
        child = self._spares.popleft() if self._spares else await self._start_child()
        self._refill()
        return child

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

    def _refill(self) -> None:
        if self._refilling is None and not self._closed and len(self._spares) < self._wanted_spares:
            self._refilling = asyncio.get_running_loop().create_task(self._start_spares())

    async def _start_spares(self) -> None:
        retry_s = _FIRST_RETRY_S
        try:
            while len(self._spares) < self._wanted_spares:
                try:
                    self._keep(await self._start_child())
                    retry_s = _FIRST_RETRY_S
                except ProcessStartError as error:
                    log.error("no process can be started", error=str(error), retry_in_s=retry_s)
                    await asyncio.sleep(retry_s)
                    retry_s = min(2 * retry_s, _LAST_RETRY_S)
        finally:
            self._refilling = None

    def _keep(self, child: Child) -> None:
        def gone(_: object) -> None:
            if child in self._spares and not self._closed:
                self._spares.remove(child)
                log.warning("the spare process ended", pid_of_child=child.pid, cause=str(child.exited.result()))
                self._refill()

        self._spares.append(child)
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
