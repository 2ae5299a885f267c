"""The source loop: poll, transform, convert, send, and commit the offsets of what the broker has acknowledged."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog
from confluent_kafka import KafkaError, Message

from connectd.errors import ConnectException, DataException, RetriableException
from connectd.records import RecordMetadata, SourceBatch, SourceRecord
from connectd.schema import Schema
from connectd.tasks import SourceTask
from tasks.control import Control, OffsetStoreError
from tasks.pipeline import Header, Pipeline, RecordFailed, convert_column, record_failure
from tasks.source.counters import SourceCounters
from tasks.source.offsets import CHUNK_RECORDS, Chunk, OffsetTracker, SourceOffsets
from tasks.source.sender import DeliveryCallback, SendAbandoned, Sender
from tasks.states import Call, State
from tasks.throttle import Throttle

T = TypeVar("T")

log = structlog.get_logger(__name__)

# While the source blocks in poll, acknowledgements are served this often from another thread.
ATTENDANT_INTERVAL_S = 0.5
RETRY_BACKOFF_S = 1.0
PAUSE_CHECK_S = 0.5


class Topics(Protocol):
    """Creates topics before their first record."""

    def ensure(self, topic: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What the loop needs of the settings; times in seconds."""

    commit_interval_s: float
    shutdown_timeout_s: float
    throttle: Throttle | None = None


class SourceLoop:
    """Runs one source task from start to stop. `run` returns when the task was ordered to stop and raises when it failed."""

    def __init__(
        self,
        task: SourceTask,
        pipeline: Pipeline,
        sender: Sender,
        tracker: OffsetTracker,
        offsets: SourceOffsets,
        topics: Topics,
        control: Control,
        counters: SourceCounters,
        limits: SourceLimits,
    ) -> None:
        self._task = task
        self._pipeline = pipeline
        self._sender = sender
        self._tracker = tracker
        self._offsets = offsets
        self._topics = topics
        self._control = control
        self._counters = counters
        self._limits = limits
        self._throttle = limits.throttle
        self._next_commit = time.monotonic() + limits.commit_interval_s
        self._committed = threading.Event()
        self._ended = threading.Event()
        self._attendant_error: Exception | None = None
        # commit_record costs time for each record: only for tasks that want it.
        self._acknowledged: deque[tuple[SourceRecord, Message | None]] | None = (
            deque() if type(task).commit_record is not SourceTask.commit_record else None
        )

    def run(self) -> None:
        """From the started task to its last commit."""
        attendant = threading.Thread(target=self._attend, name="source-attendant", daemon=True)
        attendant.start()
        try:
            self._loop()
        finally:
            self._ended.set()
            attendant.join()
            self._finish()

    def _loop(self) -> None:
        while True:
            self._rest_while_paused()
            if self._control.stopping.is_set():
                return
            batch = self._poll()
            if batch:
                try:
                    self._send(batch)
                except SendAbandoned:
                    return
            self._serve()
            if self._throttle is not None:
                self._rest(self._throttle)

    def _rest(self, throttle: Throttle) -> None:
        """Until more records may be moved."""
        self._control.enter(Call.NONE)
        while (wait_s := throttle.wait_s) > 0 and self._control.should_run:
            self._control.wait(min(wait_s, ATTENDANT_INTERVAL_S))
            self._serve()

    def _rest_while_paused(self) -> None:
        if self._control.should_run or self._control.stopping.is_set():
            return
        self._control.enter(Call.NONE)
        self._control.report_state(State.PAUSED)
        while not self._control.should_run and not self._control.stopping.is_set():
            self._serve()
            self._control.wait_while_paused(PAUSE_CHECK_S)
        if not self._control.stopping.is_set():
            self._control.report_state(State.RUNNING)

    def _poll(self) -> Sequence[SourceRecord] | SourceBatch | None:
        self._control.enter(Call.POLL)
        started = time.monotonic()
        try:
            batch = self._task.poll()
        except RetriableException as error:
            self._counters.retries += 1
            log.warning("source poll failed, trying again", error=str(error), backoff_s=RETRY_BACKOFF_S)
            self._control.wait(RETRY_BACKOFF_S)
            return None
        finally:
            self._control.enter(Call.SEND)
        if batch:
            self._counters.record_poll(len(batch), time.monotonic() - started)
        return batch

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send(self, batch: Sequence[SourceRecord] | SourceBatch) -> None:
        pipeline = self._pipeline
        columns = not pipeline.steps and not pipeline.writes_headers and self._acknowledged is None
        if isinstance(batch, SourceBatch):
            if columns:
                self._send_columns(batch)
                return
            batch = batch.records()
        for start in range(0, len(batch), CHUNK_RECORDS):
            for run, chunk in self._chunks_of(batch[start : start + CHUNK_RECORDS]):
                if not columns or not self._send_alike(run, chunk):
                    self._send_each(run, chunk)

    def _send_columns(self, batch: SourceBatch) -> None:
        for start in range(0, len(batch), CHUNK_RECORDS):
            values = batch.values[start : start + CHUNK_RECORDS]
            keys = None if batch.keys is None else batch.keys[start : start + CHUNK_RECORDS]
            chunk = self._tracker.submit(
                batch.source_partition, len(values), _offset_at(batch, start + len(values) - 1)
            )
            try:
                self._send_converted(batch.topic, batch.key_schema, keys, batch.value_schema, values, chunk)
            except RecordFailed as error:
                raise _located(error, batch.source_partition, batch.source_offset(start + error.index)) from error

    def _send_alike(self, records: Sequence[SourceRecord], chunk: Chunk) -> bool:
        """Send records that differ in nothing but key and value as columns, which is twice as fast; False if they differ."""
        first = records[0]
        topic, key_schema, value_schema = first.topic, first.key_schema, first.value_schema
        for record in records:
            if (
                record.topic != topic
                or record.value_schema is not value_schema
                or record.key_schema is not key_schema
                or record.partition is not None
                or record.timestamp is not None
                or record.headers
            ):
                return False
        values = [record.value for record in records]
        keys: list[Any] | None = [record.key for record in records]
        if key_schema is None and all(record.key is None for record in records):
            keys = None
        try:
            self._send_converted(topic, key_schema, keys, value_schema, values, chunk)
        except RecordFailed as error:
            failed = records[error.index]
            raise _located(error, failed.source_partition, failed.source_offset) from error
        return True

    def _send_converted(
        self,
        topic: str,
        key_schema: Schema | None,
        keys: list[Any] | None,
        value_schema: Schema | None,
        values: list[Any],
        chunk: Chunk,
    ) -> None:
        key_converter, value_converter = self._pipeline.key_converter, self._pipeline.value_converter
        self._retrying(self._topics.ensure, topic)
        data = self._retrying(convert_column, value_converter, topic, value_schema, values)
        # A converter may have bytes even for a null key.
        key_data = self._retrying(convert_column, key_converter, topic, key_schema, keys or [None])
        if keys is not None:
            self._sender.send_keyed(topic, key_data, data, chunk.acknowledge)
        elif key_data[0] is None:
            self._sender.send_values(topic, data, chunk.acknowledge)
        else:
            self._sender.send_keyed(topic, key_data * len(data), data, chunk.acknowledge)
        self._counters.written += len(data)
        if self._throttle is not None:
            self._throttle.note(len(data), _bytes_in(data) + _bytes_in(key_data))

    def _send_each(self, records: Sequence[SourceRecord], chunk: Chunk) -> None:
        steps = self._pipeline.steps
        for record in records:
            delivered = self._delivery_callback(record, chunk)
            transformed = self._transform(record) if steps else record
            if transformed is None:
                self._sender.skip(delivered)
                continue
            # Only this is tried again: a transformation may have changed the record itself.
            key, value, headers, timestamp = self._retrying(self._convert, record, transformed)
            try:
                self._sender.send(transformed.topic, value, key, transformed.partition, delivered, timestamp, headers)
            except RecordFailed as error:
                raise _located(error, record.source_partition, record.source_offset) from error
            self._counters.written += 1
            if self._throttle is not None:
                self._throttle.note(1, len(key or b"") + len(value or b""))

    def _transform(self, record: SourceRecord) -> SourceRecord | None:
        try:
            return self._pipeline.transform(record)
        except Exception as error:
            failure = record_failure(f"Cannot transform a record for topic {record.topic}", error)
            raise _located(failure, record.source_partition, record.source_offset) from error

    def _convert(
        self, record: SourceRecord, transformed: SourceRecord
    ) -> tuple[bytes | None, bytes | None, list[Header] | None, int | None]:
        topic = transformed.topic
        self._topics.ensure(topic)
        try:
            return *self._pipeline.to_kafka(transformed), _checked_timestamp(transformed.timestamp)
        except RetriableException:
            raise
        except Exception as error:
            failure = record_failure(f"Cannot convert a record for topic {topic}", error)
            raise _located(failure, record.source_partition, record.source_offset) from error

    def _retrying(self, action: Callable[..., T], *arguments: Any) -> T:
        """As Java does, the same records are tried again when it may help; the source is not polled meanwhile."""
        while True:
            try:
                return action(*arguments)
            except RetriableException as error:
                self._counters.retries += 1
                log.warning("cannot send records for now, trying again", error=str(error), backoff_s=RETRY_BACKOFF_S)
            self._serve()
            self._control.wait(RETRY_BACKOFF_S)
            self._rest_while_paused()
            if self._control.stopping.is_set():
                raise SendAbandoned

    def _chunks_of(self, records: Sequence[SourceRecord]) -> Iterator[tuple[Sequence[SourceRecord], Chunk]]:
        """Runs of records with the same source partition, each with the chunk that acknowledges it."""
        start = 0
        partition = records[0].source_partition if records else None
        for index in range(1, len(records) + 1):
            if index < len(records):
                following = records[index].source_partition
                if following is partition or following == partition:
                    continue
                partition = following
            if start < index:
                run = records[start:index]
                yield run, self._tracker.submit(run[-1].source_partition, len(run), _offset_of(run[-1]))
                start = index

    def _delivery_callback(self, record: SourceRecord, chunk: Chunk) -> DeliveryCallback:
        acknowledged = self._acknowledged
        if acknowledged is None:
            return chunk.acknowledge

        def delivered(error: KafkaError | None, message: Message | None) -> None:
            if error is None:
                acknowledged.append((record, message))
            chunk.acknowledge(error, message)

        return delivered

    # --- acknowledgements and commits ---------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Between polls: run delivery callbacks and tell the task what was acknowledged and committed."""
        self._sender.serve()
        if self._attendant_error is not None:
            raise self._attendant_error
        self._tell_task()

    def _attend(self) -> None:
        """Commits offsets at each interval, from a thread of its own: neither a source that waits for data for hours nor a
        full queue holds commits up, and a commit does not hold up the source."""
        try:
            while not self._ended.wait(min(ATTENDANT_INTERVAL_S, max(self._next_commit - time.monotonic(), 0))):
                call, since = self._control.call
                if call is Call.POLL and time.monotonic() - since > ATTENDANT_INTERVAL_S:
                    self._sender.serve_quietly()
                if time.monotonic() >= self._next_commit:
                    self._commit()
        except Exception as error:
            self._attendant_error = error

    def _commit(self) -> None:
        started = time.monotonic()
        self._next_commit = started + self._limits.commit_interval_s
        failed = False
        try:
            if self._offsets.commit():
                self._committed.set()
        except OffsetStoreError as error:
            failed = True
            log.error("failed to commit source offsets, trying again at the next interval", error=str(error))
        self._counters.record_commit(time.monotonic() - started, failed=failed)
        self._counters.active = self._tracker.unacknowledged

    def _tell_task(self) -> None:
        """The task's own commit hooks, always on its own thread. As in Java, their errors do not fail the task."""
        if not self._acknowledged and not self._committed.is_set():
            return
        self._control.enter(Call.COMMIT)
        while self._acknowledged:
            record, message = self._acknowledged.popleft()
            try:
                self._task.commit_record(record, None if message is None else _metadata(message))
            except Exception:
                log.exception("the task's commit_record failed")
        if self._committed.is_set():
            self._committed.clear()
            try:
                self._task.commit()
            except Exception:
                log.exception("the task's commit failed")
        self._control.enter(Call.NONE)

    def _finish(self) -> None:
        """Wait for what was sent and commit it, within the time that a graceful stop has, also when the task failed."""
        # A part of the time is kept for the commit and for the task's own stop.
        if not self._sender.flush(self._limits.shutdown_timeout_s * 0.6):
            log.warning("stopping with records that the broker has not acknowledged; they will be sent again")
        self._commit()
        self._tell_task()


def _bytes_in(column: Sequence[bytes | None]) -> int:
    return sum(map(len, filter(None, column)))


def _offset_at(batch: SourceBatch, index: int) -> Callable[[], Mapping[str, Any] | None]:
    return lambda: batch.source_offset(index)


def _offset_of(record: SourceRecord) -> Callable[[], Mapping[str, Any] | None]:
    return lambda: record.source_offset


def _located(
    error: Exception, partition: Mapping[str, Any] | None, offset: Mapping[str, Any] | None
) -> ConnectException:
    where = (
        "" if partition is None else f" (source partition {dict(partition)}, source offset {offset and dict(offset)})"
    )
    return ConnectException(f"{error}{where}")


def _checked_timestamp(timestamp: int | None) -> int | None:
    """As `ConnectUtils.checkAndConvertTimestamp`: -1 is none at all."""
    if timestamp is None or timestamp >= 0:
        return timestamp
    if timestamp == -1:
        return None
    raise DataException(f"Invalid record timestamp {timestamp}")


def _metadata(message: Message) -> RecordMetadata:
    return RecordMetadata(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1]
    )
