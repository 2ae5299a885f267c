"""The one operator that every stage of a task goes through: it retries, tolerates, counts and reports.

Follows `org.apache.kafka.connect.runtime.errors.RetryWithToleranceOperator` (KIP-298, KIP-610). What works costs nothing:
batches go through the stages without it, and only where that fails it is asked, record by record.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from connectd.errors import ConnectException, RetriableException
from tasks.errors.context import ProcessingContext
from tasks.errors.counters import ErrorCounters
from tasks.errors.reporters import ErrorReporter, all_of
from tasks.errors.settings import ErrorSettings
from tasks.errors.stages import Stage

T = TypeVar("T")

RETRIES_DELAY_MIN_MS = 300


class RetryAbandoned(Exception):
    """The task was ordered to stop while a record was to be tried again: it stays unprocessed, its offset uncommitted."""


class RetryWithToleranceOperator:
    """`wait` sleeps for so many seconds, and tells whether the task was ordered to stop meanwhile.

    All methods but `execute` may be called from any thread.
    """

    def __init__(
        self,
        settings: ErrorSettings,
        wait: Callable[[float], bool],
        reporters: Sequence[ErrorReporter] = (),
        counters: ErrorCounters | None = None,
    ) -> None:
        self.settings = settings
        self.counters = counters or ErrorCounters()
        self._wait = wait
        self._reporters = reporters
        self._lock = threading.Lock()

    @classmethod
    def plain(cls) -> RetryWithToleranceOperator:
        """Of a task whose connector says nothing about errors: the first one fails it."""
        return cls(ErrorSettings(), lambda seconds: False)

    @property
    def reports(self) -> bool:
        """Whether anybody is told of errors."""
        return bool(self._reporters)

    @property
    def is_plain(self) -> bool:
        """Whether the first error fails the task and nobody else is told: then nothing needs to be tried ahead of time."""
        return not (self._reporters or self.settings.tolerates or self.settings.retry_timeout_ms)

    def execute(
        self,
        context: ProcessingContext,
        stage: Stage,
        executing_class: type,
        operation: Callable[..., T],
        *arguments: Any,
    ) -> T | None:
        """What the operation returns; None, with `context.failed`, if its error is tolerated or the record failed before.

        Raises ConnectException for an error that is not tolerated, RetryAbandoned when the task is ordered to stop meanwhile.
        """
        if context.failed:
            return None
        context.stage, context.executing_class = stage, executing_class
        try:
            return self._retry(context, operation, arguments)
        except RetryAbandoned:
            raise
        except Exception as error:
            self.counters.failures += 1
            self.counters.errors += 1
            self.counters.note_error_time()
            context.error = error
            self._report(context)
            if not self.settings.tolerates:
                raise exceeded(context) from error
            self.counters.skipped += 1
            return None

    def execute_failed(
        self, context: ProcessingContext, stage: Stage, executing_class: type, error: BaseException
    ) -> Future[None]:
        """Handle what has failed elsewhere; the future is done when all reporters are.

        Raises ConnectException for an error that is not tolerated, after it was reported.
        """
        with self._lock:
            context.stage, context.executing_class, context.error = stage, executing_class, error
            self.counters.failures += 1
            self.counters.note_error_time()
            self._report(context)
            if not self.settings.tolerates:
                self.counters.errors += 1
                raise exceeded(context) from error
            return context.reported

    def raise_failure(self) -> None:
        """Raises ConnectException if a report failed for good."""
        for reporter in self._reporters:
            reporter.raise_failure()

    def await_reports(self, timeout_s: float | None = None) -> bool:
        """Wait until all that was reported is safe, but no longer than until the task is ordered to stop, or for the time
        that is given; whether it is. Raises ConnectException if a report failed for good."""
        return all(reporter.await_reports(timeout_s) for reporter in self._reporters)

    def close(self, timeout_s: float) -> None:
        """Close the reporters, which have so long to end what they began."""
        for reporter in self._reporters:
            reporter.close(timeout_s)

    def _report(self, context: ProcessingContext) -> None:
        context.reported = all_of([reporter.report(context) for reporter in self._reporters])

    def _retry(self, context: ProcessingContext, operation: Callable[..., T], arguments: Sequence[Any]) -> T:
        timeout_ms = self.settings.retry_timeout_ms
        deadline = time.monotonic() + timeout_ms / 1000 if timeout_ms >= 0 else float("inf")
        context.attempt = 0
        while True:
            context.attempt += 1
            try:
                return operation(*arguments)
            except RetriableException:
                self.counters.failures += 1
                now = time.monotonic()
                if now >= deadline:
                    raise
            if self._wait(min(self._delay_s(context.attempt), deadline - now)):
                raise RetryAbandoned
            self.counters.retries += 1

    def _delay_s(self, attempt: int) -> float:
        delay_ms: float = RETRIES_DELAY_MIN_MS << min(attempt - 1, 32)
        if delay_ms > self.settings.retry_delay_max_ms:
            # Not all tasks at the same time.
            delay_ms = random.uniform(0, self.settings.retry_delay_max_ms)
        return delay_ms / 1000


def exceeded(context: ProcessingContext) -> ConnectException:
    """The error that fails the task; it names the record, and what was to be done with it."""
    error = context.error
    return ConnectException(
        f"Tolerance exceeded in error handler: Cannot {context.stage.attempt} {context.place}: {type(error).__name__}: {error}"
    )
