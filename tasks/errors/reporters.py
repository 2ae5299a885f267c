"""Who is told of records that fail: the log, and by `dead_letters` a topic (`ErrorReporter`, `LogReporter` in Kafka)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

import structlog

from tasks.errors.context import ProcessingContext
from tasks.errors.counters import ErrorCounters
from tasks.errors.java_names import java_name

log = structlog.get_logger(__name__)


class ErrorReporter(Protocol):
    """Is told of each record that fails, tolerated or not."""

    def report(self, context: ProcessingContext) -> Future[None]:
        """Report it; the future is done when the report is safe."""

    def await_reports(self, timeout_s: float | None) -> bool:
        """Wait until all reports are safe, or the time is up, by default until the task is to stop; whether they are safe.

        Raises ConnectException if one failed.
        """

    def raise_failure(self) -> None:
        """Raises ConnectException if a report failed for good."""

    def close(self, timeout_s: float) -> None:
        """Called once, at the end of the task."""


class LogReporter:
    """Logs what failed, with the record itself only where `errors.log.include.messages` asks for it."""

    def __init__(self, task: str, counters: ErrorCounters, *, with_records: bool) -> None:
        self._task = task
        self._counters = counters
        self._with_records = with_records

    def report(self, context: ProcessingContext) -> Future[None]:
        details = f", {context.details}" if self._with_records else ""
        log.error(
            f"Error encountered in task {self._task}. Executing stage '{context.stage}' with class "
            f"'{java_name(context.executing_class)}'{details}.",
            exc_info=context.error,
        )
        self._counters.logged += 1
        return done()

    def await_reports(self, timeout_s: float | None) -> bool:
        return True

    def raise_failure(self) -> None:
        """A line in the log does not fail."""

    def close(self, timeout_s: float) -> None:
        """Nothing is open."""


def done() -> Future[None]:
    """A future that is done."""
    future: Future[None] = Future()
    future.set_result(None)
    return future


def all_of(futures: Sequence[Future[None]]) -> Future[None]:
    """Done when all are; with the first error if there is one."""
    pending = [future for future in futures if not future.done() or future.exception() is not None]
    if len(pending) < 2:
        return pending[0] if pending else done()
    together: Future[None] = Future()
    left = len(pending)
    lock = threading.Lock()

    def one_is_done(future: Future[None]) -> None:
        nonlocal left
        with lock:
            left -= 1
            error = future.exception()
            if together.done():
                return
            if error is not None:
                together.set_exception(error)
            elif left == 0:
                together.set_result(None)

    for future in pending:
        future.add_done_callback(one_is_done)
    return together
