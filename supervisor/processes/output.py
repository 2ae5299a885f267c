"""What a child writes: the lines of its log as they are, and what it prints, each line of which becomes one of the log too.

What plugins print, what native libraries have to say and where a process crashed: all of it comes through here. Of who writes
too much some lines are left out of the log, and who writes far too much is read more slowly, and waits; the supervisor does
not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import structlog

from supervisor.logs.lines import make_line
from tasks.logs import MARK

log = structlog.get_logger(__name__)
# Of what is printed; its level says whether it is logged.
printed = logging.getLogger("output")

DEFAULT_LINES_A_SECOND: Final = 1000
_READ_BYTES: Final = 64 * 1024
_BYTES_A_SECOND: Final = 1024 * 1024
# Longer lines that are printed are logged in pieces. One of the child's own log, with a long trace, is not.
_LINE_BYTES: Final = 8 * 1024
_OWN_LINE_BYTES: Final = 1024 * 1024
_LAST_LINES: Final = 10
# So many of those that were left out are kept for whoever asks for the last lines.
_KEPT_LINES: Final = 200
# faulthandler writes a dump at one go: a pause means that it is complete.
_DUMP_PAUSE_S: Final = 0.1
_DUMP_LINES: Final = 2000

_CRASH: Final = b"Fatal Python error: "
_DUMP_BEGINS: Final = re.compile(rb"^(?:Fatal Python error: |(?:Current thread|Thread) 0x[0-9a-f]+)", re.MULTILINE)
_DUMP_GOES_ON: Final = re.compile(rb"$|  |(?:Current thread|Thread) |Extension modules: |Stack \(")
# A line of a child's log is JSON of ours.
_OWN: Final = MARK + b"{"


class Lines(Protocol):
    """Where the lines of a child go."""

    def write(self, line: bytes) -> None:
        """A line for the log."""

    def keep(self, lines: Sequence[bytes]) -> None:
        """Lines that are left out of it, for there are too many: the last ones."""


class Output:
    """Reads one end of a pipe, `descriptor`, until `close`. `fields` are those of every line that is printed."""

    __slots__ = (
        "_bytes",
        "_count",
        "_descriptor",
        "_dump",
        "_dump_timer",
        "_last_lines",
        "_loop",
        "_second",
        "_unfinished",
        "fields",
        "lines",
        "lines_a_second",
    )

    def __init__(self, descriptor: int, lines: Lines) -> None:
        os.set_blocking(descriptor, False)
        self.fields: dict[str, object] = {}
        self.lines = lines
        self.lines_a_second = DEFAULT_LINES_A_SECOND
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._unfinished = b""
        self._last_lines: list[bytes] = []
        self._dump: list[bytes] = []
        self._dump_timer: asyncio.TimerHandle | None = None
        self._second: asyncio.TimerHandle | None = None
        self._bytes = 0  # in this second
        self._count = 0
        self._loop.add_reader(descriptor, self._read)

    def close(self) -> str:
        """Read what is left and stop; returns the last words: where the process crashed, or else the last lines it printed."""
        self._bytes = 0
        while self._bytes < _BYTES_A_SECOND and self._read():
            pass
        if self._unfinished:
            self._take(self._unfinished + b"\n")
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._disarm()
        if self._second is not None:
            self._second.cancel()
            self._tell_left_out()
        return _text(self._dump) or _text(self._last_lines)

    # --- reading no more than is good -------------------------------------------------------------------------------

    def _read(self) -> bool:
        """Read once; False when there is nothing more now."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._descriptor)
            return False
        if self._second is None:
            self._second = self._loop.call_later(1.0, self._end_second)
        self._bytes += len(data)
        if self._bytes >= _BYTES_A_SECOND:
            self._loop.remove_reader(self._descriptor)  # until the second is over
        data = self._unfinished + data
        end = data.rfind(b"\n") + 1
        if len(data) - end > (_OWN_LINE_BYTES if data.startswith(_OWN, end) else _LINE_BYTES):
            data += b"\n"
            end = len(data)
        self._unfinished = data[end:]
        self._take(data[:end])
        return True

    def _end_second(self) -> None:
        self._second = None
        self._tell_left_out()
        if self._bytes >= _BYTES_A_SECOND:
            self._loop.add_reader(self._descriptor, self._read)
        self._bytes = 0

    def _tell_left_out(self) -> None:
        left_out, self._count = self._count - self.lines_a_second, 0
        if left_out > 0 and self.lines_a_second:
            log.warning(
                f"{left_out} more lines within a second were left out (task.log.lines.per.second.max)", **self.fields
            )

    # --- lines ------------------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Take complete lines."""
        position = 0
        while position < len(data):
            if self._is_flood and not self._dump:
                position = self._leave_out(data, position)
                if position == len(data):
                    return
            end = data.index(b"\n", position)
            self._take_line(data[position:end])
            position = end + 1

    @property
    def _is_flood(self) -> bool:
        return 0 < self.lines_a_second <= self._count

    def _leave_out(self, data: bytes, position: int) -> int:
        """Only count lines, up to the next dump; the position there."""
        dump = _DUMP_BEGINS.search(data, position)
        end = len(data) if dump is None else dump.start()
        self._count += data.count(b"\n", position, end)
        last = data[position:end].rsplit(b"\n", _KEPT_LINES + 1)[-_KEPT_LINES - 1 : -1]
        self.lines.keep([line[1:] if line.startswith(_OWN) else self._printed(line) for line in last])
        self._remember([line for line in last[-_LAST_LINES:] if not line.startswith(_OWN)])
        return end

    def _take_line(self, line: bytes) -> None:
        printed, mark, own = line.partition(_OWN)
        if printed or not mark:
            for begin in range(0, len(printed) or 1, _LINE_BYTES):
                self._take_printed(printed[begin : begin + _LINE_BYTES])
        if mark:
            self._count += 1
            self.lines.write(b"{" + own)

    def _take_printed(self, line: bytes) -> None:
        if (_DUMP_GOES_ON if self._dump else _DUMP_BEGINS).match(line):
            self._take_dump(line)
            return
        self._end_dump()
        if line.strip():
            self._remember([line])
            self._count += 1
            if printed.isEnabledFor(logging.INFO):
                self.lines.write(self._printed(line))

    def _printed(self, line: bytes) -> bytes:
        return make_line("info", printed.name, _text([line[:_LINE_BYTES]]), **self.fields)

    def _remember(self, lines: Iterable[bytes]) -> None:
        self._last_lines += lines
        del self._last_lines[:-_LAST_LINES]

    # --- where threads are ------------------------------------------------------------------------------------------

    def _take_dump(self, line: bytes) -> None:
        if len(self._dump) < _DUMP_LINES:
            self._dump.append(line)
        self._disarm()
        if not self._dump[0].startswith(_CRASH):  # else it belongs to the end, which may take a while
            self._dump_timer = self._loop.call_later(_DUMP_PAUSE_S, self._end_dump)

    def _end_dump(self) -> None:
        self._disarm()
        if self._dump:
            log.warning(f"where the threads are:\n{_text(self._dump)}", **self.fields)
            self._dump = []

    def _disarm(self) -> None:
        if self._dump_timer is not None:
            self._dump_timer.cancel()
            self._dump_timer = None


def _text(lines: Iterable[bytes]) -> str:
    return b"\n".join(lines).decode("utf-8", "replace").strip()
