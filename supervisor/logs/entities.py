"""Log lines as the REST API shows them."""

from __future__ import annotations

from typing import Any

import msgspec


class LogLine(msgspec.Struct, kw_only=True):
    """One event. `timestamp` is ISO 8601 in UTC, `level` log4j's name; `task` is None for the connector itself.

    `fields` is what else the event has.
    """

    timestamp: str
    level: str
    logger: str
    message: str
    connector: str
    task: int | None
    worker_id: str
    pid: int | None
    exception: str | None = None
    fields: dict[str, Any] = {}


class MissingLines(msgspec.Struct):
    """A worker whose lines are not there."""

    worker_id: str
    reason: str


class Lines(msgspec.Struct):
    """The last lines of a connector or task, the oldest first."""

    lines: list[LogLine]
    missing: list[MissingLines] = []
