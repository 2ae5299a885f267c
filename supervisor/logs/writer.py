"""A thread that writes the log, so that nobody waits for whoever reads it: what is too much for them is counted and left out."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import deque
from typing import Final

from supervisor.logs.formats import WriteLines
from supervisor.logs.lines import LOGGER, make_line

MAX_WAITING_BYTES: Final = 4 << 20
_AT_ONCE: Final = 200
# For so long the end of the process waits for its last lines to be read.
CLOSE_TIMEOUT_S: Final = 2.0


class Writer:
    """Hands lines to `write_lines`, which may block. `put` may be called from any thread and never waits."""

    def __init__(self, write_lines: WriteLines, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        self._write_lines = write_lines
        self._max_waiting_bytes = max_waiting_bytes
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._bytes = 0  # of what waits, and of what is being written
        self._left_out = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Have a line written, or left out if too many wait."""
        with self._changed:
            if self._bytes + len(line) > self._max_waiting_bytes:
                self._left_out += 1
                return
            self._append(line)
            self._changed.notify()

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write what waits, if it is read in time."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _append(self, line: bytes) -> None:
        self._waiting.append(line)
        self._bytes += len(line)

    def _run(self) -> None:
        # Signals are the main thread's: it ignores some at its end, which would come here and end the process.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while lines := self._next_lines():
            with contextlib.suppress(OSError):  # nobody is there to read, nor to be told
                self._write_lines(lines)
            self._written(sum(map(len, lines)))

    def _next_lines(self) -> list[bytes]:
        """Empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]

    def _written(self, count: int) -> None:
        with self._changed:
            self._bytes -= count
            if self._left_out and not self._waiting:
                message = f"{self._left_out} lines of the log were left out: whoever reads it does not keep up"
                self._append(make_line("warning", LOGGER, message))
                self._left_out = 0
