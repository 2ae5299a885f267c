"""From polled records to the producer: transform, convert, send, and give up what fails, as far as that is tolerated."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
import structlog
from confluent_kafka import KafkaError, Message

from connectd.columns import RecordColumns
from connectd.errors import ConnectException, RetriableException
from connectd.records import SourceBatch, SourceRecord
from connectd.schema import Schema
from connectd.tasks import SourceTask
from tasks.errors import ProcessingContext, RetryAbandoned, Stage
from tasks.errors.context import source_place
from tasks.errors.dead_letters import ProducedRecord
from tasks.errors.java_names import ProduceException
from tasks.pipeline import Pipeline, runs
from tasks.source.counters import SourceCounters
from tasks.source.offsets import CHUNK_RECORDS, Chunk, OffsetTracker
from tasks.source.sender import DeliveryCallback, NotSent, SendAbandoned, Sender
from tasks.throttle import Throttle

T = TypeVar("T")
Acknowledged = deque[tuple[SourceRecord, Message | None]]

log = structlog.get_logger(__name__)


class Topics(Protocol):
    """Creates topics before their first record."""

    def ensure(self, topic: str) -> None: ...


class Column(NamedTuple):
    """Records that differ in nothing but key and value; without `keys` these are null. `origin` gives the record at an index."""

    topic: str
    key_schema: Schema | None
    keys: list[Any] | None
    value_schema: Schema | None
    values: list[Any]
    origin: Callable[[int], SourceRecord]


class Delivery:
    """Sends what the task has polled. All calls come from the task's thread, but for `delivery_failed`.

    `acknowledged` takes the records that the task wants to hear of; None if it does not. `rest` is called before topics are asked
    for again, and raises SendAbandoned when the task is to stop.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sender: Sender,
        tracker: OffsetTracker,
        topics: Topics,
        counters: SourceCounters,
        throttle: Throttle | None,
        acknowledged: Acknowledged | None,
        rest: Callable[[], None],
    ) -> None:
        self._pipeline = pipeline
        self._errors = pipeline.errors
        self._sender = sender
        self._tracker = tracker
        self._topics = topics
        self._counters = counters
        self._throttle = throttle
        self._acknowledged = acknowledged
        self._rest = rest
        # Deliveries that failed and are tolerated: they are reported from the task's thread.
        self._failed: deque[tuple[KafkaError, Message | None, Chunk]] = deque()
        tracker.on_failure = self._delivery_failed

    def send(self, batch: Sequence[SourceRecord] | SourceBatch) -> None:
        """Send all records of a batch. Raises SendAbandoned when the task is ordered to stop before that is done."""
        pipeline = self._pipeline
        columns = not pipeline.writes_headers and self._acknowledged is None
        if pipeline.steps:
            columns = columns and pipeline.chain.is_all_columns and pipeline.chain.wants_columns
        if isinstance(batch, SourceBatch):
            if columns:
                self._send_batch(batch)
                return
            batch = batch.records()
        for start in range(0, len(batch), CHUNK_RECORDS):
            for run, chunk in self._chunks_of(batch[start : start + CHUNK_RECORDS]):
                if not columns or not self._send_alike(run, chunk):
                    self._send_each(run, chunk)

    def serve(self) -> None:
        """Report what the producer gave up on. Raises ConnectException unless that is tolerated."""
        self._sender.serve()
        while self._failed:
            error, message, chunk = self._failed.popleft()
            self._give_up(_produced(message), error, chunk.acknowledge, chunk.place)

    # --- columns ------------------------------------------------------------------------------------------------------

    def _send_batch(self, batch: SourceBatch) -> None:
        for start in range(0, len(batch), CHUNK_RECORDS):
            part = _part(batch, start, start + CHUNK_RECORDS)
            chunk = self._tracker.submit(part.source_partition, len(part), _offset_at(part, len(part) - 1))
            columns = RecordColumns(
                len(part), part.key_schema, part.value_schema, functools.partial(_column_of_batch, part)
            )
            if not self._send_columns(part.topic, columns, part.records, chunk):
                self._send_each(part.records(), chunk)

    def _send_alike(self, records: Sequence[SourceRecord], chunk: Chunk) -> bool:
        """Send records that differ in nothing but key and value as columns, which is twice as fast; False if they differ, or
        if one of them cannot be transformed."""
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
        columns = RecordColumns(len(records), key_schema, value_schema, functools.partial(_column_of_records, records))
        return self._send_columns(topic, columns, lambda: records, chunk)

    def _send_columns(
        self, topic: str, columns: RecordColumns, origins: Callable[[], Sequence[SourceRecord]], chunk: Chunk
    ) -> bool:
        """False, and nothing is sent, if the transformations cannot be applied to columns."""
        count = len(columns)
        if self._pipeline.steps and not self._pipeline.chain.apply(columns):
            return False
        if columns.left is not None:
            # What was dropped counts as delivered.
            for _ in range(count - len(columns)):
                self._sender.skip(chunk.acknowledge)
            if not len(columns):
                return True
            origins = functools.partial(_left, origins, columns.left)
        if "headers" in columns.changed:
            self._send_left(origins(), _records_from(columns, origins()), chunk, {})
            return True
        keys, values = columns.values("key"), columns.values("value")
        key_schema, value_schema = columns.schema("key"), columns.schema("value")
        has_keys = key_schema is not None or any(key is not None for key in keys)
        topics = runs(columns.column("topic")) if "topic" in columns.changed else [(topic, 0, len(columns))]
        for name, start, end in topics:
            column = Column(
                name,
                key_schema,
                keys[start:end] if has_keys else None,
                value_schema,
                values[start:end],
                functools.partial(_origin, origins, start),
            )
            if not self._send_column(column, chunk):
                left = _records_from(columns, origins())
                self._send_left(origins()[start:end], left[start:end], chunk, {})
        return True

    def _send_column(self, column: Column, chunk: Chunk) -> bool:
        """False, and nothing is sent, if anything in it cannot be converted."""
        pipeline, topic, keys = self._pipeline, column.topic, column.keys
        self._ensure(topic)
        try:
            values = pipeline.value_converter.from_connect_batch(topic, column.value_schema, column.values)
            # A converter may have bytes even for a null key.
            key_data = pipeline.key_converter.from_connect_batch(
                topic, column.key_schema, [None] if keys is None else keys
            )
        except Exception:
            return False
        if keys is not None:
            sent_keys: list[bytes | None] | None = key_data
        else:
            sent_keys = None if key_data[0] is None else key_data * len(values)
        self._produce(column, sent_keys, values, chunk)
        self._counters.written += len(values)
        if self._throttle is not None:
            self._throttle.note(len(values), _bytes_in(values) + _bytes_in(key_data))
        return True

    def _produce(
        self, column: Column, keys: list[bytes | None] | None, values: list[bytes | None], chunk: Chunk
    ) -> None:
        start = 0
        while start < len(values):
            try:
                if keys is None:
                    self._sender.send_values(column.topic, values[start:] if start else values, chunk.acknowledge)
                else:
                    self._sender.send_keyed(column.topic, keys[start:], values[start:], chunk.acknowledge)
                return
            except NotSent as error:
                index = start + error.index
                record = column.origin(index)
                key = None if keys is None else keys[index]
                refused = ProducedRecord(column.topic, None, key, values[index], [], None, record)
                self._give_up(refused, error.reason, chunk.acknowledge, source_place(record))
                start = index + 1

    # --- records ------------------------------------------------------------------------------------------------------

    def _send_each(self, records: Sequence[SourceRecord], chunk: Chunk) -> None:
        if not self._pipeline.steps:
            self._send_left(records, records, chunk, {})
            return
        left: list[SourceRecord | None] = []
        try:
            failed = _abandoning(
                self._pipeline.transform_all, records, lambda index: ProcessingContext(records[index]), left
            )
        except ConnectException:
            # Those before the one that fails the task are sent, as in Java.
            self._send_left(records[: len(left)], left, chunk, {})
            raise
        self._send_left(records, left, chunk, failed)

    def _send_left(
        self,
        records: Sequence[SourceRecord],
        left: Sequence[SourceRecord | None],
        chunk: Chunk,
        failed: Mapping[int, ProcessingContext],
    ) -> None:
        """Send what the transformations have left of the records."""
        for index, (record, transformed) in enumerate(zip(records, left, strict=True)):
            delivered = self._delivery_callback(record, chunk)
            if transformed is None:
                self._skip(delivered, failed.get(index))
            else:
                self._send_one(record, transformed, delivered)

    def _send_one(self, record: SourceRecord, transformed: SourceRecord, delivered: DeliveryCallback) -> None:
        topic = transformed.topic
        self._ensure(topic)
        context = ProcessingContext(record)
        converted = _abandoning(self._pipeline.to_kafka, context, transformed)
        if converted is None:
            self._skip(delivered, context)
            return
        key, value, headers = converted
        timestamp = _checked_timestamp(transformed.timestamp, record)
        try:
            self._sender.send(topic, value, key, transformed.partition, delivered, timestamp, headers)
        except NotSent as error:
            refused = ProducedRecord(topic, transformed.partition, key, value, headers or [], timestamp, record)
            self._give_up(refused, error.reason, delivered, source_place(record))
        self._counters.written += 1
        if self._throttle is not None:
            self._throttle.note(1, len(key or b"") + len(value or b""))

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
        tolerates = self._errors.settings.tolerates

        def delivered(error: KafkaError | None, message: Message | None) -> None:
            if error is None or tolerates:
                acknowledged.append((record, message if error is None else None))
            chunk.acknowledge(error, message)

        return delivered

    # --- what is not sent ---------------------------------------------------------------------------------------------

    def _skip(self, delivered: DeliveryCallback, failed: ProcessingContext | None) -> None:
        """A record that is not sent counts as delivered; one that failed does so once that is reported."""
        if failed is None or failed.reported.done():
            self._sender.skip(delivered)
        else:
            failed.reported.add_done_callback(functools.partial(self._skip_reported, delivered))

    def _skip_reported(self, delivered: DeliveryCallback, reported: Future[None]) -> None:
        # Without its report the offset of a record is not committed; that the report failed is raised by the operator.
        if reported.exception() is None:
            self._sender.skip(delivered)

    def _give_up(self, record: ProducedRecord, error: KafkaError, delivered: DeliveryCallback, place: str) -> None:
        """Of a record that the producer does not deliver. Raises ConnectException unless that is tolerated."""
        size = len(record.value or b"")
        failure = ProduceException(
            f"The producer refused a record of {size} bytes for topic {record.topic}: {error.name()}: {error.str()}{place}",
            error,
        )
        if not self._errors.settings.tolerates:
            self._errors.counters.failures += 1
            self._errors.counters.errors += 1
            raise failure
        context = ProcessingContext(record)
        self._errors.execute_failed(context, Stage.KAFKA_PRODUCE, SourceTask, failure)
        self._errors.counters.skipped += 1
        self._skip(delivered, context)

    def _delivery_failed(self, error: KafkaError, message: Message | None, chunk: Chunk) -> None:
        """The producer gave up on a record; called by whichever thread serves it."""
        if self._errors.settings.tolerates:
            self._failed.append((error, message, chunk))
        else:
            self._sender.delivery_failed(error, message, chunk.place)

    def _ensure(self, topic: str) -> None:
        """As Java does, topics are asked for again when it may help; the source is not polled meanwhile."""
        while True:
            try:
                self._topics.ensure(topic)
                return
            except RetriableException as error:
                log.warning("cannot send records for now, trying again", error=str(error))
            self._rest()


def _abandoning(action: Callable[..., T], *arguments: Any) -> T:
    """What goes by way of the operator, which tries nothing again when the task is to stop."""
    try:
        return action(*arguments)
    except RetryAbandoned as stopped:
        raise SendAbandoned from stopped


def _origin(origins: Callable[[], Sequence[SourceRecord]], start: int, index: int) -> SourceRecord:
    return origins()[start + index]


def _left(origins: Callable[[], Sequence[SourceRecord]], left: Sequence[int]) -> list[SourceRecord]:
    """The records at these places."""
    records = origins()
    return [records[index] for index in left]


def _column_of_batch(batch: SourceBatch, name: str) -> list[Any]:
    match name:
        case "value":
            return batch.values
        case "key":
            return batch.keys or [None] * len(batch)
        case "topic":
            return [batch.topic] * len(batch)
    return _column_of_records(batch.records(), name)


def _column_of_records(records: Sequence[SourceRecord], name: str) -> list[Any]:
    return list(map(attrgetter(name), records))


def _records_from(columns: RecordColumns, origins: Sequence[SourceRecord]) -> list[SourceRecord]:
    """The records that transformations have made."""
    key_schema, value_schema = columns.schema("key"), columns.schema("value")
    return [
        msgspec.structs.replace(
            origin, topic=topic, key_schema=key_schema, key=key, value_schema=value_schema, value=value, headers=headers
        )
        for origin, topic, key, value, headers in zip(
            origins,
            columns.column("topic"),
            columns.values("key"),
            columns.values("value"),
            columns.column("headers"),
            strict=True,
        )
    ]


def _part(batch: SourceBatch, start: int, end: int) -> SourceBatch:
    if start == 0 and end >= len(batch):
        return batch
    return SourceBatch(
        batch.topic,
        batch.values[start:end],
        batch.source_partition,
        lambda index: batch.source_offset(start + index),
        batch.value_schema,
        None if batch.keys is None else batch.keys[start:end],
        batch.key_schema,
    )


def _produced(message: Message | None) -> ProducedRecord:
    """A message that could not be delivered, as far as the producer still knows it."""
    if message is None:
        return ProducedRecord("", None, None, None, [], None)
    kept: Any = message.headers() or []
    partition = message.partition()
    known = partition if partition is not None and partition >= 0 else None
    return ProducedRecord(message.topic() or "", known, message.key(), message.value(), kept, None)


def _bytes_in(column: Sequence[bytes | None]) -> int:
    return sum(map(len, filter(None, column)))


def _offset_at(batch: SourceBatch, index: int) -> Callable[[], Mapping[str, Any] | None]:
    return lambda: batch.source_offset(index)


def _offset_of(record: SourceRecord) -> Callable[[], Mapping[str, Any] | None]:
    return lambda: record.source_offset


def _checked_timestamp(timestamp: int | None, record: SourceRecord) -> int | None:
    """As `ConnectUtils.checkAndConvertTimestamp`: -1 is none at all, and another negative one fails the task in any case."""
    if timestamp is None or timestamp >= 0:
        return timestamp
    if timestamp == -1:
        return None
    raise ConnectException(f"Invalid record timestamp {timestamp}{source_place(record)}")
