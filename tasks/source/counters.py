"""What a source task counts, under the attribute names of Kafka's ConnectMetricsRegistry."""

from __future__ import annotations


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
        }
        self.poll_max_s = self.commit_max_s = 0.0
        self.batch_max = 0
        return found
