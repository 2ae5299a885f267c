"""The log of this program: its own events, and the lines of its children as they are."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from typing import Final

from supervisor.logs.descriptors import write_all
from supervisor.logs.formats import stderr_descriptor, write_lines
from supervisor.logs.writer import Writer
from tasks.logs import configure_logging

_writers: Final[list[Writer]] = []
_listeners: Final[list[Callable[[bytes], object]]] = []


def start_log(format: str, levels: Mapping[str, str], **context: object) -> None:
    """Log to standard error from now on. `format` is one of `supervisor.logs.formats`, `context` part of every own line."""
    _writers[:] = [Writer(write_lines(format, stderr_descriptor()))]
    configure_logging(_write_own, levels, **context)


def relay(line: bytes) -> None:
    """Log a line of another process. Never waits."""
    if _writers:
        _writers[0].put(line)
    else:
        write_all(stderr_descriptor(), line + b"\n")


def listen(listener: Callable[[bytes], object]) -> None:
    """Have each line of this process's own, too; `listener` is called in whatever thread logs, and must not wait."""
    _listeners.append(listener)


def unlisten(listener: Callable[[bytes], object]) -> None:
    """The end of `listen`."""
    _listeners.remove(listener)


def _write_own(line: bytes) -> None:
    relay(line)
    for listener in _listeners:
        listener(line)


@atexit.register
def _close() -> None:
    for writer in _writers:
        writer.close()
