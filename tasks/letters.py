"""Reads dead letter queues: what is in them, why, and how a letter becomes the record again that it was made of."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tasks.clients import create, worker_admin_settings
from tasks.errors import headers
from tasks.errors.headers import Header
from tasks.messages import LetterFilter, Reason
from tasks.refusal import Refusal
from tasks.settings import WorkerConfig

POLL_S: Final = 0.2
READ_RECORDS: Final = 500
# Of each partition, to see whether a topic is a queue: the very last may be no record but the end of a transaction.
NEWEST_RECORDS: Final = 5
_GONE: Final = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a dead letter queue; `headers` are those of the record itself, `context` those that tell why it is here.

    Fields of the context are None where the queue has none (`errors.deadletterqueue.context.headers.enable`). `time_ms` is the
    timestamp of the record, which was kept. `replayed` is how often it was written back before it failed again.
    """

    queue: str
    partition: int
    offset: int
    time_ms: int | None
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    context: dict[str, bytes | None]
    replayed: int = 0

    def text(self, name: str) -> str | None:
        """A header of the context as text."""
        value = self.context.get(name)
        return None if value is None else value.decode(errors="replace")

    @property
    def origin(self) -> str:
        """Where the record came from."""
        topic, partition, offset = map(self.text, (headers.TOPIC, headers.PARTITION, headers.OFFSET))
        place = topic or "?"
        if partition is not None:
            place += f"-{partition}"
        return place if offset is None else f"{place}@{offset}"

    @property
    def is_of_source(self) -> bool:
        """Whether it was a source that failed."""
        return headers.FORMAT in self.context

    def is_chosen(self, by: LetterFilter) -> bool:
        """Whether it satisfies the filter."""
        wanted = (
            (by.stage, self.text(headers.STAGE)),
            (by.connector, self.text(headers.CONNECTOR)),
            (by.topic, self.text(headers.TOPIC)),
            (None if by.partition is None else str(by.partition), self.text(headers.PARTITION)),
            (None if by.offset is None else str(by.offset), self.text(headers.OFFSET)),
            (by.at, self.offset),
        )
        if any(want is not None and want != has for want, has in wanted):
            return False
        if by.exception is not None and by.exception.lower() not in (self.text(headers.EXCEPTION) or "").lower():
            return False
        when = self.time_ms or 0
        return (by.since_ms is None or when >= by.since_ms) and (by.until_ms is None or when < by.until_ms)


@contextlib.contextmanager
def reader(worker: WorkerConfig) -> Iterator[Consumer]:
    """A consumer of no group: nothing that it reads is committed. Errors of Kafka's become Refusal."""
    settings = worker_admin_settings(worker, "connectd-dlq")
    settings.conf.update(
        {
            # librdkafka wants one; partitions are assigned by hand, so that it is never joined.
            "group.id": f"connectd-dlq-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "allow.auto.create.topics": False,
            "fetch.queue.backoff.ms": 2,
        }
    )
    consumer = create(Consumer, settings)
    try:
        yield consumer
    except KafkaException as error:
        raise Refusal(Reason.UNAVAILABLE, f"Kafka did not answer: {error.args[0].str()}") from error
    finally:
        consumer.close()


def topics(consumer: Consumer, timeout_s: float) -> dict[str, list[int]]:
    """All topics but those that begin with two underscores, with their partitions."""
    found = consumer.list_topics(timeout=timeout_s).topics
    return {name: sorted(each.partitions) for name, each in sorted(found.items()) if not name.startswith("__")}


def queues(consumer: Consumer, timeout_s: float) -> list[str]:
    """The topics whose newest records tell why they are there: all are looked at together, for there may be thousands."""
    ends: dict[tuple[str, int], int] = {}
    begins: list[TopicPartition] = []
    for topic, partitions in topics(consumer, timeout_s).items():
        for number in partitions:
            begin, end = _watermarks(consumer, TopicPartition(topic, number), timeout_s)
            if end > begin:
                ends[topic, number] = end
                begins.append(TopicPartition(topic, number, max(begin, end - NEWEST_RECORDS)))
    consumer.assign(begins)
    found: set[str] = set()
    moved_at = time.monotonic()
    while ends and time.monotonic() - moved_at < timeout_s:
        for message in consumer.consume(READ_RECORDS, POLL_S):
            if message.error() is None:  # else it was deleted meanwhile
                moved_at = time.monotonic()
                if letter_of(message).context:
                    found.add(message.topic() or "")
        for place in consumer.position([TopicPartition(*key) for key in ends]):
            if place.offset >= ends[place.topic, place.partition]:
                del ends[place.topic, place.partition]
    return sorted(found)


def _watermarks(consumer: Consumer, partition: TopicPartition, timeout_s: float) -> tuple[int, int]:
    try:
        return consumer.get_watermark_offsets(partition, timeout=timeout_s)
    except KafkaException as error:
        if error.args[0].code() in _GONE:
            return 0, 0
        raise


def read(consumer: Consumer, queue: str, timeout_s: float, newest: int | None = None) -> Iterator[Letter]:
    """All records of a topic as they are now, oldest first; of each partition only the `newest`. Raises Refusal."""
    partitions = topics(consumer, timeout_s).get(queue)
    if not partitions:
        raise Refusal(Reason.NOT_FOUND, f"There is no topic {queue}")
    ends: dict[int, int] = {}
    begins: list[TopicPartition] = []
    for number in partitions:
        begin, end = consumer.get_watermark_offsets(TopicPartition(queue, number), timeout=timeout_s)
        if end > begin:
            ends[number] = end
            begins.append(TopicPartition(queue, number, begin if newest is None else max(begin, end - newest)))
    consumer.assign(begins)
    moved_at = time.monotonic()
    while ends:
        for message in consumer.consume(READ_RECORDS, POLL_S):
            if message.error() is not None:
                raise Refusal(Reason.UNAVAILABLE, f"Cannot read {queue}: {message.error()}")
            moved_at = time.monotonic()
            if _is_before(message, ends):
                yield letter_of(message)
        # Compacted or aborted records leave gaps, also at the end.
        for place in consumer.position(begins):
            if place.offset >= ends.get(place.partition, place.offset + 1):
                ends.pop(place.partition)
        if time.monotonic() - moved_at > timeout_s:
            raise Refusal(Reason.UNAVAILABLE, f"{queue}: nothing came for {timeout_s:g} s")


def _is_before(message: Message, ends: dict[int, int]) -> bool:
    """Whether a message was there when reading began; after the last one its partition is done."""
    partition, offset = message.partition() or 0, message.offset() or 0
    end = ends.get(partition, 0)
    if offset >= end - 1:
        ends.pop(partition, None)
    return offset < end


def letter_of(message: Message) -> Letter:
    """A record of a dead letter queue."""
    kind, timestamp = message.timestamp()
    found: Any = message.headers() or []
    context = {name: value for name, value in found if name.startswith(headers.PREFIX)}
    replayed = context.pop(headers.REPLAYED, None)
    return Letter(
        queue=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        time_ms=None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        key=message.key(),
        value=message.value(),
        headers=[(name, value) for name, value in found if not name.startswith(headers.PREFIX)],
        context=context,
        replayed=int(replayed) if replayed and replayed.isdigit() else 0,
    )
