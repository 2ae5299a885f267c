"""The topics that a connector uses: `/connectors/{connector}/topics` (KIP-558)."""

from __future__ import annotations

from http import HTTPStatus

from supervisor.rest.answer import ACCEPTED, Answer
from supervisor.rest.api import Call
from supervisor.rest.entities import ActiveTopics
from supervisor.rest.errors import RestException


async def get_connector_active_topics(call: Call) -> Answer:
    _require(call.api.topic_tracking, "Topic tracking is disabled.")
    return Answer({call.connector: ActiveTopics(call.api.herder.active_topics(call.connector))})


async def reset_connector_active_topics(call: Call) -> Answer:
    _require(call.api.topic_tracking, "Topic tracking is disabled.")
    _require(call.api.topic_tracking_reset, "Topic tracking reset is disabled.")
    await call.api.herder.reset_active_topics(call.connector)
    return ACCEPTED


def _require(enabled: bool, message: str) -> None:
    if not enabled:
        raise RestException(HTTPStatus.FORBIDDEN, message)
