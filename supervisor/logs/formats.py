"""How the lines of the log look where they are written: JSON, lines for people, or entries of systemd's journal."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from supervisor.logs.descriptors import write_all
from supervisor.logs.lines import parsed

FORMAT_VARIABLE: Final = "CONNECTD_LOG_FORMAT"
JSON, CONSOLE, JOURNAL = "json", "console", "journal"
_FORMATS: Final = (JSON, CONSOLE, JOURNAL)

WriteLines = Callable[[Sequence[bytes]], None]


def log_format(descriptor: int, environment: Mapping[str, str] = os.environ) -> str:
    """`json`, `console` or `journal`: as `CONNECTD_LOG_FORMAT` says, else what suits where `descriptor` leads.

    Raises ValueError for another value of the variable.
    """
    wanted = environment.get(FORMAT_VARIABLE, "")
    if wanted in _FORMATS:
        return wanted
    if wanted:
        raise ValueError(f"{FORMAT_VARIABLE}={wanted}: expected {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}")
    if is_journal(descriptor, environment.get("JOURNAL_STREAM", "")):
        return JOURNAL
    return CONSOLE if os.isatty(descriptor) else JSON


def is_journal(descriptor: int, stream: str) -> bool:
    """Whether a descriptor is the `stream`, `device:inode`, that systemd has given to this service (systemd.exec(5))."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and stream == f"{found.st_dev}:{found.st_ino}"


def write_lines(format: str, descriptor: int) -> WriteLines:
    """What writes lines of JSON in this format; it may wait for whoever reads them, and raises nothing but OSError."""
    if format == CONSOLE:
        return _for_people(descriptor)
    if format == JOURNAL:
        from supervisor.logs.journal import Journal

        return Journal(descriptor)
    return lambda lines: write_all(descriptor, b"\n".join((*lines, b"")))


def _for_people(descriptor: int) -> WriteLines:
    render = structlog.dev.ConsoleRenderer(
        colors=os.isatty(descriptor), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )

    def text(line: bytes) -> str:
        event = parsed(line)
        event.pop("worker", None)  # it is this one
        local = datetime.fromisoformat(event["timestamp"]).astimezone()
        return str(render(None, "", {**event, "timestamp": f"{local:%H:%M:%S}", "event": event.pop("message", "")}))

    def write(lines: Sequence[bytes]) -> None:
        written = "".join(f"{text(line)}\n" for line in lines)
        write_all(descriptor, written.encode("utf-8", "backslashreplace"))

    return write


def stderr_descriptor() -> int:
    """That of the standard error, whatever stands in for it."""
    return sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
