"""What all workers are doing, as one answer: for the web page."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import msgspec

from connectd.errors import NotFoundException
from supervisor.herder.entities import ConnectorStateInfo
from supervisor.metrics.activity import Activity
from supervisor.metrics.overview import (
    Missing,
    Overview,
    Share,
    UnitActivities,
    Work,
    connector_overview,
    worker_overviews,
    works,
)
from supervisor.rest.answer import JSON, Answer
from supervisor.rest.api import Call
from supervisor.rest.errors import RestException
from supervisor.rest.handlers.plugins import CONNECTOR_CLASS
from supervisor.rest.peers import CLUSTER, WORKER

# The work of each connector by worker.
Known = Mapping[str, Mapping[str, Work]]

# Compressing less than this is not worth it.
_SMALL_BYTES: Final = 1000


async def overview(call: Call) -> Answer:
    api, here = call.api, call.api.peers.worker_id
    own = works(await api.activities(wait_for_lag=False))
    if _only_here(call):
        return _compressed(call, Share(connectors=own, workers=api.peers.known))
    statuses = [status for name in api.herder.connectors() if (status := _status(call, name)) is not None]
    leader = api.peers.leader
    others = api.peers.running(statuses) | {*api.peers.known, leader or here} - {here}
    told, problems = await _ask(call, others)
    # Those that have nothing to run are known to the leader only.
    idle = {worker for share in told.values() for worker in share.workers} - {here, *others}
    more, more_problems = await _ask(call, idle)
    problems |= more_problems
    known: Known = {here: own} | {worker: share.connectors for worker, share in (told | more).items()}
    connectors = [
        connector_overview(each, _class_of(call, each.name), _works_of(known, each.name)) for each in statuses
    ]
    workers = worker_overviews(statuses, known, problems, leader)
    return _compressed(call, Overview(worker_id=here, workers=workers, connectors=connectors))


async def connector_units(call: Call) -> Answer:
    api, name = call.api, call.connector
    status = api.herder.status(name)
    own = [each for each in await api.activities(wait_for_lag=False) if each.connector == name]
    if _only_here(call):
        return _compressed(call, own)
    path = f"/connectd/v1/connectors/{quote(name, safe='')}/activity"
    told, problems = await api.peers.ask(api.peers.running([status]), path, call.headers, list[Activity])
    units = [*own, *(unit for each in told.values() for unit in each)]
    missing = [Missing(worker, reason) for worker, reason in sorted(problems.items())]
    return _compressed(call, UnitActivities(units=units, missing=missing))


async def _ask(call: Call, workers: Iterable[str]) -> tuple[dict[str, Share], dict[str, str]]:
    return await call.api.peers.ask(workers, "/connectd/v1/overview", call.headers, Share)


def _only_here(call: Call) -> bool:
    """Raises RestException."""
    scope = call.query.get("scope", CLUSTER)
    if scope not in (CLUSTER, WORKER):
        raise RestException(HTTPStatus.BAD_REQUEST, f"scope is {scope!r}: expected {CLUSTER} or {WORKER}")
    return scope == WORKER


def _status(call: Call, name: str) -> ConnectorStateInfo | None:
    """None for a connector that has none yet, or was deleted meanwhile."""
    try:
        return call.api.herder.status(name)
    except NotFoundException:
        return None


def _class_of(call: Call, name: str) -> str:
    try:
        return call.api.herder.info(name).config.get(CONNECTOR_CLASS, "")
    except NotFoundException:
        return ""


def _works_of(known: Known, name: str) -> Iterator[Work]:
    return (works[name] for works in known.values() if name in works)


def _compressed(call: Call, body: Any) -> Answer:
    data = msgspec.json.encode(body)
    headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
    if len(data) < _SMALL_BYTES or not call.takes_gzip:
        return Answer(data, headers=headers)
    return Answer(gzip.compress(data, 1), headers={**headers, "Content-Encoding": "gzip"})
