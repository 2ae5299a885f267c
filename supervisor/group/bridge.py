"""From the network thread, where kafka-python runs its own kind of coroutines, to the herder's event loop and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from kafka.future import Future

log = structlog.get_logger(__name__)


class Bridge:
    """Calls coroutines on the event loop for coroutines of the network thread, which wait for them; and watches whether the
    event loop answers at all. Used on the network thread alone, but for what is said to be called on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, net: Any) -> None:
        self._loop = loop
        self._net = net
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun: dict[Future, float] = {}
        self._last_answer = time.monotonic()

    def call(self, method: Callable[..., Awaitable[None]], *args: Any) -> Future:
        """Begin a call; the future is done when the call is over, whatever comes of it, or the event loop is closed."""
        future = Future()
        self._begun[future] = time.monotonic()
        try:
            self._loop.call_soon_threadsafe(self._start, future, method, args)
        except RuntimeError:  # the loop is closed
            self._finish(future)
        return future

    def ping(self) -> None:
        """Have the event loop say that it is alive."""
        try:
            self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:
            return

    @property
    def silent_for_s(self) -> float:
        """Since when the event loop has not answered, or the oldest call that is under way has begun."""
        return time.monotonic() - min(self._last_answer, *self._begun.values(), time.monotonic())

    def forgive(self, pause_s: float) -> None:
        """This process stood still for so long: nobody could have answered."""
        self._last_answer += pause_s
        self._begun = {future: begun + pause_s for future, begun in self._begun.items()}

    def _answer(self) -> None:
        """On the event loop."""
        self._last_answer = time.monotonic()

    def _start(self, future: Future, method: Callable[..., Awaitable[None]], args: tuple[Any, ...]) -> None:
        """On the event loop."""
        task = self._loop.create_task(_guarded(method, args))
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._report(task, future))

    def _report(self, task: asyncio.Task[None], future: Future) -> None:
        """On the event loop."""
        self._tasks.discard(task)
        try:
            self._net.call_soon_threadsafe(lambda: self._finish(future))
        except RuntimeError:  # the network thread has ended, nobody waits
            return

    def _finish(self, future: Future) -> None:
        self._begun.pop(future, None)
        future.success(None)


async def _guarded(method: Callable[..., Awaitable[None]], args: tuple[Any, ...]) -> None:
    try:
        await method(*args)
    except Exception:
        log.exception(f"{method.__qualname__} of the group's listener failed")
