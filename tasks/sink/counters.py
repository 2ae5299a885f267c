"""What a sink task counts, under the attribute names of Kafka's ConnectMetricsRegistry."""

from __future__ import annotations

from collections.abc import Callable


class SinkCounters:
    """Plain attributes: the loop adds to them once a batch, the heartbeat reads them."""

    def __init__(self) -> None:
        self.read = 0
        self.sent = 0
        self.puts = 0
        self.put_s = 0.0
        self.put_max_s = 0.0
        self.partitions = 0
        self.commit_sequence = 0
        self.commits = 0
        self.commit_failures = 0
        self.commit_s = 0.0
        self.commit_max_s = 0.0
        self.active = 0
        self.batch_max = 0
        self.positions: Callable[[], list[tuple[str, int, int]]] = list

    def record_put(self, count: int, seconds: float) -> None:
        """A put that returned."""
        self.sent += count
        self.puts += 1
        self.put_s += seconds
        self.put_max_s = max(self.put_max_s, seconds)
        self.batch_max = max(self.batch_max, count)

    def record_commit(self, seconds: float, *, failed: bool) -> None:
        """A commit of offsets that ended."""
        self.commits += not failed
        self.commit_failures += failed
        self.commit_s += seconds
        self.commit_max_s = max(self.commit_max_s, seconds)

    def snapshot(self) -> dict[str, float]:
        """For the heartbeat; maxima begin anew with each."""
        found = {
            "sink-record-read-total": self.read,
            "sink-record-send-total": self.sent,
            "sink-record-active-count": self.active,
            "partition-count": self.partitions,
            "offset-commit-seq-no": self.commit_sequence,
            "offset-commit-completion-total": self.commits,
            "offset-commit-failures": self.commit_failures,
            "offset-commit-time-s": self.commit_s,
            "offset-commit-max-time-ms": self.commit_max_s * 1000,
            "offset-commit-skip-total": 0,  # a commit here is over before the next begins: none comes too late
            "batch-size-max": self.batch_max,
        }
        self.commit_max_s = 0.0
        self.batch_max = 0
        return found

    def puts_snapshot(self) -> dict[str, float]:
        """The same of puts, which an idle task has too, without records: no reason for a heartbeat."""
        found = {
            "put-batch-count": self.puts,
            "put-batch-time-s": self.put_s,
            "put-batch-max-time-ms": self.put_max_s * 1000,
        }
        self.put_max_s = 0.0
        return found
