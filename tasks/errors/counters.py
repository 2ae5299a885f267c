"""What the error handling of a task counts, under the attribute names of Kafka's task-error-metrics group."""

from __future__ import annotations

import time


class ErrorCounters:
    """Plain attributes, touched only when something fails; the heartbeat reads them (`ErrorHandlingMetrics` in Kafka)."""

    def __init__(self) -> None:
        self.failures = 0
        self.errors = 0
        self.skipped = 0
        self.retries = 0
        self.logged = 0
        self.dlq_requests = 0
        self.dlq_failures = 0
        self.last_error_ms = 0

    def note_error_time(self) -> None:
        """Something has failed for good just now."""
        self.last_error_ms = int(time.time() * 1000)

    def snapshot(self) -> dict[str, float]:
        """For the heartbeat; the time is in ms since the epoch, 0 for never."""
        return {
            "total-record-failures": self.failures,
            "total-record-errors": self.errors,
            "total-records-skipped": self.skipped,
            "total-retries": self.retries,
            "total-errors-logged": self.logged,
            "deadletterqueue-produce-requests": self.dlq_requests,
            "deadletterqueue-produce-failures": self.dlq_failures,
            "last-error-timestamp": self.last_error_ms,
        }
