"""The last lines of a connector and its tasks, of all workers, and those that come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec

from supervisor.log_levels import is_level
from supervisor.logs.entities import Lines, LogLine, MissingLines
from supervisor.logs.followers import MAX_FOLLOWERS
from supervisor.logs.lines import in_order, number_of, parsed, shown, time_of
from supervisor.rest.answer import Answer
from supervisor.rest.api import Call
from supervisor.rest.errors import RestException, unavailable
from supervisor.rest.handlers.connectors import task_number
from supervisor.rest.log_streams import Merged, Rows, Source
from supervisor.rest.peers import CLUSTER, WORKER
from tasks.logs import LEVELS

DEFAULT_LINES: Final = 200
MAX_LINES: Final = 100_000
NDJSON: Final = "application/x-ndjson"
# So often it is looked whether somebody still reads, and whether tasks are somewhere else.
_LOOK_S: Final = 1.0

_encoder = msgspec.json.Encoder()


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for. `task` None is the connector with all of its tasks."""

    connector: str
    task: int | None
    lines: int
    level: int

    @property
    def path(self) -> str:
        """Where other workers are asked for the same."""
        task = "" if self.task is None else f"/tasks/{self.task}"
        return f"/connectd/v1/connectors/{quote(self.connector, safe='')}{task}/logs"


async def connector_logs(call: Call) -> Answer:
    return await _logs(call, None)


async def task_logs(call: Call) -> Answer:
    return await _logs(call, task_number(call))


async def _logs(call: Call, task: int | None) -> Answer:
    wanted = Wanted(call.connector, task, _count(call), LEVELS[_level(call)])
    others = _others(call, wanted)
    if call.flag("follow"):
        return _follow(call, wanted)
    query = {name: call.query[name] for name in ("lines", "level") if name in call.query}
    told, problems = await call.api.peers.ask(others, wanted.path, call.headers, Lines, query)
    own = _own_rows(call, wanted, call.api.tails.lines(wanted.connector, wanted.task))
    lines = in_order([own, *(each.lines for each in told.values())], lambda line: line.timestamp)
    missing = [MissingLines(worker, reason) for worker, reason in sorted(problems.items())]
    return Answer(Lines(lines[max(0, len(lines) - wanted.lines) :], missing))


def _own_rows(call: Call, wanted: Wanted, tails: Iterable[Sequence[bytes]]) -> list[LogLine]:
    """The last of these, the oldest first."""
    found: list[LogLine] = []
    for line in reversed(in_order(tails, time_of)):
        if len(found) == wanted.lines:
            break
        if (row := _shown(call, wanted, line)) is not None:
            found.append(row)
    return found[::-1]


def _shown(call: Call, wanted: Wanted, line: bytes) -> LogLine | None:
    """None for one of a lower level."""
    event = parsed(line)
    return shown(event, call.api.peers.worker_id) if number_of(event) >= wanted.level else None


def _others(call: Call, wanted: Wanted) -> set[str]:
    """The other workers to ask. Raises NotFoundException for an unknown connector or task, RestException."""
    herder, peers = call.api.herder, call.api.peers
    status = herder.status(wanted.connector)
    if wanted.task is not None:
        status = msgspec.structs.replace(status, tasks=[herder.task_status(wanted.connector, wanted.task)])
    scope = call.query.get("scope", CLUSTER)
    if scope not in (CLUSTER, WORKER):
        raise RestException(HTTPStatus.BAD_REQUEST, f"scope is {scope!r}: expected {CLUSTER} or {WORKER}")
    return set() if scope == WORKER else peers.running([status])


# --- those that come --------------------------------------------------------------------------------------------------


def _follow(call: Call, wanted: Wanted) -> Answer:
    def sources() -> dict[str, Source]:
        return {worker: partial(_of_peer, call, wanted, worker) for worker in _others(call, wanted)}

    followers = call.api.tails.followers
    if not followers.has_room:
        raise unavailable(f"{MAX_FOLLOWERS} follow the logs of this worker already")

    async def own(lines: int) -> AsyncGenerator[Rows]:
        follower = followers.open(wanted.connector, wanted.task)
        try:
            kept = call.api.tails.lines(wanted.connector, wanted.task)
            yield [_encoder.encode(row) for row in _own_rows(call, wanted, kept)]
            known = {line for tail in kept for line in tail}  # some of them may have come to the follower too
            while (come := await follower.take(_LOOK_S)) is not None:
                rows = (_shown(call, wanted, line) for line in come if line not in known)
                yield [_encoder.encode(row) for row in rows if row is not None]
                known.clear()
        finally:
            followers.close(follower)

    headers = {"Content-Type": NDJSON, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Answer(stream=Merged(wanted.lines, own, sources).chunks(), headers=headers)


async def _of_peer(call: Call, wanted: Wanted, worker: str, lines: int) -> AsyncGenerator[Rows]:
    """Rows of another worker: the first ones, up to an empty row, then those that come."""
    query = {"lines": str(lines), "level": _level(call), "follow": "true"}
    first: list[bytes] | None = []
    async for rows in call.api.peers.follow(worker, wanted.path, call.headers, query):
        if first is None:
            yield [row for row in rows if row]
            continue
        end = rows.index(b"") if b"" in rows else len(rows)
        first += rows[:end]
        if end < len(rows):
            yield first
            yield [row for row in rows[end:] if row]
            first = None


# --- parameters -------------------------------------------------------------------------------------------------------


def _count(call: Call) -> int:
    text = call.query.get("lines", str(DEFAULT_LINES))
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) > MAX_LINES:
        raise RestException(HTTPStatus.BAD_REQUEST, f"lines is {text!r}: expected a number from 0 to {MAX_LINES}")
    return int(text)


def _level(call: Call) -> str:
    level = call.query.get("level", "ALL")
    if not is_level(level):
        raise RestException(HTTPStatus.BAD_REQUEST, f"level is {level!r}: expected one of {', '.join(LEVELS)}")
    return level.upper()
