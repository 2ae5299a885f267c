"""A sink task made for tests of the worker: it notes every call in order, and misbehaves as it is told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from connectd.errors import RetriableException
from connectd.records import OffsetAndMetadata, SinkBatch, SinkRecord, TopicPartition
from connectd.tasks import SinkTask


class RecordingSink(SinkTask):
    """Notes all calls as `(name, argument)` in `calls`, and the records of each put that was not refused in `puts`.

    Before a call does anything, the function of that name in `on` is called with its argument; what it raises is raised.
    It fails by itself when a record comes of a partition that is not open.
    """

    def __init__(self, **on: Callable[[Any], Any]) -> None:
        self.on = on
        self.calls: list[tuple[str, Any]] = []
        self.puts: list[list[SinkRecord]] = []
        self.opened: set[TopicPartition] = set()
        self.threads: set[int] = set()

    def _note(self, name: str, argument: Any) -> Any:
        self.threads.add(threading.get_ident())
        self.calls.append((name, argument))
        return self.on[name](argument) if name in self.on else None

    def start(self, props: Mapping[str, str]) -> None:
        """Nothing to start."""

    def open(self, partitions: Collection[TopicPartition]) -> None:
        self.opened.update(partitions)
        self._note("open", sorted(partitions))

    def put(self, records: Sequence[SinkRecord]) -> None:
        strangers = {TopicPartition(record.topic, record.partition) for record in records} - self.opened
        assert not strangers, f"records of {strangers}, which are not open"
        self._note("put", list(records))
        if records:
            self.puts.append(list(records))

    def flush(self, current_offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        self._note("flush", {partition: offset.offset for partition, offset in current_offsets.items()})

    def pre_commit(
        self, current_offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        agreed = super().pre_commit(current_offsets)
        if "agree" not in self.on:
            return agreed
        return self.on["agree"](current_offsets)  # type: ignore[no-any-return]

    def close(self, partitions: Iterable[TopicPartition]) -> None:
        partitions = list(partitions)
        self._note("close", sorted(partitions))
        assert self.opened.issuperset(partitions), "closed what is not open"
        self.opened.difference_update(partitions)

    def stop(self) -> None:
        self._note("stop", None)

    @property
    def records(self) -> list[SinkRecord]:
        """All that was put, in order."""
        return [record for put in list(self.puts) for record in put]

    @property
    def values(self) -> list[Any]:
        return [record.value for record in self.records]

    @property
    def places(self) -> Counter[tuple[int, int]]:
        """How often each (partition, offset) was put."""
        return Counter((record.partition, record.kafka_offset) for record in self.records)

    def calls_of(self, *names: str) -> list[tuple[str, Any]]:
        """The calls of these names, in order."""
        return [call for call in list(self.calls) if call[0] in names]


class ColumnSink(RecordingSink):
    """Takes columns, and of them only the values (or what `take` takes)."""

    def __init__(self, take: Callable[[SinkBatch], Any] = lambda batch: list(batch.values), **on: Any) -> None:
        super().__init__(**on)
        self.take = take
        self.batches: list[Any] = []

    def put_batch(self, batch: SinkBatch) -> None:
        if len(batch):
            self.batches.append(self.take(batch))

    @property
    def values(self) -> list[Any]:
        return [value for batch in list(self.batches) for value in batch]


class Refusing:
    """A function for `RecordingSink(put=...)` that refuses records `times` times; it notes what it has refused."""

    def __init__(self, times: int, before: Callable[[], None] | None = None) -> None:
        self.times = times
        self.before = before
        self.refused: list[list[SinkRecord]] = []

    def __call__(self, records: list[SinkRecord]) -> None:
        if records and self.times:
            self.times -= 1
            self.refused.append(records)
            if self.before is not None:
                self.before()
            raise RetriableException("the system is busy")
