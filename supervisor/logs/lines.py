"""Lines of the log as bytes: made here where nobody logs them, and read for the REST API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from operator import itemgetter
from typing import Any, Final, TypeVar

import msgspec
import orjson

from supervisor.logs.entities import LogLine
from tasks.logs import LEVELS, level_name

# Who speaks about lines that are not there.
LOGGER: Final = "supervisor.logs"

_TIME_LENGTH: Final = len('{"timestamp":"2026-01-01T00:00:00.000000Z"')

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_KNOWN: Final = frozenset(
    {"timestamp", "level", "logger", "message", "connector", "task", "worker", "pid", "exception"}
)


def make_line(level: str, logger: str, message: str, **fields: object) -> bytes:
    """A line of now."""
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return _encoder.encode({"timestamp": now, "level": level, "logger": logger, "message": message, **fields})


def parsed(line: bytes) -> dict[str, Any]:
    """The event of a line."""
    try:
        event: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:  # numbers beyond 64 bits, half characters
        event = json.loads(line)
    return event


def shown(event: Mapping[str, Any], worker_id: str) -> LogLine:
    """An event as the REST API shows it; `worker_id` is for those that were logged before the worker knew how it is called."""
    task, pid, exception = event.get("task"), event.get("pid"), event.get("exception")
    return LogLine(
        timestamp=str(event.get("timestamp", "")),
        level=level_name(number_of(event)),
        logger=str(event.get("logger", "")),
        message=str(event.get("message", "")),
        connector=str(event.get("connector", "")),
        task=task if isinstance(task, int) else None,
        worker_id=str(event.get("worker", worker_id)),
        pid=pid if isinstance(pid, int) else None,
        exception=exception if isinstance(exception, str) else None,
        fields={name: value for name, value in event.items() if name not in _KNOWN},
    )


def time_of(line: bytes) -> bytes:
    """When a line was logged: what sorts lines and rows of JSON, which begin with it."""
    return line[:_TIME_LENGTH]


def in_order(sources: Iterable[Sequence[T]], time: Callable[[T], Any]) -> list[T]:
    """The lines of all sources by time, and those of each in the order in which they came: what is printed has the time at which
    the supervisor reads it, and what was logged later may have an earlier one."""
    timed = [each for source in sources for each in zip(accumulate(map(time, source), max), source, strict=True)]
    return [line for _, line in sorted(timed, key=itemgetter(0))]


def number_of(event: Mapping[str, Any]) -> int:
    """The level of an event as a number that can be compared."""
    return LEVELS.get(str(event.get("level", "")).upper(), LEVELS["INFO"])
