"""The sink loop: consume, convert, put, and commit the offsets that the task agrees to.

Follows `org.apache.kafka.connect.runtime.WorkerSinkTask`. All calls to the task come from one thread, rebalances included:
the consumer runs their callbacks inside `consume` and `poll`, and what they raise comes out there. While a call takes long an
attendant has the consumer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as ClientPartition

from connectd.errors import ConnectException, RetriableException
from connectd.records import TopicPartition
from connectd.tasks import SinkTask
from tasks.control import Control
from tasks.errors import RetryAbandoned
from tasks.pipeline import Pipeline
from tasks.sink.arrivals import Arrivals
from tasks.sink.attendant import POLLS_AN_INTERVAL, Attendant
from tasks.sink.batch import MessageBatch, TransformedBatch, partition_of
from tasks.sink.context import WorkerSinkTaskContext
from tasks.sink.counters import SinkCounters
from tasks.sink.offsets import Offsets, SinkOffsets, plain
from tasks.sink.puts import Puts, Refused
from tasks.sink.subscription import Subscription
from tasks.states import Call, State
from tasks.throttle import Throttle

T = TypeVar("T")

log = structlog.get_logger(__name__)

# A task for which there is nothing is called so often; orders and wishes end the wait.
POLL_TIMEOUT_S = 5.0
# What is due may come as late: nobody who wants it often makes this loop turn for nothing.
LATE_S = 0.5
GATHER_S = 0.001
RETRY_BACKOFF_S = 1.0
# A partition that was just assigned cannot seek until its fetcher has started.
SEEK_TIMEOUT_S = 30.0
SEEK_RETRY_S = 0.01

# After these, records would be skipped or never come; the consumer mends all others by itself.
FATAL_ERRORS = frozenset(
    {
        KafkaError._FATAL,
        KafkaError._AUTO_OFFSET_RESET,  # nothing committed, or no longer there, and auto.offset.reset is none
        KafkaError._BAD_MSG,
        KafkaError._BAD_COMPRESSION,
        KafkaError._NOT_IMPLEMENTED,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.FENCED_INSTANCE_ID,
    }
)


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """What the loop needs of the configuration."""

    max_poll_records: int
    commit_interval_s: float
    # Cooperative assignment takes and gives single partitions, eager assignment all of them at once.
    incremental: bool
    max_poll_interval_s: float = 300.0
    throttle: Throttle | None = None
    # For dead letters that are not yet acknowledged when partitions are closed.
    last_reports_s: float = 3.0


def _most_records(settings: SinkSettings) -> int:
    """In one batch; with a limit not more than a second's worth."""
    rate = settings.throttle.records_per_s if settings.throttle is not None else 0
    return min(settings.max_poll_records, max(1, int(rate))) if rate else settings.max_poll_records


class SinkLoop:
    """Runs one sink task from subscription to last commit. `run` returns on an order to stop and raises when the task failed."""

    def __init__(
        self,
        task: SinkTask,
        pipeline: Pipeline,
        consumer: Consumer,
        subscription: Subscription,
        context: WorkerSinkTaskContext,
        control: Control,
        counters: SinkCounters,
        settings: SinkSettings,
        arrivals: Arrivals,
    ) -> None:
        self._task = task
        self._pipeline = pipeline
        self._errors = pipeline.errors
        self._puts = Puts(task, self._errors, context.errant_record_reporter)
        self._consumer = consumer
        self._subscription = subscription
        self._context = context
        self._control = control
        self._counters = counters
        self._settings = settings
        self._arrivals = arrivals
        control.on_change = context.on_wish = arrivals.wake
        self._throttle = settings.throttle
        self._most_records = _most_records(settings)
        self.attendant = Attendant(consumer, control, lambda: self._assigned, settings.max_poll_interval_s)
        self._assigned: list[ClientPartition] = []
        self._assignment_changed = False
        self._offsets = SinkOffsets()
        self._next_commit = time.monotonic() + settings.commit_interval_s
        # What the task refused with RetriableException, and when it gets it again.
        self._refused: MessageBatch | TransformedBatch | None = None
        self._refusal_changed = False
        self._redeliver_at = 0.0
        self._paused = False
        self._closed = False
        # Called with the id that Kafka has given to the consumer in its group, and with each other one.
        self.on_member: Callable[[str], object] = lambda member: None
        self._member = ""

    def positions(self) -> list[tuple[str, int, int]]:
        """How far the task was given records: topic, partition, offset of the next or -1. To be called by any thread."""
        return self._offsets.positions(list(self._assigned))

    def run(self) -> None:
        """From subscribing to closing all partitions. The consumer is left for the caller to close."""
        try:
            while not self._control.stopping.is_set():
                self._iterate()
        except BaseException:
            self._control.note_failure()
            try:
                self._end()
            except Exception as error:
                log.warning("closing the partitions of a failed task failed", error=str(error))
            raise
        self._end()

    def _end(self) -> None:
        # The consumer, when it is closed, reports its partitions once more.
        self._closed = True
        self._commit_and_close([plain(each) for each in self._assigned])

    def _iterate(self) -> None:
        self._errors.raise_failure()
        self._subscription.update(self._consumer, self._subscribe)
        self._follow_target_state()
        self._commit_if_due()
        self._rewind()
        if self._context.paused_changed:
            self._apply_pauses()
        if self._throttle is not None and self._throttle.wait_s > 0:
            self._rest(self._throttle.wait_s)
            return
        messages = self._consume(self._poll_timeout_s())
        if self._refused is not None:
            if self._control.should_run and time.monotonic() >= self._redeliver_at:
                self._deliver(self._refused)
        elif not self._paused:
            self._deliver(self._batch_of(messages))

    def _subscribe(self, topics: list[str]) -> None:
        callback = self.attendant.callback
        self._consumer.subscribe(
            topics,
            on_assign=callback(self._on_assign),
            on_revoke=callback(self._on_revoke),
            on_lost=callback(self._on_lost),
        )

    def _rest(self, seconds: float) -> None:
        """Until more records may be moved; offsets are committed in time all the same."""
        self._control.enter(Call.NONE)
        self.attendant.leave()
        self._control.wait(min(seconds, self._settings.commit_interval_s))
        self._come_back()

    def _call(self, call: Call, function: Callable[..., T], *arguments: object) -> T:
        """A call of the task that may take long."""
        self._control.enter(call)
        if self.attendant.in_callback:
            return self.attendant.on_tasks_thread(function, *arguments)
        self.attendant.leave()
        try:
            return function(*arguments)
        finally:
            self._come_back()

    def _come_back(self) -> None:
        """From a call of the task; rebalances that had to wait for its end are carried out now."""
        if not self.attendant.come_back():
            return
        messages = [message for message in self.attendant.take_messages() if not self._is_error(message)]
        self._give_back([message for message in messages if partition_of(message) in self._context.assigned])
        self._apply_pauses()

    # --- consuming ----------------------------------------------------------------------------------------------------

    def _poll_timeout_s(self) -> float:
        now = time.monotonic()
        due = max(min(self._next_commit - now, self._subscription.wait_s), LATE_S)
        longest = min(POLL_TIMEOUT_S, due, self._settings.max_poll_interval_s / POLLS_AN_INTERVAL)
        if self._refused is not None:
            left = self._redeliver_at - now if self._control.should_run else longest
        else:
            # As in Java, a task may ask to be called again after a time without refusing anything.
            left = self._context.take_timeout_s(longest)
        return min(max(left, 0.0), longest)

    def _consume(self, timeout_s: float) -> list[Message]:
        self._control.enter(Call.NONE)
        consumer, most = self._consumer, self._most_records
        self._assignment_changed = False
        # `consume` waits until its list is full or the time is up, which would hold single records back. So: take what is
        # there; if that is nothing, wait for one record and take what came with it. Not without waiting at all, for then
        # the time that a rebalance takes would count as time without a poll.
        self._arrivals.clear()
        messages = consumer.consume(most, GATHER_S)
        if not messages:
            if not self._assignment_changed:
                self._arrivals.wait(timeout_s)
            first = consumer.poll(GATHER_S)
            if first is None:
                return []
            messages = [first, *consumer.consume(most - 1, 0)] if most > 1 else [first]
        if any(map(Message.error, messages)):
            messages = [message for message in messages if not self._is_error(message)]
        if self._assignment_changed:
            # What was fetched before a partition was taken away is the next owner's.
            messages = [message for message in messages if partition_of(message) in self._context.assigned]
        if messages and self._all_paused:
            self._give_back(messages)
            return []
        self._counters.read += len(messages)
        return messages

    @staticmethod
    def _is_error(message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        text = f"{error.name()}: {error.str()}"
        if error.fatal() or error.code() in FATAL_ERRORS:
            raise ConnectException(f"The consumer failed: {text}")
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            log.info(f"waiting for topic {message.topic()} to appear")
            return True
        log.warning("consumer reported an error and goes on", error=text)
        return True

    def _give_back(self, messages: list[Message]) -> None:
        """Records that a rebalance let through although all is paused: they are read again."""
        lowest = {partition_of(message): message.offset() or 0 for message in reversed(messages)}
        for partition, offset in lowest.items():
            self._seek(partition, offset)

    def _batch_of(self, messages: list[Message]) -> MessageBatch | TransformedBatch:
        batch = MessageBatch(messages, self._pipeline, self._subscription.only_topic)
        return TransformedBatch(batch, self._pipeline) if self._pipeline.steps else batch

    # --- delivering ---------------------------------------------------------------------------------------------------

    def _deliver(self, batch: MessageBatch | TransformedBatch) -> None:
        # Before the call: a rebalance that comes during the call must know where it had got to.
        positions = self._consumer.position(self._assigned) if batch.messages else []
        self._counters.active = len(batch.messages)
        self._control.enter(Call.PUT)
        started = time.monotonic()
        self.attendant.leave()
        try:
            if not self._errors.is_plain:
                batch = batch.prepare()
            self._puts.put(batch)
            self._note_delivery(batch, positions, started)
        except Refused as refused:
            self._refuse(refused.batch, refused.error)
        except RetryAbandoned:
            log.info("stopping amid records that were to be tried again; they will be read again")
        finally:
            self._come_back()
        if self._refusal_changed:
            self._refusal_changed = False
            self._apply_pauses()

    def _note_delivery(
        self, batch: MessageBatch | TransformedBatch, positions: Sequence[ClientPartition], started: float
    ) -> None:
        self._counters.record_put(len(batch), time.monotonic() - started)
        self._counters.active = 0
        if batch.messages:
            self._offsets.deliver(positions, batch.messages)
            self._note_topics(batch.messages)
            if self._throttle is not None:
                size = self._size_of(batch.messages) if self._throttle.bytes_per_s else 0
                self._throttle.note(len(batch.messages), size)
        self._set_refused(None)

    @staticmethod
    def _size_of(messages: Sequence[Message]) -> int:
        return sum(len(message) + len(message.key() or b"") for message in messages)

    def _note_topics(self, messages: Sequence[Message]) -> None:
        only = self._subscription.only_topic
        for topic in {only} if only else {message.topic() or "" for message in messages}:
            self._control.use_topic(topic)

    def _refuse(self, batch: MessageBatch | TransformedBatch, error: RetriableException) -> None:
        wait_s = self._context.take_timeout_s(RETRY_BACKOFF_S)
        self._redeliver_at = time.monotonic() + wait_s
        log.warning(
            "the task refused records for now", error=str(error), records=len(batch.messages), retry_after_s=wait_s
        )
        self._set_refused(batch)

    def _set_refused(self, batch: MessageBatch | TransformedBatch | None) -> None:
        if batch is not self._refused:
            self._refused = batch
            self._refusal_changed = True

    # --- pausing ------------------------------------------------------------------------------------------------------

    @property
    def _all_paused(self) -> bool:
        """While the task is to get the same records again nothing else is read, but the consumer stays in its group."""
        return self._paused or self._refused is not None

    def _follow_target_state(self) -> None:
        paused = not self._control.should_run
        if paused == self._paused or self._control.stopping.is_set():
            return
        self._paused = paused
        self._apply_pauses()
        if paused:
            self._context.commit_requested = True
        self._control.report_state(State.PAUSED if paused else State.RUNNING)

    def _apply_pauses(self) -> None:
        """Let the consumer read what it should: nothing, or what the task has not paused with `context.pause`."""
        self._context.paused_changed = False
        silent = self._context.assigned if self._all_paused else self._context.paused
        self._consumer.pause([each for each in self._assigned if plain(each) in silent])
        # To resume what is not paused has no effect.
        self._consumer.resume([each for each in self._assigned if plain(each) not in silent])

    def _rewind(self) -> None:
        """Carry out what the task asked for with `context.offset`, as far as the partitions are assigned."""
        for partition in self._context.rewinds.keys() & self._context.assigned:
            offset = self._context.rewinds.pop(partition)
            self._seek(partition, offset)
            self._offsets.seek(partition, offset)

    def _seek(self, partition: TopicPartition, offset: int) -> None:
        deadline = time.monotonic() + SEEK_TIMEOUT_S
        while True:
            try:
                self._consumer.seek(ClientPartition(partition.topic, partition.partition, offset))
                return
            except KafkaException as error:
                if error.args[0].code() != KafkaError._STATE or time.monotonic() >= deadline:
                    raise ConnectException(
                        f"Cannot go to offset {offset} of {partition}: {error.args[0].str()}"
                    ) from error
            time.sleep(SEEK_RETRY_S)

    # --- committing ---------------------------------------------------------------------------------------------------

    def _commit_if_due(self) -> None:
        if not self._context.commit_requested and time.monotonic() < self._next_commit:
            return
        self._context.commit_requested = False
        self._next_commit = time.monotonic() + self._settings.commit_interval_s
        delivered = self._offsets.delivered(self._context.assigned)
        if not delivered or not self._reports_are_safe():
            return
        started = time.monotonic()
        try:
            agreed = self._pre_commit(delivered)
        except Exception as error:
            log.error("the task failed to flush, going back to the last committed offsets", error=str(error))
            self._roll_back()
            self._counters.record_commit(time.monotonic() - started, failed=True)
        else:
            # If the call took long, partitions may have been taken away meanwhile, with a commit of their own.
            kept = {partition: offset for partition, offset in agreed.items() if self._still_ours(partition, delivered)}
            self._commit(kept, delivered, started)

    def _still_ours(self, partition: TopicPartition, delivered: Offsets) -> bool:
        return partition in self._context.assigned or partition not in delivered

    def _commit_and_close(self, partitions: list[TopicPartition]) -> None:
        """As Java does: what the task agrees to is committed after its `close`."""
        if not partitions:
            return
        delivered = self._offsets.delivered(partitions)
        started = time.monotonic()
        agreed: Offsets = {}
        try:
            if delivered and self._reports_are_safe(self._settings.last_reports_s):
                agreed = self._pre_commit(delivered)
        except Exception as error:
            log.warning("the task failed to flush while its partitions were closed", error=str(error))
            self._counters.record_commit(time.monotonic() - started, failed=True)
        finally:
            self._close(partitions)
        if agreed:
            self._commit(agreed, delivered, started)

    def _reports_are_safe(self, timeout_s: float | None = None) -> bool:
        """No offset is committed before what was reported is. Raises ConnectException if a report failed."""
        return self._call(Call.FLUSH, self._errors.await_reports, timeout_s)

    def _pre_commit(self, delivered: Offsets) -> Offsets:
        self._counters.commit_sequence += 1
        return self._call(Call.FLUSH, self._task.pre_commit, dict(delivered))

    def _commit(self, agreed: Offsets, delivered: Offsets, started: float) -> None:
        committable = self._offsets.committable(agreed, delivered)
        errors = self._commit_to_kafka(committable) if committable else []
        if errors:
            log.error("failed to commit offsets", errors=errors)
        else:
            self._offsets.commit(committable)
        self._counters.record_commit(time.monotonic() - started, failed=bool(errors))

    def _commit_to_kafka(self, offsets: Offsets) -> list[str]:
        self._control.enter(Call.COMMIT)
        wanted = [
            ClientPartition(partition.topic, partition.partition, offset.offset, offset.metadata)
            for partition, offset in offsets.items()
        ]
        try:
            results = self._consumer.commit(offsets=wanted, asynchronous=False) or []
        except KafkaException as error:
            return [error.args[0].str()]
        return [f"{each.topic}-{each.partition}: {each.error}" for each in results if each.error is not None]

    def _roll_back(self) -> None:
        for partition, offset in self._offsets.roll_back().items():
            self._seek(partition, offset)
        # Records that were refused come after those that are read again now.
        self._refused = None
        self._apply_pauses()

    def _note_member(self, member: str) -> None:
        if member != self._member:
            self._member = member
            self.on_member(member)

    # --- rebalances ---------------------------------------------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        self._note_member(consumer.memberid() or "")
        if not self._subscription.note_assignment():
            partitions = []
        added = [plain(each) for each in partitions]
        self._set_assigned([*self._assigned, *partitions] if self._settings.incremental else partitions)
        self._offsets.assign(added)
        self._context.paused &= self._context.assigned
        if added:
            log.info("partitions assigned", partitions=[str(each) for each in added])
            self._call(Call.START, self._task.open, added)
        for partition in partitions:
            # Where the task wants to begin: a seek would come too early here.
            offset = self._context.rewinds.pop(plain(partition), None)
            if offset is not None:
                partition.offset = offset
                self._offsets.seek(plain(partition), offset)
        if self._settings.incremental:
            consumer.incremental_assign(partitions)
        else:
            consumer.assign(partitions)
        self._apply_pauses()

    def _on_revoke(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        self._remove(consumer, partitions, self._commit_and_close)

    def _on_lost(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        log.warning(
            "partitions lost: another member may read them already",
            partitions=[str(plain(each)) for each in partitions],
        )
        self._remove(consumer, partitions, self._close)

    def _close(self, partitions: list[TopicPartition]) -> None:
        self._call(Call.STOP, self._task.close, partitions)

    def _remove(
        self, consumer: Consumer, partitions: list[ClientPartition], close: Callable[[list[TopicPartition]], None]
    ) -> None:
        if self._closed:
            return
        # Without an assignment that was not used: the task knows nothing of it.
        partitions = [each for each in partitions if plain(each) in self._context.assigned]
        removed = [plain(each) for each in partitions]
        gone = frozenset(removed)
        try:
            if removed:
                close(removed)
        finally:
            self._set_assigned([each for each in self._assigned if plain(each) not in gone])
            self._offsets.remove(gone)
            self._forget_refused(gone)
            for partition in removed:
                self._context.rewinds.pop(partition, None)
            if self._settings.incremental:
                consumer.incremental_unassign(partitions)
            else:
                consumer.unassign()
            self._apply_pauses()

    def _forget_refused(self, removed: Collection[TopicPartition]) -> None:
        """What was refused and not yet written is the next owner's, who starts at what was committed."""
        if self._refused is not None:
            left = self._refused.without(removed)
            self._refused = left if left.messages else None

    def _set_assigned(self, partitions: list[ClientPartition]) -> None:
        self._assignment_changed = True
        self._assigned = list(partitions)
        self._context.assigned = frozenset(plain(each) for each in partitions)
        self._counters.partitions = len(partitions)
