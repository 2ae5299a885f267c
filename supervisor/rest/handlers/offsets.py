"""The offsets of a connector: `/connectors/{connector}/offsets` (KIP-875)."""

from __future__ import annotations

from http import HTTPStatus

from supervisor.rest.answer import Answer
from supervisor.rest.api import Call
from supervisor.rest.entities import AlterOffsetsRequest, ConnectorOffsets, Message
from supervisor.rest.errors import RestException


async def get_offsets(call: Call) -> Answer:
    return Answer(ConnectorOffsets(await call.api.herder.offsets(call.connector)))


async def alter_connector_offsets(call: Call) -> Answer:
    request: AlterOffsetsRequest = call.body
    if not request.offsets:
        raise RestException(
            HTTPStatus.BAD_REQUEST, "Partitions / offsets need to be provided for an alter offsets request"
        )
    handled = await call.api.herder.alter_offsets(call.connector, request.offsets)
    return Answer(_message("altered", handled=handled))


async def reset_connector_offsets(call: Call) -> Answer:
    handled = await call.api.herder.alter_offsets(call.connector, None)
    return Answer(_message("reset", handled=handled))


def _message(done: str, *, handled: bool) -> Message:
    if handled:
        return Message(f"The offsets for this connector have been {done} successfully")
    return Message(
        f"The Connect framework-managed offsets for this connector have been {done} successfully. However, if this "
        f"connector manages offsets externally, they will need to be manually {done} in the system that the connector uses."
    )
