"""Signals of the supervisor: handlers only enqueue, the main coroutine acts."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Signals:
    """The signals that arrived and were not yet acted upon, in order."""

    def __init__(self) -> None:
        """To be created in the running loop of the main thread."""
        self._arrived: asyncio.Queue[signal.Signals] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        for number in HANDLED:
            loop.add_signal_handler(number, self._arrived.put_nowait, number)
        # In a storm of signals the pipe that wakes the loop is full; to warn of that CPython takes a lock in the handler,
        # which the next signal waits for: for ever.
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)

    async def next(self) -> signal.Signals:
        """Wait for the next one."""
        return await self._arrived.get()

    def close(self) -> None:
        """For a process that is about to end: SIGHUP and SIGUSR1 do not change any more how it ends."""
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP, signal.SIGUSR1))
