"""The loop of a source that delivers exactly once (`org.apache.kafka.connect.runtime.ExactlyOnceWorkerSourceTask`)."""

from __future__ import annotations

from connectd.errors import ConnectException
from connectd.tasks import SourceTask
from tasks.control import Control
from tasks.pipeline import Pipeline
from tasks.source.boundaries import Boundary, End
from tasks.source.counters import SourceCounters
from tasks.source.delivery import Topics
from tasks.source.loop import Polled, SourceLimits, SourceLoop
from tasks.source.sender import SendAbandoned, Sender
from tasks.source.transactions import Transactions

# Of the time of a graceful stop, for reports of failed records.
_REPORTS_PART = 0.1


class ExactlyOnceLoop(SourceLoop):
    """As its base, but that records are committed with their offsets, on the task's thread, where `boundary` says."""

    def __init__(
        self,
        task: SourceTask,
        pipeline: Pipeline,
        sender: Sender,
        transactions: Transactions,
        boundary: Boundary,
        topics: Topics,
        control: Control,
        counters: SourceCounters,
        limits: SourceLimits,
    ) -> None:
        topics = NotOffsets(topics, transactions.topic.name)
        super().__init__(task, pipeline, sender, transactions.offsets, transactions, topics, control, counters, limits)
        self._transactions = transactions
        self._boundary = boundary

    def prepare(self) -> None:
        self._transactions.claim()

    def _take(self, batch: Polled) -> None:
        try:
            if batch:
                for part, end in self._boundary.parts(batch):
                    self._transactions.begin()
                    self._delivery.send(part)
                    self._end_transaction(end)
            self._end_transaction(self._boundary.after_batch())
        except SendAbandoned:
            # Offsets of a part that was not sent as a whole must not be committed.
            self._transactions.give_up()
            raise

    def _before_rest(self) -> None:
        """What is open now would stay open for as long as the task rests."""
        try:
            self._end_transaction(self._boundary.before_rest())
        except SendAbandoned:
            self._transactions.give_up()

    def _end_transaction(self, end: End | None) -> None:
        if end is None:
            return
        if end is End.ABORT:
            self._transactions.abort()
        is_stopping = self._control.stopping.is_set()
        if not self._errors.await_reports(self._limits.shutdown_timeout_s * _REPORTS_PART if is_stopping else None):
            raise SendAbandoned
        self._commit()
        self._tell_task()

    def _tell_task(self) -> None:
        if self._committed.is_set():
            super()._tell_task()

    def _attend(self) -> None:
        """There is nothing to attend to: commits are made between polls, and wait for what was sent."""

    def _finish(self) -> None:
        self._transactions.give_up()


class NotOffsets:
    """Refuses the topic of the task's own offsets: reading them would wait for the transaction that writes there."""

    def __init__(self, topics: Topics, offsets_topic: str) -> None:
        self._topics = topics
        self._offsets_topic = offsets_topic

    def ensure(self, topic: str) -> None:
        if topic == self._offsets_topic:
            raise ConnectException(
                "Source tasks may not produce to their own offsets topics when exactly-once support is enabled"
            )
        self._topics.ensure(topic)
