"""Source tasks made for tests of the worker: what they read is numbers, so that nothing can be lost unnoticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from connectd.errors import RetriableException
from connectd.headers import ConnectHeaders
from connectd.records import RecordMetadata, SourceBatch, SourceRecord
from connectd.tasks import SourceTask

PARTITION = {"source": "numbers"}


class NumberSource(SourceTask):
    """Reads `count` numbers, `batch` at a time; then there is nothing more. Number n has value `n` and offset `{"n": n}`."""

    def __init__(self, topic: str, count: int, batch: int = 10) -> None:
        self.topic = topic
        self.count = count
        self.batch = batch
        self.next = 0
        self.polls = 0
        self.commits = 0
        self.first_polled_s = 0.0

    def start(self, props: Mapping[str, str]) -> None:
        """Nothing to start."""

    def poll(self) -> Sequence[SourceRecord] | SourceBatch | None:
        self.first_polled_s = self.first_polled_s or time.time()
        self.polls += 1
        numbers = range(self.next, min(self.next + self.batch, self.count))
        if not numbers:
            self.when_empty()
            return None
        self.next = numbers.stop
        return self.read(numbers)

    def when_empty(self) -> None:
        """How to wait for more."""
        self.context.wait(0.05)

    def read(self, numbers: range) -> Sequence[SourceRecord] | SourceBatch:
        return [self.record(number) for number in numbers]

    def record(self, number: int) -> SourceRecord:
        return SourceRecord(PARTITION, {"n": number}, self.topic, value=str(number))

    def commit(self) -> None:
        self.commits += 1


class ColumnSource(NumberSource):
    """The same as columns; with `keyed`, the key of number n is `k<n>`."""

    def __init__(self, topic: str, count: int, batch: int = 10, *, keyed: bool = False) -> None:
        super().__init__(topic, count, batch)
        self.keyed = keyed

    def read(self, numbers: range) -> SourceBatch:
        return SourceBatch(
            self.topic,
            [str(number) for number in numbers],
            PARTITION,
            lambda index: {"n": numbers[index]},
            keys=[f"k{number}" for number in numbers] if self.keyed else None,
        )


class CompleteSource(NumberSource):
    """Records with all that a record may have; every third has no key, value, headers or timestamp."""

    def record(self, number: int) -> SourceRecord:
        if number % 3 == 2:
            return SourceRecord(PARTITION, {"n": number}, self.topic, partition=0)
        headers = ConnectHeaders()
        headers.add("number", number, None)
        headers.add("nothing", None, None)
        return SourceRecord(
            PARTITION,
            {"n": number},
            self.topic,
            partition=0,
            key=f"k{number}",
            value=str(number),
            timestamp=1_600_000_000_000 + number,
            headers=headers,
        )


class ConfirmedSource(NumberSource):
    """Notes what `commit_record` is called with, and on which threads."""

    def __init__(self, topic: str, count: int, batch: int = 10) -> None:
        super().__init__(topic, count, batch)
        self.confirmed: list[tuple[int, RecordMetadata | None]] = []
        self.threads: set[int] = set()

    def poll(self) -> Sequence[SourceRecord] | SourceBatch | None:
        self.threads.add(threading.get_ident())
        return super().poll()

    def commit_record(self, record: SourceRecord, metadata: RecordMetadata | None) -> None:
        assert record.source_offset is not None
        self.threads.add(threading.get_ident())
        self.confirmed.append((record.source_offset["n"], metadata))


class HookFailingSource(ConfirmedSource):
    """Fails in both commit hooks."""

    def commit_record(self, record: SourceRecord, metadata: RecordMetadata | None) -> None:
        super().commit_record(record, metadata)
        raise ValueError("commit_record is broken")

    def commit(self) -> None:
        super().commit()
        raise ValueError("commit is broken")


class BlockingSource(NumberSource):
    """Blocks in `poll` when there is nothing more, until it is released."""

    def __init__(self, topic: str, count: int, batch: int = 10) -> None:
        super().__init__(topic, count, batch)
        self.blocked = threading.Event()
        self.released = threading.Event()

    def when_empty(self) -> None:
        self.blocked.set()
        assert self.released.wait(30)


class FailingSource(NumberSource):
    """Fails when there is nothing more; before that, each second poll can be tried again."""

    def poll(self) -> Sequence[SourceRecord] | SourceBatch | None:
        if self.polls % 2 == 1:
            self.polls += 1
            raise RetriableException("the source is not there now")
        return super().poll()

    def when_empty(self) -> None:
        raise OSError("the source is broken")


class InterleavedSource(NumberSource):
    """Numbers of several source partitions in turn; number n belongs to partition n modulo `partitions`."""

    def __init__(self, topic: str, count: int, batch: int = 10, partitions: int = 3) -> None:
        super().__init__(topic, count, batch)
        self.partitions = partitions

    def record(self, number: int) -> SourceRecord:
        return SourceRecord({"part": number % self.partitions}, {"n": number}, self.topic, value=str(number))


class PickingSource(NumberSource):
    """Each record is what `make` makes of its number."""

    def __init__(self, topic: str, count: int, make: Any, batch: int = 10) -> None:
        super().__init__(topic, count, batch)
        self.make = make

    def record(self, number: int) -> SourceRecord:
        record: SourceRecord = self.make(super().record(number), number)
        return record
