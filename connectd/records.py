"""Records as they travel through a task: one object a record, or columns of many for those who want the last factor of two."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from connectd.headers import ConnectHeaders
from connectd.schema import Schema


class TimestampType(enum.Enum):
    """Who set a record's timestamp, as `org.apache.kafka.common.record.TimestampType`."""

    NO_TIMESTAMP_TYPE = "NoTimestampType"
    CREATE_TIME = "CreateTime"
    LOG_APPEND_TIME = "LogAppendTime"


class TopicPartition(NamedTuple):
    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


class OffsetAndMetadata(NamedTuple):
    """What a consumer group has committed: the offset of the next record to read, and free text."""

    offset: int
    metadata: str = ""


class RecordMetadata(NamedTuple):
    """Where the broker put an acknowledged record; `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int


# gc=False: records are built by the hundred thousand a second and hold no cycles of their own (msgspec documentation, "Structs").
class SourceRecord(msgspec.Struct, gc=False, eq=True):
    """A record on its way to Kafka.

    `source_partition` says which part of the source it came from (a file, a table), `source_offset` where in it to go on
    after this record; both are flat maps of JSON-like values, stored as Kafka Connect stores them. A `partition` of None
    lets the producer choose, a `timestamp` (ms since the epoch) of None lets it take the time of sending.
    """

    source_partition: Mapping[str, Any] | None
    source_offset: Mapping[str, Any] | None
    topic: str
    partition: int | None = None
    key_schema: Schema | None = None
    key: Any = None
    value_schema: Schema | None = None
    value: Any = None
    timestamp: int | None = None
    headers: ConnectHeaders = msgspec.field(default_factory=ConnectHeaders)

    def new_record(self, **changes: Any) -> Self:
        """A copy with the named fields changed; headers are copied too, so that changing one record's leaves the other's."""
        return _changed(self, changes)  # type: ignore[return-value]  # a type variable of two types forgets Self


class SinkRecord(msgspec.Struct, gc=False, eq=True):
    """A record read from Kafka. `kafka_offset` is its offset in `topic`-`partition`; `timestamp` is in ms since the epoch.

    `original_topic`, `original_kafka_partition` and `original_kafka_offset` stay as read (KIP-793).
    """

    topic: str
    partition: int
    key_schema: Schema | None = None
    key: Any = None
    value_schema: Schema | None = None
    value: Any = None
    kafka_offset: int = 0
    timestamp: int | None = None
    timestamp_type: TimestampType = TimestampType.NO_TIMESTAMP_TYPE
    headers: ConnectHeaders = msgspec.field(default_factory=ConnectHeaders)
    original_topic: str | None = None
    original_kafka_partition: int | None = None
    original_kafka_offset: int | None = None

    def __post_init__(self) -> None:
        if self.original_topic is None:
            self.original_topic = self.topic
            self.original_kafka_partition = self.partition
            self.original_kafka_offset = self.kafka_offset

    def new_record(self, **changes: Any) -> Self:
        """A copy with the named fields changed; headers are copied too, so that changing one record's leaves the other's."""
        return _changed(self, changes)  # type: ignore[return-value]  # a type variable of two types forgets Self


ConnectRecord = SourceRecord | SinkRecord


_Record = TypeVar("_Record", SourceRecord, SinkRecord)


def _changed(record: _Record, changes: dict[str, Any]) -> _Record:
    if "headers" not in changes:
        changes["headers"] = record.headers.duplicate()
    return msgspec.structs.replace(record, **changes)


class SourceBatch(msgspec.Struct, gc=False):
    """Many records of one source partition for one topic, as columns: the fast form of what `SourceTask.poll` returns.

    `values` (and `keys`, when given) hold one entry a record, all of `value_schema` (`key_schema`).
    `source_offset(i)` gives the source offset after record i; it is asked for a few records only, as acknowledgements arrive,
    which is what saves the time. A record that carries headers, a timestamp or a partition of its own needs a `SourceRecord`.
    """

    topic: str
    values: list[Any]
    source_partition: Mapping[str, Any] | None
    source_offset: Callable[[int], Mapping[str, Any] | None]
    value_schema: Schema | None = None
    keys: list[Any] | None = None
    key_schema: Schema | None = None

    def __len__(self) -> int:
        return len(self.values)

    def records(self) -> list[SourceRecord]:
        """The same as one object a record."""
        keys = self.keys if self.keys is not None else [None] * len(self.values)
        return [
            SourceRecord(
                self.source_partition,
                self.source_offset(index),
                self.topic,
                key_schema=self.key_schema,
                key=key,
                value_schema=self.value_schema,
                value=value,
            )
            for index, (key, value) in enumerate(zip(keys, self.values, strict=True))
        ]


class SinkBatch(ABC):
    """Records delivered to `SinkTask.put_batch`, as columns that are computed when first asked for.

    Each column is a list with one entry a record, in the order read (which within a partition is the order of offsets).
    """

    @abstractmethod
    def __len__(self) -> int:
        """How many records."""

    @property
    @abstractmethod
    def values(self) -> Sequence[Any]:
        """The converted values."""

    @property
    @abstractmethod
    def keys(self) -> Sequence[Any]:
        """The converted keys."""

    @property
    @abstractmethod
    def value_schemas(self) -> Sequence[Schema | None]:
        """The schema of each value, None where it has none."""

    @property
    @abstractmethod
    def topic_partitions(self) -> Sequence[TopicPartition]:
        """The topic and partition of each record."""

    @property
    @abstractmethod
    def offsets(self) -> Sequence[int]:
        """The Kafka offset of each record."""

    @abstractmethod
    def records(self) -> list[SinkRecord]:
        """The same as one object a record."""
