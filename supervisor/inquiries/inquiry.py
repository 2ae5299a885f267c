"""Questions that only plugin code or a Kafka client can answer, put to a child of their own under a deadline."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

from connectd.errors import ConnectException
from supervisor.inquiries import staying
from supervisor.processes.pool import ProcessPool, ProcessStartError
from supervisor.processes.process import STACK_DUMP_S
from tasks.limits import limits_of
from tasks.messages import (
    AlterOffsets,
    ClusterDescribed,
    DescribeCluster,
    DescribePlugin,
    DigestReferences,
    FenceProducers,
    GroupsLeft,
    Inquiry,
    LagMeasured,
    LeaveGroups,
    LettersReplayed,
    ListOffsets,
    ListPlugins,
    MeasureLag,
    OffsetsAltered,
    OffsetsListed,
    PluginConfig,
    Plugins,
    ProducersFenced,
    Reason,
    ReferencesDigested,
    Refused,
    ReplayLetters,
    Report,
    ResolveWorkerConfig,
    Stays,
    TransformsTried,
    TryTransforms,
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
    LagMeasured,
    OffsetsListed,
    OffsetsAltered,
    GroupsLeft,
    ProducersFenced,
    WorkerConfigResolved,
    ReferencesDigested,
    TransformsTried,
    LettersReplayed,
)

_DOING: Final = {
    Validate: "validation",
    ListPlugins: "listing plugins",
    DescribePlugin: "describing a plugin",
    DescribeCluster: "asking Kafka for its cluster id",
    MeasureLag: "measuring the lag of sinks",
    ListOffsets: "reading offsets",
    AlterOffsets: "changing offsets",
    LeaveGroups: "leaving groups",
    FenceProducers: "fencing producers",
    ResolveWorkerConfig: "resolving secrets",
    DigestReferences: "resolving secrets",
    TryTransforms: "trying transformations",
    ReplayLetters: "replaying dead letters",
}


class InquiryFailed(ConnectException):
    """The child did not answer: it hung, crashed, or could not be started."""


class InquiryRefused(ConnectException):
    """The child answered that it cannot; `reason` says what kind of thing it was."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def ask(pool: ProcessPool, order: Inquiry, expected: type[Answer], timeout_s: float | None = None) -> Answer:
    """The answer to one order, by default within `connector.hang.timeout.ms`. Raises InquiryFailed or InquiryRefused.

    The child is gone afterwards, but for one that stays for the next question.
    """
    doing = _DOING[type(order)]
    timeout_s = limits_of(order).connector_hang_s if timeout_s is None else timeout_s
    try:
        child = staying.take(pool, order) or await pool.take()
    except ProcessStartError as error:
        raise InquiryFailed(f"{doing} is not possible: {error}") from error
    answer: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
    stays = False

    def on_report(report: Report) -> None:
        nonlocal stays
        if isinstance(report, Stays):
            stays = True
        elif not answer.done():
            answer.set_result(report)

    child.on_report = on_report
    child.begin(order, fields=_log_fields(order))
    try:
        await asyncio.wait((answer, child.exited), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() and not child.exited.done():
            child.dump_stacks()
            await asyncio.wait((child.exited,), timeout=STACK_DUMP_S)
            raise InquiryFailed(f"{doing} hung: no answer after {timeout_s:g} s")
    finally:
        if stays and answer.done():
            staying.keep(pool, child, order)
        else:
            child.kill(f"{doing} is over")
    if not answer.done():
        raise InquiryFailed(f"{doing} ended its process: {child.exited.result().account}")
    result = answer.result()
    if isinstance(result, Refused):
        raise InquiryRefused(result.reason, result.error)
    if not isinstance(result, expected):
        raise InquiryFailed(f"{doing} was answered by {type(result).__name__}")
    return result


def _log_fields(order: Inquiry) -> dict[str, object]:
    name = order.config.get("name") if isinstance(order, Validate | ListOffsets | AlterOffsets) else None
    return {} if name is None else {"connector": name}
