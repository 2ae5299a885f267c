"""Questions that only plugin code or a Kafka client can answer, put to a child of their own under a deadline."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

from connectd.errors import ConnectException
from supervisor.pool import ProcessPool, ProcessStartError
from tasks.messages import (
    AlterOffsets,
    ClusterDescribed,
    DescribeCluster,
    DescribePlugin,
    DigestReferences,
    GroupsLeft,
    Inquiry,
    LeaveGroups,
    ListOffsets,
    ListPlugins,
    OffsetsAltered,
    OffsetsListed,
    PluginConfig,
    Plugins,
    Reason,
    ReferencesDigested,
    Refused,
    Report,
    ResolveWorkerConfig,
    Validate,
    Validated,
    WorkerConfigResolved,
)

# Java's REST API gives a connector as long before it answers with an error.
INQUIRY_TIMEOUT_S = 90.0

Answer = TypeVar(
    "Answer",
    Validated,
    Plugins,
    PluginConfig,
    ClusterDescribed,
    OffsetsListed,
    OffsetsAltered,
    GroupsLeft,
    WorkerConfigResolved,
    ReferencesDigested,
)

_DOING: Final = {
    Validate: "validation",
    ListPlugins: "listing plugins",
    DescribePlugin: "describing a plugin",
    DescribeCluster: "asking Kafka for its cluster id",
    ListOffsets: "reading offsets",
    AlterOffsets: "changing offsets",
    LeaveGroups: "leaving groups",
    ResolveWorkerConfig: "resolving secrets",
    DigestReferences: "resolving secrets",
}


class InquiryFailed(ConnectException):
    """The child did not answer: it hung, crashed, or could not be started."""


class InquiryRefused(ConnectException):
    """The child answered that it cannot; `reason` says what kind of thing it was."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def ask(pool: ProcessPool, order: Inquiry, expected: type[Answer], timeout_s: float) -> Answer:
    """The answer to one order. Raises InquiryFailed or InquiryRefused. The child is gone afterwards in any case."""
    doing = _DOING[type(order)]
    try:
        child = await pool.take()
    except ProcessStartError as error:
        raise InquiryFailed(f"{doing} is not possible: {error}") from error
    answer: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
    child.on_report = lambda report: None if answer.done() else answer.set_result(report)
    child.send(order)
    try:
        await asyncio.wait((answer, child.exited), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        child.kill(f"{doing} is over")
    if not answer.done():
        ended = child.exited.done() and child.exited.result()
        raise InquiryFailed(
            f"{doing} ended its process: {ended}" if ended else f"{doing} hung: no answer after {timeout_s:g} s"
        )
    result = answer.result()
    if isinstance(result, Refused):
        raise InquiryRefused(result.reason, result.error)
    if not isinstance(result, expected):
        raise InquiryFailed(f"{doing} was answered by {type(result).__name__}")
    return result
