"""Questions that only plugin code can answer, put to a child of their own under a deadline."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from connectd.errors import ConnectException
from supervisor.pool import ProcessPool, ProcessStartError
from tasks.messages import ListPlugins, Plugins, Report, Validate, Validated

# Java's REST API gives a connector as long before it answers with an error.
INQUIRY_TIMEOUT_S = 90.0

Answer = TypeVar("Answer", Validated, Plugins)


class InquiryFailed(ConnectException):
    """The child did not answer: it hung, crashed, or could not be started."""


async def ask(pool: ProcessPool, order: Validate | ListPlugins, expected: type[Answer], timeout_s: float) -> Answer:
    """The answer to one order. Raises InquiryFailed. The child is gone afterwards in any case."""
    doing = "validation" if isinstance(order, Validate) else "listing plugins"
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
    if not isinstance(result, expected):
        raise InquiryFailed(f"{doing} was answered by {type(result).__name__}")
    return result
