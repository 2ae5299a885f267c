"""The last lines of each connector and task: kept as they are, and packed, for most are never read."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec

from supervisor.logs.followers import Followers
from supervisor.logs.log import relay
from supervisor.units.lifecycle import UnitId

# So many lines are packed together: what has logged little, as most have, is not packed at all.
_PACKED_LINES: Final = 64
_PACKED_BYTES: Final = 32 * 1024
# Of one connector or task, before they are packed. A longer line is not kept.
MAX_BYTES: Final = 512 * 1024


class Tail:
    """The last lines of one connector or task, `keep` at least unless they are too long, and not many more."""

    __slots__ = ("_bytes", "_lines", "_packed", "_packed_bytes", "_packed_lines", "keep")

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self._lines: list[bytes] = []
        self._bytes = 0
        # Blocks with their numbers of lines and of bytes before they were packed.
        self._packed: Sequence[tuple[int, int, bytes]] = ()
        self._packed_lines = 0
        self._packed_bytes = 0

    def add(self, line: bytes) -> None:
        """Keep a line, which has no line end in it, and forget the oldest ones."""
        if len(line) > MAX_BYTES // 2:
            return
        self._lines.append(line)
        self._bytes += len(line)
        if len(self._lines) >= _PACKED_LINES or self._bytes >= _PACKED_BYTES:
            self._pack()
        while self._packed and (
            self._packed_lines - self._packed[0][0] + len(self._lines) >= self.keep
            or self._packed_bytes + self._bytes > MAX_BYTES
        ):
            self._forget_block()

    def lines(self) -> list[bytes]:
        """The last lines, the oldest first, no more than there are to be kept."""
        found = [line for _, _, block in self._packed for line in zlib.decompress(block).split(b"\n")]
        return [*found, *self._lines][-self.keep :] if self.keep else []

    def _pack(self) -> None:
        block = zlib.compress(b"\n".join(self._lines), level=1)
        self._packed = [*self._packed, (len(self._lines), self._bytes, block)]
        self._packed_lines += len(self._lines)
        self._packed_bytes += self._bytes
        self._lines.clear()
        self._bytes = 0

    def _forget_block(self) -> None:
        (lines, size, _), *rest = self._packed
        self._packed = rest
        self._packed_lines -= lines
        self._packed_bytes -= size


class _Named(msgspec.Struct):
    connector: str = ""
    task: int | None = None


_named = msgspec.json.Decoder(_Named)


class Tails:
    """The tails of all connectors and tasks of a worker, and who follows them. May be used from any thread."""

    def __init__(self) -> None:
        self.followers = Followers()
        self._tails: dict[UnitId, Tail] = {}
        self._lock = threading.Lock()

    def set_size(self, unit: UnitId, lines: int) -> None:
        """Keep so many lines of a connector or task from now on."""
        with self._lock:
            if (tail := self._tails.get(unit)) is not None:
                tail.keep = lines
            else:
                self._tails[unit] = Tail(lines)

    def add(self, unit: UnitId, line: bytes) -> None:
        """A line that a connector or task has logged, or that was logged about it; for who follows it too."""
        with self._lock:
            if (tail := self._tails.get(unit)) is None:
                return
            tail.add(line)
        self.followers.add(unit, line)

    def keep_only(self, unit: UnitId, lines: Sequence[bytes]) -> None:
        """Lines that nobody gets to see but who asks for the last ones."""
        with self._lock:
            if (tail := self._tails.get(unit)) is not None:
                for line in lines[-tail.keep :] if tail.keep else ():
                    tail.add(line)

    def listen(self, line: bytes) -> None:
        """A line of the supervisor itself: it is kept if it names a connector."""
        if b'"connector":' in line:
            try:
                named = _named.decode(line)
            except msgspec.DecodeError:  # another thing of that name
                return
            self.add(UnitId(named.connector, named.task), line)

    def forget(self, unit: UnitId) -> None:
        """There is no such connector or task any more. Lines of tasks stay as long as their connector: it may be stopped now."""
        with self._lock:
            if unit.task is None:
                self._tails = {each: tail for each, tail in self._tails.items() if each.connector != unit.connector}
            elif UnitId(unit.connector) not in self._tails:
                self._tails.pop(unit, None)

    def lines(self, connector: str, task: int | None = None) -> list[list[bytes]]:
        """The last lines of a connector and each of its tasks, or of one task, as they came."""
        with self._lock:
            tails = [
                tail for unit, tail in self._tails.items() if unit.connector == connector and task in (None, unit.task)
            ]
        found = []
        for tail in tails:
            with self._lock:
                found.append(tail.lines())
        return found


class Relay:
    """Lines of a process that is nobody's: they go to the log."""

    __slots__ = ()

    def write(self, line: bytes) -> None:
        relay(line)

    def keep(self, lines: Sequence[bytes]) -> None:
        """Nobody could ask for them."""


class UnitLines:
    """Lines of a process of one connector or task."""

    __slots__ = ("_tails", "_unit")

    def __init__(self, tails: Tails, unit: UnitId) -> None:
        self._tails = tails
        self._unit = unit

    def write(self, line: bytes) -> None:
        relay(line)
        self._tails.add(self._unit, line)

    def keep(self, lines: Sequence[bytes]) -> None:
        self._tails.keep_only(self._unit, lines)
