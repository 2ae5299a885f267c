"""Tells a person how far a long run is: one line that is rewritten on a terminal, else a line every few seconds."""

from __future__ import annotations

import os
import shutil
import time
from typing import TextIO

_INTERVAL_S = 3.0
_CLEAR_TO_END = "\x1b[K"


class Progress:
    """Lines that stay (`line`), and between them what is going on (`update`)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rewrites = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._pending = False
        self._last = ""
        self._told_at = time.monotonic()

    def line(self, text: str = "") -> None:
        """Print a line that stays."""
        self._write(f"{self._clear()}{text}\n")
        self._pending = False

    def update(self, text: str) -> None:
        """Say what is going on now; without a terminal not more often than every few seconds."""
        if text == self._last:
            return
        self._last = text
        if self._rewrites:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r{text[:width]}{_CLEAR_TO_END}")
            self._pending = True
        elif time.monotonic() - self._told_at >= _INTERVAL_S:
            self._write(f"{text}\n")

    def _clear(self) -> str:
        return f"\r{_CLEAR_TO_END}" if self._pending else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
        self._told_at = time.monotonic()
