"""The sink loop: consume, convert, put, and commit the offsets that the task agrees to.

Follows `org.apache.kafka.connect.runtime.WorkerSinkTask`. All calls to the task come from one thread, rebalances included:
the consumer runs their callbacks inside `consume`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as ClientPartition

from connectd.errors import ConnectException, RetriableException
from connectd.records import OffsetAndMetadata, SinkBatch, TopicPartition
from connectd.tasks import SinkTask
from tasks.control import Control
from tasks.pipeline import Pipeline
from tasks.sink.batch import MessageBatch, RecordBatch
from tasks.sink.context import WorkerSinkTaskContext
from tasks.sink.counters import SinkCounters
from tasks.states import Call, State

log = structlog.get_logger(__name__)

# A longer wait would delay orders to stop or pause; a shorter one would wake idle tasks for nothing.
POLL_TIMEOUT_S = 0.5
RETRY_BACKOFF_S = 1.0


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """What the loop needs of the configuration. `subscription` is a list of topics or one regular expression (`^...`)."""

    subscription: list[str]
    max_poll_records: int
    commit_interval_s: float
    # Cooperative assignment takes and gives single partitions, eager assignment all of them at once.
    incremental: bool


class SinkLoop:
    """Runs one sink task from subscription to last commit. `run` returns on an order to stop and raises when the task failed."""

    def __init__(
        self,
        task: SinkTask,
        pipeline: Pipeline,
        consumer: Consumer,
        context: WorkerSinkTaskContext,
        control: Control,
        counters: SinkCounters,
        settings: SinkSettings,
    ) -> None:
        self._task = task
        self._pipeline = pipeline
        self._consumer = consumer
        self._context = context
        self._control = control
        self._counters = counters
        self._settings = settings
        self._assigned: list[ClientPartition] = []
        self._assignment_changed = False
        # What the task refused with RetriableException and gets again, and the messages it was made of.
        self._refused: tuple[SinkBatch, list[Message]] | None = None
        self._paused_by_worker = False
        # Positions of the consumer after the last delivered batch: turned into offsets only when they are committed.
        self._delivered: list[ClientPartition] = []
        self._current: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, OffsetAndMetadata] = {}
        self._next_commit = time.monotonic() + settings.commit_interval_s
        self._reported_pause = False

    def run(self) -> None:
        """From subscribing to closing all partitions."""
        self._consumer.subscribe(
            self._settings.subscription, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        try:
            while not self._control.stopping.is_set():
                self._iterate()
        finally:
            self._close_partitions([_plain(each) for each in self._assigned])
            self._assigned = []

    def _iterate(self) -> None:
        self._follow_target_state()
        if self._context.commit_requested or time.monotonic() >= self._next_commit:
            self._context.commit_requested = False
            self._next_commit = time.monotonic() + self._settings.commit_interval_s
            self._commit([_plain(each) for each in self._assigned])
        self._rewind()
        self._apply_pauses()
        if self._refused is not None:
            self._redeliver(*self._refused)
        else:
            messages = self._consume(POLL_TIMEOUT_S)
            if not self._paused_by_worker:
                self._deliver(self._batch_of(messages), messages)

    # --- consuming ----------------------------------------------------------------------------------------------------

    def _consume(self, timeout_s: float) -> list[Message]:
        self._control.enter(Call.NONE)
        consumer, most = self._consumer, self._settings.max_poll_records
        self._assignment_changed = False
        # `consume` waits until its list is full or the time is up, which would hold single records back. So: take what is
        # there; if that is nothing, wait for one record and take what came with it.
        messages = consumer.consume(most, 0)
        if not messages:
            first = consumer.poll(timeout_s)
            if first is None:
                return []
            messages = [first, *consumer.consume(most - 1, 0)] if most > 1 else [first]
        if any(map(Message.error, messages)):
            messages = [message for message in messages if not self._is_error(message)]
        if messages and (self._assignment_changed or self._paused_by_worker):
            # The consumer may hand out what it had fetched before partitions were taken or paused. It is read again.
            self._give_back(messages)
            return []
        self._counters.read += len(messages)
        return messages

    def _is_error(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.fatal() or error.code() in (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.GROUP_AUTHORIZATION_FAILED,
            KafkaError.FENCED_INSTANCE_ID,
            KafkaError._FATAL,
        ):
            raise ConnectException(f"The consumer failed: {error.name()}: {error.str()}")
        log.warning("consumer reported an error and goes on", error=f"{error.name()}: {error.str()}")
        return True

    def _give_back(self, messages: list[Message]) -> None:
        lowest: dict[TopicPartition, int] = {}
        for message in messages:
            partition = _partition_of(message)
            lowest[partition] = min(lowest.get(partition, message.offset()), message.offset())  # type: ignore[type-var,assignment]
        assigned = {_plain(each) for each in self._assigned}
        for partition, offset in lowest.items():
            if partition in assigned:
                self._consumer.seek(ClientPartition(partition.topic, partition.partition, offset))

    def _batch_of(self, messages: list[Message]) -> SinkBatch:
        subscription = self._settings.subscription
        topic = subscription[0] if len(subscription) == 1 and not subscription[0].startswith("^") else None
        batch = MessageBatch(messages, self._pipeline, topic)
        if not self._pipeline.steps:
            return batch
        return RecordBatch(self._pipeline.transform_all(batch.records()))

    # --- delivering ---------------------------------------------------------------------------------------------------

    def _deliver(self, batch: SinkBatch, messages: list[Message]) -> None:
        self._control.enter(Call.PUT)
        started = time.monotonic()
        self._counters.active = len(batch)
        try:
            self._task.put_batch(batch)
        except RetriableException as error:
            self._counters.retries += 1
            log.warning("sink refused a batch for now, putting it again", error=str(error), records=len(batch))
            self._refused = (batch, messages)
            self._pause_all()
            return
        self._counters.record_put(len(batch), time.monotonic() - started)
        self._counters.active = 0
        if self._refused is not None:
            self._refused = None
            self._paused_by_worker = False
            self._resume_wanted()
        if messages:
            self._delivered = self._consumer.position(self._assigned)

    def _redeliver(self, batch: SinkBatch, messages: list[Message]) -> None:
        """Wait, staying in the group, and put the same records again."""
        timeout_ms, self._context.retry_timeout_ms = self._context.retry_timeout_ms, None
        deadline = time.monotonic() + (RETRY_BACKOFF_S if timeout_ms is None else timeout_ms / 1000)
        while self._refused is not None and not self._control.stopping.is_set():
            left = deadline - time.monotonic()
            self._consume(min(POLL_TIMEOUT_S, max(left, 0.0)))
            if left <= 0:
                break
        if self._refused is not None and self._control.should_run:
            self._deliver(*self._refused)

    # --- pausing ------------------------------------------------------------------------------------------------------

    def _follow_target_state(self) -> None:
        if self._control.should_run == (not self._reported_pause) or self._control.stopping.is_set():
            return
        if not self._reported_pause:
            self._reported_pause = True
            self._pause_all()
            self._context.commit_requested = True
            self._control.report_state(State.PAUSED)
        else:
            self._reported_pause = False
            if self._refused is None:
                self._paused_by_worker = False
                self._resume_wanted()
            self._control.report_state(State.RUNNING)

    def _pause_all(self) -> None:
        self._paused_by_worker = True
        if self._assigned:
            self._consumer.pause(self._assigned)

    def _resume_wanted(self) -> None:
        wanted = [each for each in self._assigned if _plain(each) not in self._context.paused]
        if wanted:
            self._consumer.resume(wanted)

    def _apply_pauses(self) -> None:
        """Carry out what the task asked for with `context.pause` and `context.resume`."""
        if not self._context.paused_changed or self._paused_by_worker:
            return
        self._context.paused_changed = False
        unwanted = [each for each in self._assigned if _plain(each) in self._context.paused]
        if unwanted:
            self._consumer.pause(unwanted)
        self._resume_wanted()

    def _rewind(self) -> None:
        """Carry out what the task asked for with `context.offset`."""
        rewinds, self._context.rewinds = self._context.rewinds, {}
        if not rewinds:
            return
        self._refresh_current()
        for partition, offset in rewinds.items():
            self._seek(partition, offset)

    def _seek(self, partition: TopicPartition, offset: int) -> None:
        self._consumer.seek(ClientPartition(partition.topic, partition.partition, offset))
        self._current[partition] = offset
        self._committed[partition] = OffsetAndMetadata(offset)
        self._delivered = [each for each in self._delivered if _plain(each) != partition]

    # --- offsets ------------------------------------------------------------------------------------------------------

    def _refresh_current(self) -> None:
        for position in self._delivered:
            if position.offset >= 0:
                self._current[_plain(position)] = position.offset
        self._delivered = []

    def _commit(self, partitions: Collection[TopicPartition], *, closing: bool = False) -> None:
        """Commit what was delivered of these partitions. When closing, the task's `close` is called as Java does: after
        `pre_commit` and before the commit itself."""
        self._refresh_current()
        current = {each: OffsetAndMetadata(self._current[each]) for each in partitions if each in self._current}
        started = time.monotonic()
        agreed: Mapping[TopicPartition, OffsetAndMetadata] = {}
        failed = True
        try:
            if current:
                self._counters.commit_sequence += 1
                self._control.enter(Call.FLUSH)
                agreed = self._task.pre_commit(current)
            failed = False
        except Exception as error:
            if closing:
                log.warning("the task failed to flush while its partitions were closed", error=str(error))
            else:
                log.error("the task failed to flush, going back to the last committed offsets", error=str(error))
                self._rewind_to_committed(current)
        finally:
            if closing and partitions:
                self._control.enter(Call.STOP)
                self._task.close(partitions)
        committable = self._committable(agreed, current)
        if committable:
            self._control.enter(Call.COMMIT)
            failed = not self._commit_to_kafka(committable)
        if current:
            self._counters.record_commit(time.monotonic() - started, failed=failed)

    def _committable(
        self,
        agreed: Mapping[TopicPartition, OffsetAndMetadata],
        current: Mapping[TopicPartition, OffsetAndMetadata],
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        committable: dict[TopicPartition, OffsetAndMetadata] = {}
        for partition, offset in agreed.items():
            if partition not in current:
                log.warning(
                    "ignoring an offset that the task gave for a partition it was not asked about",
                    partition=str(partition),
                )
            elif offset.offset > current[partition].offset:
                log.warning(
                    "ignoring an offset that the task gave beyond what it was given",
                    partition=str(partition),
                    task_offset=offset.offset,
                    current_offset=current[partition].offset,
                )
            elif self._committed.get(partition) != offset:
                committable[partition] = offset
        return committable

    def _commit_to_kafka(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> bool:
        wanted = [
            ClientPartition(partition.topic, partition.partition, offset.offset, offset.metadata)
            for partition, offset in offsets.items()
        ]
        try:
            results = self._consumer.commit(offsets=wanted, asynchronous=False) or []
            errors = [f"{each.topic}-{each.partition}: {each.error}" for each in results if each.error is not None]
        except KafkaException as error:
            errors = [str(error.args[0])]
        if errors:
            log.error("failed to commit offsets, trying again at the next interval", errors=errors)
            return False
        self._committed.update(offsets)
        return True

    def _rewind_to_committed(self, partitions: Mapping[TopicPartition, Any]) -> None:
        stored = self._consumer.committed([ClientPartition(*each) for each in partitions], timeout=30)
        self._refused = None
        for each in stored:
            if each.error is None:
                # Nothing committed yet means from the beginning of what this consumer would read (auto.offset.reset).
                self._consumer.seek(each if each.offset >= 0 else self._first_offset(each))
                self._current.pop(_plain(each), None)
        self._delivered = []

    def _first_offset(self, partition: ClientPartition) -> ClientPartition:
        low, _ = self._consumer.get_watermark_offsets(partition, timeout=30)
        return ClientPartition(partition.topic, partition.partition, low)

    # --- rebalances ---------------------------------------------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        self._assignment_changed = True
        if self._settings.incremental:
            consumer.incremental_assign(partitions)
            self._assigned = [*self._assigned, *partitions]
        else:
            consumer.assign(partitions)
            self._assigned = list(partitions)
        self._set_assigned()
        self._context.paused &= self._context.assigned
        self._context.paused_changed = bool(self._context.paused)
        if self._paused_by_worker:
            self._pause_all()
        if partitions:
            log.info("partitions assigned", partitions=[str(_plain(each)) for each in partitions])
            self._control.enter(Call.START)
            self._task.open([_plain(each) for each in partitions])
            self._rewind()

    def _on_revoke(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        self._remove(consumer, partitions, self._close_partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        def close_without_commit(lost: list[TopicPartition]) -> None:
            log.warning(
                "partitions lost: another member may read them already", partitions=[str(each) for each in lost]
            )
            self._control.enter(Call.STOP)
            self._task.close(lost)

        self._remove(consumer, partitions, close_without_commit)

    def _remove(
        self, consumer: Consumer, partitions: list[ClientPartition], close: Callable[[list[TopicPartition]], None]
    ) -> None:
        self._assignment_changed = True
        removed = [_plain(each) for each in partitions]
        try:
            close(removed)
        finally:
            gone = set(removed)
            self._assigned = [each for each in self._assigned if _plain(each) not in gone]
            self._set_assigned()
            for partition in removed:
                self._current.pop(partition, None)
                self._committed.pop(partition, None)
            self._delivered = [each for each in self._delivered if _plain(each) not in gone]
            self._forget_refused(gone)
            if self._settings.incremental:
                consumer.incremental_unassign(partitions)
            else:
                consumer.unassign()

    def _forget_refused(self, gone: set[TopicPartition]) -> None:
        """What was refused and not yet written is the next owner's, who starts at what was committed."""
        if self._refused is None:
            return
        left = [message for message in self._refused[1] if _partition_of(message) not in gone]
        self._refused = (self._batch_of(left), left) if left else None
        if self._refused is None and not self._reported_pause:
            self._paused_by_worker = False

    def _close_partitions(self, partitions: list[TopicPartition]) -> None:
        if partitions:
            self._commit(partitions, closing=True)

    def _set_assigned(self) -> None:
        self._context.assigned = frozenset(_plain(each) for each in self._assigned)
        self._counters.partitions = len(self._assigned)


def _plain(partition: ClientPartition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition)


def _partition_of(message: Message) -> TopicPartition:
    return TopicPartition(message.topic() or "", message.partition() or 0)
