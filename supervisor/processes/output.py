"""What a child writes to its standard error: each line becomes an event in the log that names the connector and task.

What plugins print, what native libraries have to say and where a process crashed: all of it comes through here, but for the
child's own log. Who writes too much is read more slowly, and waits; the supervisor does not.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_READ_BYTES: Final = 64 * 1024
_BYTES_A_SECOND: Final = 256 * 1024
_LINES_A_SECOND: Final = 50
# Longer lines are logged in pieces.
_LINE_BYTES: Final = 8 * 1024
_LAST_LINES: Final = 10
# faulthandler writes a dump at one go: a pause means that it is complete.
_DUMP_PAUSE_S: Final = 0.1
_DUMP_LINES: Final = 2000

_CRASH: Final = b"Fatal Python error: "
_DUMP_BEGINS: Final = re.compile(rb"^(?:Fatal Python error: |(?:Current thread|Thread) 0x[0-9a-f]+)", re.MULTILINE)
_DUMP_GOES_ON: Final = re.compile(rb"$|  |(?:Current thread|Thread) |Extension modules: |Stack \(")


class Output:
    """Reads one end of a pipe, `descriptor`, until `close`. `fields` are added to every event."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.fields: dict[str, object] = {}
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._unfinished = b""
        self._last_lines: list[bytes] = []
        self._dump: list[bytes] = []
        self._dump_timer: asyncio.TimerHandle | None = None
        self._second: asyncio.TimerHandle | None = None
        self._bytes = 0  # in this second
        self._lines = 0
        self._loop.add_reader(descriptor, self._read)

    def close(self) -> str:
        """Read what is left and stop; returns the last words: where the process crashed, or else its last lines."""
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
        if len(data) - end > _LINE_BYTES:
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
        left_out, self._lines = self._lines - _LINES_A_SECOND, 0
        if left_out > 0:
            log.warning(f"{left_out} more lines within a second were left out", **self.fields)

    # --- lines ------------------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Take complete lines."""
        position = 0
        while position < len(data):
            if self._lines >= _LINES_A_SECOND and not self._dump:
                position = self._leave_out(data, position)
                if position == len(data):
                    return
            end = min(data.index(b"\n", position), position + _LINE_BYTES)
            self._take_line(data[position:end])
            position = end + (data[end : end + 1] == b"\n")

    def _leave_out(self, data: bytes, position: int) -> int:
        """Only count lines, up to the next dump; the position there."""
        dump = _DUMP_BEGINS.search(data, position)
        end = len(data) if dump is None else dump.start()
        self._lines += data.count(b"\n", position, end)
        self._last_lines.extend(data[position:end].rsplit(b"\n", _LAST_LINES + 1)[1:-1])
        del self._last_lines[:-_LAST_LINES]
        return end

    def _take_line(self, line: bytes) -> None:
        if (_DUMP_GOES_ON if self._dump else _DUMP_BEGINS).match(line):
            self._take_dump(line)
            return
        self._end_dump()
        if line.strip():
            self._last_lines.append(line[:_LINE_BYTES])
            del self._last_lines[:-_LAST_LINES]
            self._lines += 1
            log.info(_text([line]), **self.fields)

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
