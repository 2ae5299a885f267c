"""What a source task counts, under the attribute names of Kafka's ConnectMetricsRegistry."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

# As metrics.sample.window.ms by default, of which there are two.
SAMPLE_S: Final = 30.0


class _Sample(NamedTuple):
    transactions: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def plus(self, size: int) -> _Sample:
        least = min(self.least, size) if self.transactions else size
        return _Sample(self.transactions + 1, self.total + size, least, max(self.most, size))


class TransactionSizes:
    """How many records transactions had, in the last minute or half of it, as Kafka's metrics have it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._now = self._before = _Sample()

    def record(self, size: int) -> None:
        """One that was committed."""
        self._turn()
        self._now = self._now.plus(size)

    def snapshot(self) -> dict[str, float]:
        """Nothing if there was none."""
        self._turn()
        samples = [sample for sample in (self._before, self._now) if sample.transactions]
        if not samples:
            return {}
        return {
            "transaction-size-avg": sum(each.total for each in samples) / sum(each.transactions for each in samples),
            "transaction-size-min": min(each.least for each in samples),
            "transaction-size-max": max(each.most for each in samples),
        }

    def _turn(self) -> None:
        elapsed_s = self._clock() - self._began
        if elapsed_s >= SAMPLE_S:
            self._before = self._now if elapsed_s < 2 * SAMPLE_S else _Sample()
            self._now = _Sample()
            self._began = self._clock()


class SourceCounters:
    """Plain attributes: the loop adds to them once a batch, the heartbeat reads them."""

    def __init__(self) -> None:
        self.polled = 0
        self.written = 0
        self.polls = 0
        self.poll_s = 0.0
        self.poll_max_s = 0.0
        self.commits = 0
        self.commit_failures = 0
        self.commit_s = 0.0
        self.commit_max_s = 0.0
        self.active = 0
        self.batch_max = 0
        self.lag: dict[str, float] = {}
        self.transactions = TransactionSizes()

    def record_poll(self, count: int, seconds: float) -> None:
        """A poll that returned records."""
        self.polled += count
        self.polls += 1
        self.poll_s += seconds
        self.poll_max_s = max(self.poll_max_s, seconds)
        self.batch_max = max(self.batch_max, count)

    def record_commit(self, seconds: float, *, failed: bool) -> None:
        """A commit of offsets that ended."""
        self.commits += 1
        self.commit_failures += failed
        self.commit_s += seconds
        self.commit_max_s = max(self.commit_max_s, seconds)

    def snapshot(self) -> dict[str, float]:
        """For the heartbeat; maxima begin anew with each."""
        found = {
            "source-record-poll-total": self.polled,
            "source-record-write-total": self.written,
            "source-record-active-count": self.active,
            "poll-batch-count": self.polls,
            "poll-batch-time-s": self.poll_s,
            "poll-batch-max-time-ms": self.poll_max_s * 1000,
            "offset-commit-count": self.commits,
            "offset-commit-failures": self.commit_failures,
            "offset-commit-time-s": self.commit_s,
            "offset-commit-max-time-ms": self.commit_max_s * 1000,
            "batch-size-max": self.batch_max,
            **self.transactions.snapshot(),
        }
        self.poll_max_s = self.commit_max_s = 0.0
        self.batch_max = 0
        return found
