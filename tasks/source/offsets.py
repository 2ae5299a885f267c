"""Source offsets: which records the broker has acknowledged, what may be committed, and reading what earlier runs committed.

The stored form is Kafka Connect's own: key `["connector",{partition}]`, value `{offset}`, both JSON without schema
(`org.apache.kafka.connect.storage.OffsetStorageWriter`).
"""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson
from confluent_kafka import KafkaError, Message

from connectd.errors import ConnectException, DataException
from connectd.tasks import OffsetStorageReader
from tasks.control import Control, OffsetStoreError

# An offset is looked up and committed for a run of records at a time. Larger runs mean fewer look-ups and more records sent
# twice after a crash; at this size both are lost in the noise.
CHUNK_RECORDS = 2000


DeliveryFailed = Callable[["KafkaError", "Message | None", "Chunk"], None]


def encode_key(connector: str, partition: Mapping[str, Any]) -> bytes:
    """The key under which a source partition's offset is stored. Raises DataException for what is not a flat map."""
    return orjson.dumps([connector, _flat(partition, "partition")], default=_bytes_as_base64)


def encode_value(offset: Mapping[str, Any] | None) -> bytes | None:
    """The stored form of a source offset; None removes it. Raises DataException for what is not a flat map."""
    return None if offset is None else orjson.dumps(_flat(offset, "offset"), default=_bytes_as_base64)


def _flat(fields: Mapping[str, Any], what: str) -> dict[str, Any]:
    for name, value in fields.items():
        if not isinstance(name, str):
            raise DataException(f"Source {what} keys must be strings, not {type(name).__name__}: {name!r}")
        if not isinstance(value, str | int | float | bool | bytes | None):
            raise DataException(
                f"Source {what} field {name!r} must be a string, number, boolean or bytes, not {type(value).__name__}"
            )
    return dict(fields)


def _bytes_as_base64(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} cannot be stored in an offset")


class Chunk:
    """A run of records of one source partition, in order. Done when the broker has acknowledged each of them."""

    __slots__ = ("_fail", "offset", "remaining")

    def __init__(self, count: int, offset: Callable[[], bytes | None], fail: DeliveryFailed) -> None:
        self.remaining = count
        self.offset = offset
        self._fail = fail

    def acknowledge(self, error: KafkaError | None, message: Message | None) -> None:
        """The delivery callback of each record. Only ever called by the thread that serves the producer."""
        if error is None:
            self.remaining -= 1
        else:
            self._fail(error, message, self)

    @property
    def place(self) -> str:
        """Where in the source the records came from, for messages."""
        return f", one of those up to source offset {(self.offset() or b'null').decode()}"


class OffsetTracker:
    """Per source partition, the chunks in the order they were read; what may be committed is where the unbroken run of
    acknowledged chunks ends, whatever was acknowledged beyond it (`org.apache.kafka.connect.runtime.SubmittedRecords`).
    """

    # What to do when the producer gives up on a record of a chunk; to be set before the first one.
    on_failure: DeliveryFailed

    def __init__(self, connector: str) -> None:
        self._connector = connector
        self._queues: dict[bytes, deque[Chunk]] = {}
        self._lock = threading.Lock()
        # Most sources use one partition map for many records: the last one is compared before it is encoded again.
        self._last_partition: Mapping[str, Any] | None = None
        self._last_queue: deque[Chunk] = deque()

    def submit(
        self, partition: Mapping[str, Any] | None, count: int, offset: Callable[[], Mapping[str, Any] | None]
    ) -> Chunk:
        """A chunk to acknowledge `count` records with. Records without a source partition have no offset to track."""
        chunk = Chunk(count, lambda: encode_value(offset()), self.on_failure)
        if partition is not None:
            with self._lock:
                if partition is not self._last_partition:
                    self._last_queue = self._queues.setdefault(encode_key(self._connector, partition), deque())
                    self._last_partition = partition
                self._last_queue.append(chunk)
                _forget_superseded(self._last_queue)
        return chunk

    def take_committable(self) -> dict[bytes, bytes | None]:
        """The stored form of what may be committed and was not taken before."""
        committable: dict[bytes, bytes | None] = {}
        with self._lock:
            for key, queue in self._queues.items():
                last: Chunk | None = None
                while queue and queue[0].remaining == 0:
                    last = queue.popleft()
                if last is not None:
                    committable[key] = last.offset()
            # A source of a million files must not keep a million empty queues.
            for key in committable:
                if not self._queues[key]:
                    del self._queues[key]
            self._last_partition = None
        return committable

    @property
    def unacknowledged(self) -> int:
        """How many records of tracked partitions the broker has not acknowledged yet."""
        with self._lock:
            return sum(chunk.remaining for queue in self._queues.values() for chunk in queue)


def _forget_superseded(queue: deque[Chunk]) -> None:
    """Of the acknowledged run at the beginning only the last offset counts, and a chunk holds on to the records it came from:
    without this, a minute's records would stay in memory until the next commit."""
    while len(queue) > 1 and queue[0].remaining == 0 == queue[1].remaining:
        queue.popleft()


class SourceOffsets:
    """Commits what the tracker allows. A commit that failed is made again with the next one."""

    def __init__(self, tracker: OffsetTracker, control: Control, timeout_s: float) -> None:
        self._tracker = tracker
        self._control = control
        self._timeout_s = timeout_s
        self._uncommitted: dict[bytes, bytes | None] = {}
        self._committing = threading.Lock()

    def commit(self) -> bool:
        """Make all that may be committed durable; True if there was anything. Raises OffsetStoreError."""
        with self._committing:
            self._uncommitted.update(self._tracker.take_committable())
            if not self._uncommitted:
                return False
            self._control.commit_offsets(list(self._uncommitted.items()), self._timeout_s)
            self._uncommitted.clear()
            return True


class StoredOffsets(OffsetStorageReader):
    """Reads committed offsets from where the worker keeps them."""

    def __init__(self, connector: str, control: Control, timeout_s: float) -> None:
        self._connector = connector
        self._control = control
        self._timeout_s = timeout_s

    def offset(self, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        return self.offsets([partition])[0]

    def offsets(self, partitions: Collection[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        keys = [encode_key(self._connector, partition) for partition in partitions]
        try:
            values = self._control.read_offsets(keys, self._timeout_s)
        except OffsetStoreError as error:
            raise ConnectException(f"Failed to read the offsets of connector {self._connector}: {error}") from error
        return [self._decode(key, value) for key, value in zip(keys, values, strict=True)]

    def _decode(self, key: bytes, value: bytes | None) -> dict[str, Any] | None:
        if value is None:
            return None
        try:
            offset = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise DataException(f"The stored offset of {key!r} is not JSON: {value!r}") from error
        if offset is not None and not isinstance(offset, dict):
            raise DataException(f"The stored offset of {key!r} is not a map: {value!r}")
        return offset
