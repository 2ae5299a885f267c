"""Handlers of what is not Kafka Connect's: metrics, health, and what the tasks of this worker are doing."""

from __future__ import annotations

import asyncio
import gzip
from http import HTTPStatus

from supervisor.metrics.overview import reason_of
from supervisor.metrics.text import CONTENT_TYPE
from supervisor.rest.answer import NO_CONTENT, Answer
from supervisor.rest.api import Call
from supervisor.rest.entities import FailedUnit, Health
from supervisor.rest.errors import RestException
from supervisor.rest.negotiation import accepts_gzip
from tasks.states import State


async def metrics(call: Call) -> Answer:
    text = await call.api.metrics()
    headers = {"Content-Type": CONTENT_TYPE, "Vary": "Accept-Encoding"}
    if not accepts_gzip(call.headers):
        return Answer(text, headers=headers)
    # Lightly, which takes a tenth of the time of the text: of megabytes a sixteenth is left.
    packed = await asyncio.to_thread(gzip.compress, text, compresslevel=1)
    return Answer(packed, headers={**headers, "Content-Encoding": "gzip"})


async def live(call: Call) -> Answer:
    """Whoever reads this has been answered."""
    return Answer(Health("live"))


async def ready(call: Call) -> Answer:
    if call.api.herder.is_ready:
        return Answer(Health("ready"))
    return Answer(Health("starting"), HTTPStatus.SERVICE_UNAVAILABLE)


async def connectors_health(call: Call) -> Answer:
    allowed = _threshold(call.query.get("maxFailed", "0"))
    failed = [
        FailedUnit(unit.connector, unit.task, reason_of(status.trace or ""))
        for unit, status in call.api.statuses().items()
        if status.state is State.FAILED
    ]
    if len(failed) <= allowed:
        return Answer(Health("healthy", failed))
    return Answer(Health("unhealthy", failed), HTTPStatus.SERVICE_UNAVAILABLE)


def _threshold(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise RestException(
            HTTPStatus.BAD_REQUEST, f"maxFailed is {text!r}: expected how many may have failed, 0 or more"
        )
    return int(text)


async def list_units(call: Call) -> Answer:
    return Answer(await call.api.activities())


async def write_connector(call: Call) -> Answer:
    herder, written = call.api.herder, call.body
    if call.signature is not None:
        herder.require_valid(call.signature)
    if written.config is not None and written.config.get("name") != call.connector:
        raise RestException(HTTPStatus.BAD_REQUEST, f"The configuration is not that of {call.connector}")
    await herder.write_connector(call.connector, written.config, written.target_state)
    return NO_CONTENT
