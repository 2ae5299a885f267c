"""Those who follow the log of a connector or task: each has a queue of its own, and whoever reads too slowly loses lines."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import Final

from supervisor.logs.lines import LOGGER, make_line
from supervisor.units.lifecycle import UnitId

MAX_FOLLOWERS: Final = 100
MAX_WAITING_BYTES: Final = 512 * 1024


class Follower:
    """One who follows a connector and its tasks, or with a number one task. To be read in the loop that it was made in."""

    def __init__(self, connector: str, task: int | None) -> None:
        self.connector = connector
        self.task = task
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._left_out = 0
        self._ended = False
        self._rung = asyncio.Event()
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()

    def put(self, line: bytes) -> None:
        """A line to read; it is left out if too much waits to be read. May be called from any thread."""
        with self._lock:
            if self._bytes + len(line) > MAX_WAITING_BYTES:
                self._left_out += 1
                return
            self._waiting.append(line)
            self._bytes += len(line)
        self._ring()

    def end(self) -> None:
        """There will be no more."""
        self._ended = True
        self._ring()

    async def take(self, timeout_s: float) -> list[bytes] | None:
        """The lines that there are, the first of which may take a while to come; empty after the timeout, None at the end."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return []
        self._rung.clear()
        with self._lock:
            lines, left_out = list(self._waiting), self._left_out
            self._waiting.clear()
            self._bytes = self._left_out = 0
        if left_out:
            message = f"{left_out} lines were left out: they were not read in time"
            lines.append(make_line("warning", LOGGER, message, **self._named))
        return lines if lines or not self._ended else None

    @property
    def _named(self) -> dict[str, object]:
        return {"connector": self.connector} | ({} if self.task is None else {"task": self.task})

    def _ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # the worker has ended
            self._loop.call_soon_threadsafe(self._rung.set)


class Followers:
    """All who follow, by connector."""

    def __init__(self) -> None:
        self._followers: dict[str, list[Follower]] = {}

    @property
    def has_room(self) -> bool:
        """Whether there may be one more."""
        return sum(map(len, self._followers.values())) < MAX_FOLLOWERS

    def open(self, connector: str, task: int | None) -> Follower:
        """One more, until `close`."""
        follower = Follower(connector, task)
        self._followers = {**self._followers, connector: [*self._followers.get(connector, ()), follower]}
        return follower

    def close(self, follower: Follower) -> None:
        """It does not read any more."""
        rest = [each for each in self._followers.get(follower.connector, ()) if each is not follower]
        others = {name: each for name, each in self._followers.items() if name != follower.connector}
        self._followers = {**others, follower.connector: rest} if rest else others

    def add(self, unit: UnitId, line: bytes) -> None:
        """A line of a connector or task."""
        for follower in self._followers.get(unit.connector, ()):
            if follower.task in (None, unit.task):
                follower.put(line)

    def end_all(self) -> None:
        """The worker stops."""
        for followers in self._followers.values():
            for follower in followers:
                follower.end()
