"""One child process as the supervisor sees it: its channel, its reports, its exit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
from collections.abc import Callable, Mapping

from supervisor.logs.tails import Relay
from supervisor.processes.cgroups import Cgroup, Cgroups
from supervisor.processes.channel import Channel
from supervisor.processes.exits import Cause, Exit, OutOfMemoryKills
from supervisor.processes.forkserver import ChildRequest
from supervisor.processes.memory import mib, used_bytes
from supervisor.processes.output import Lines, Output
from tasks.limits import limits_of
from tasks.messages import Moved, Order, Report, Warm
from tasks.settings import Limits

# As multiprocess.forkserver writes numbers.
_NUMBER = struct.Struct("q")
# Time for a hung child to write down where it hangs.
STACK_DUMP_S = 0.2
_CGROUP_RETRY_S = 1.0


class Child:
    """A process that is being started, is warm, works, or has ended.

    `warm` is done when the process waits for its order, `exited` when it is gone and all that it reported was handled; both
    then hold the truth for ever. `on_moved` is called when it goes on in another interpreter; all other reports go to
    `on_report`. No method blocks.
    """

    def __init__(self, entry: str, out_of_memory_kills: OutOfMemoryKills, cgroups: Cgroups) -> None:
        """Raises OSError when the process cannot be asked for."""
        loop = asyncio.get_running_loop()
        self.pid: int | None = None
        self.warm: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[Exit] = loop.create_future()
        self.on_report: Callable[[Report], None] = lambda report: None
        # The interpreter that it runs on, empty for that of connectd.
        self.python = ""
        self.on_moved: Callable[[], object] = lambda: None
        self._out_of_memory_kills = out_of_memory_kills
        self._cgroups = cgroups
        self._cgroup: Cgroup | None = None
        self._memory_max = 0
        self._killed_for: str | None = None
        self._killed_as: Cause | None = None
        self._answer = b""  # of the forkserver
        self._said_warm = False
        self._loop = loop
        self._request, channel, output = _request_child(entry)
        self._output = Output(output, Relay())
        self._channel = Channel(channel, self._report, lambda why: self.kill(f"its channel is broken: {why}"))
        loop.add_reader(self._request.sentinel, self._read_answer)

    def send(self, order: Order) -> None:
        """Send an order; it waits in the channel until the child reads it."""
        self._channel.send(order)

    def begin(self, order: Order, fields: Mapping[str, object], lines: Lines | None = None) -> None:
        """Send the first order. `lines` get from now on what the child logs and prints, with `fields` in what it prints."""
        if lines is not None:
            self._output.lines = lines
        self._output.fields = {**fields, "pid": self.pid}
        self.limit(limits_of(order))
        self.send(order)

    def limit(self, limits: Limits) -> None:
        """Keep the child within its limits from now on, as far as that can be done from outside."""
        self._output.lines_a_second = limits.log_lines_per_s
        if self.pid is not None and not self.exited.done():
            self._cgroup = self._cgroups.confine(self.pid, limits, self._cgroup)
            self._memory_max = limits.memory_max_bytes

    def check_memory(self) -> None:
        """Kill the child if it uses too much and the kernel does not look after that. To be called about once a second."""
        if not self._memory_max or self.pid is None or (self._cgroup is not None and self._cgroup.limits_memory):
            return
        used = used_bytes(self.pid, self._memory_max)
        if used > self._memory_max:
            why = f"it used {mib(used)} of memory, task.memory.max allows {mib(self._memory_max)}"
            self.kill(why, Cause.OUT_OF_MEMORY)

    def kill(self, why: str, cause: Cause | None = None) -> None:
        """SIGKILL to the child and all that it started. `why` explains the exit, and `cause` is what it counts as; the first
        reason counts."""
        if self.exited.done():
            return
        if self._killed_for is None:
            self._killed_for, self._killed_as = why, cause
        self._kill_process_and_group()

    def kill_hung(self, why: str) -> None:
        """As `kill`, but time is left for what `dump_stacks` asked for."""
        if self._killed_for is None:
            self._killed_for, self._killed_as = why, Cause.HUNG
            self._loop.call_later(STACK_DUMP_S, self.kill, why)

    def dump_stacks(self) -> None:
        """Have the child write down where its threads are, for the log; it does so even when it hangs or was stopped."""
        if self.pid is not None and not self.exited.done():
            for number in (signal.SIGUSR2, signal.SIGCONT):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)

    def _report(self, report: Report) -> None:
        if isinstance(report, Warm):
            self._said_warm = True
            self._settle_warm()
        elif isinstance(report, Moved):
            self.python = report.python
            self.on_moved()
        else:
            self.on_report(report)

    def _settle_warm(self) -> None:
        # Its first words may come before the forkserver's answer: who is given this child may need its pid.
        if self._said_warm and self.pid is not None and not self.warm.done():
            self.warm.set_result(None)

    def _read_answer(self) -> None:
        """The forkserver's answer: the pid, then the exit code."""
        part = os.read(self._request.sentinel, 2 * _NUMBER.size - len(self._answer))
        self._answer += part
        if self.pid is None and len(self._answer) >= _NUMBER.size:
            (self.pid,) = _NUMBER.unpack_from(self._answer)
            self._settle_warm()
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
        last_words = self._output.close()
        number = -code if code is not None and code < 0 else None
        by_us = number is not None and self._killed_for is not None
        self.exited.set_result(
            Exit(
                code=code if number is None else None,
                signal=number,
                out_of_memory=not by_us and number == signal.SIGKILL and self._was_out_of_memory,
                killed_for=self._killed_for if by_us else None,
                killed_as=self._killed_as if by_us else None,
                last_words=last_words,
            )
        )
        self._leave_cgroup()

    @property
    def _was_out_of_memory(self) -> bool:
        return self._out_of_memory_kills.recent if self._cgroup is None else self._cgroup.was_out_of_memory

    def _leave_cgroup(self) -> None:
        if self._cgroup is not None and not self._cgroup.remove():
            self._loop.call_later(_CGROUP_RETRY_S, self._leave_cgroup)

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


def _request_child(entry: str) -> tuple[ChildRequest, socket.socket, int]:
    """The forkserver's answer pipe, our end of the channel, and the reading end of the child's standard output and error."""
    channel, theirs = socket.socketpair()
    output, writing = os.pipe()
    try:
        with theirs:
            return ChildRequest(entry, theirs, writing), channel, output
    except BaseException:
        channel.close()
        os.close(output)
        raise
    finally:
        os.close(writing)
