"""Entries of systemd's journal, with connector and task as fields that `journalctl` can be asked for."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from logging_journald import JournaldTransport

from supervisor.logs.descriptors import write_all
from supervisor.logs.lines import parsed

# Of syslog(3), by Python's names of levels.
_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
# Where an entry says it in fields of its own, or in those that every program has.
_IN_FRONT: Final = ("timestamp", "level", "logger", "message", "exception", "connector", "task", "pid", "worker")
_IN_ENTRIES: Final = ("connector", "task", "worker", "logger")
_NO_FIELD_NAME: Final = re.compile(r"[^A-Z0-9_]")
_NAME_LENGTH: Final = 55


class Journal:
    """Sends entries with fields to journald; if that cannot be reached, lines with a priority (sd-daemon(3)) to `descriptor`."""

    def __init__(self, descriptor: int, socket_path: str | None = None) -> None:
        self._descriptor = descriptor
        self._transport = JournaldTransport(socket_path, connected=False)

    def __call__(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            event = parsed(line)
            try:
                self._transport.send(entry(event))
            except OSError:
                write_all(self._descriptor, b"<%d>%s\n" % (_priority(event), line))


def entry(event: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The fields of a journal entry (systemd.journal-fields(7)): what is connectd's begins with `CONNECTD_`."""
    yield "MESSAGE", _message(event)
    yield "PRIORITY", str(_priority(event))
    yield "SYSLOG_IDENTIFIER", "connectd"
    yield "SYSLOG_PID", str(event.get("pid", os.getpid()))
    for name, value in event.items():
        if name in _IN_ENTRIES or name not in _IN_FRONT:
            yield f"CONNECTD_{_NO_FIELD_NAME.sub('_', name.upper())[:_NAME_LENGTH]}", _text(value)


def _message(event: Mapping[str, Any]) -> str:
    """What people read, who see nothing else of an entry."""
    unit = "-".join(_text(event[name]) for name in ("connector", "task") if name in event)
    more = "".join(f" {name}={_text(value)}" for name, value in event.items() if name not in _IN_FRONT)
    trace = f"\n{event['exception']}" if "exception" in event else ""
    return _encodable(f"{f'[{unit}] ' if unit else ''}{event.get('message', '')}{more}{trace}")


def _priority(event: Mapping[str, Any]) -> int:
    return _PRIORITIES.get(event.get("level", ""), 6)


def _text(value: Any) -> str:
    return _encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
