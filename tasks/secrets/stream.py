"""A text stream that shows no resolved values: what plugins print ends up in the log, and in traces."""

from __future__ import annotations

import io
import threading
from typing import BinaryIO, TextIO

from tasks.secrets.masking import mask


class MaskedStream(io.TextIOBase):
    """Writes whole lines to `stream`, masked; the rest of one when it is flushed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._unfinished = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            lines, end, self._unfinished = (self._unfinished + text).rpartition("\n")
            if end:
                self._write(lines + end)
        return len(text)

    def flush(self) -> None:
        with self._lock:
            unfinished, self._unfinished = self._unfinished, ""
            self._write(unfinished)

    def _write(self, text: str) -> None:
        self._stream.write(mask(text))
        self._stream.flush()

    @property
    def buffer(self) -> BinaryIO:
        """For bytes, which are written as they are."""
        return self._stream.buffer

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()
