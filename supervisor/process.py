"""One child process as the supervisor sees it: its channel, its reports, its exit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
from collections.abc import Callable

from supervisor.channel import Channel
from supervisor.exits import Exit, OutOfMemoryKills
from supervisor.forkserver import ChildRequest, request_child
from tasks.messages import Order, Report, Warm

# As multiprocess.forkserver writes numbers.
_NUMBER = struct.Struct("q")
# Time for a hung child to write down where it hangs.
_STACK_DUMP_S = 0.2


class Child:
    """A process that is being started, is warm, works, or has ended.

    `warm` is done when the process waits for its order, `exited` when it is gone and all that it reported was handled; both
    then hold the truth for ever. Reports after `Warm` go to `on_report`. No method blocks.
    """

    def __init__(self, entry: str, out_of_memory_kills: OutOfMemoryKills) -> None:
        """Raises OSError when the process cannot be asked for."""
        loop = asyncio.get_running_loop()
        self.pid: int | None = None
        self.warm: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[Exit] = loop.create_future()
        self.on_report: Callable[[Report], None] = lambda report: None
        self._out_of_memory_kills = out_of_memory_kills
        self._killed_for: str | None = None
        self._hung = False
        self._answer = b""  # of the forkserver
        self._loop = loop
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._request: ChildRequest = request_child(entry, theirs)
            except BaseException:
                ours.close()
                raise
        self._channel = Channel(ours, self._report, lambda why: self.kill(f"its channel is broken: {why}"))
        loop.add_reader(self._request.sentinel, self._read_answer)

    def send(self, order: Order) -> None:
        """Send an order; it waits in the channel until the child reads it."""
        self._channel.send(order)

    def kill(self, why: str) -> None:
        """SIGKILL to the child and all that it started. `why` explains the exit; the first reason counts."""
        if self.exited.done():
            return
        if self._killed_for is None:
            self._killed_for = why
        self._kill_process_and_group()

    def kill_hung(self, why: str) -> None:
        """As `kill`, but first the child writes the stacks of its threads to the log, which it does even when it hangs."""
        if self.exited.done() or self._killed_for is not None:
            return
        self._killed_for, self._hung = why, True
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGUSR2)
        self._loop.call_later(_STACK_DUMP_S, self.kill, why)

    def _report(self, report: Report) -> None:
        if isinstance(report, Warm):
            if not self.warm.done():
                self.warm.set_result(None)
        else:
            self.on_report(report)

    def _read_answer(self) -> None:
        """The forkserver's answer: the pid, then the exit code."""
        part = os.read(self._request.sentinel, 2 * _NUMBER.size - len(self._answer))
        self._answer += part
        if self.pid is None and len(self._answer) >= _NUMBER.size:
            (self.pid,) = _NUMBER.unpack_from(self._answer)
            if self._killed_for is not None:
                self._kill_process_and_group()
        if len(self._answer) == 2 * _NUMBER.size:
            self._end(_NUMBER.unpack_from(self._answer, _NUMBER.size)[0])
        elif not part:
            self._end(None)

    def _end(self, code: int | None) -> None:
        self._loop.remove_reader(self._request.sentinel)
        self._request.close()
        if code is None:
            # The kernel kills children with the forkserver, but for one that was just being born.
            self._kill_process_and_group()
        else:
            self._kill_group()
        self._channel.drain()
        self._channel.close()
        number = -code if code is not None and code < 0 else None
        by_us = number is not None and self._killed_for is not None
        self.exited.set_result(
            Exit(
                code=code if number is None else None,
                signal=number,
                out_of_memory=not by_us and number == signal.SIGKILL and self._out_of_memory_kills.rose(),
                killed_for=self._killed_for if by_us else None,
                hung=by_us and self._hung,
            )
        )

    def _kill_process_and_group(self) -> None:
        if self.pid is not None:
            self._kill_group()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)

    def _kill_group(self) -> None:
        """Kill the child, which leads its group, and what it has started; after its end too, for that may outlive it."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
