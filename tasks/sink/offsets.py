"""Which offsets of a sink task's partitions were delivered to it, and which of them are committed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog
from confluent_kafka import Message
from confluent_kafka import TopicPartition as ClientPartition

from connectd.records import OffsetAndMetadata, TopicPartition
from tasks.sink.batch import partition_of

log = structlog.get_logger(__name__)

Offsets = Mapping[TopicPartition, OffsetAndMetadata]


def plain(partition: ClientPartition) -> TopicPartition:
    """A partition as sink tasks know it."""
    return TopicPartition(partition.topic, partition.partition)


class SinkOffsets:
    """Of the partitions assigned now. Each batch costs a note of the consumer's positions; what they mean for single
    partitions is worked out when it is asked for."""

    def __init__(self) -> None:
        self._positions: Sequence[ClientPartition] = ()
        self._delivered: dict[TopicPartition, int] = {}
        # Where reading began counts as committed, as in Java.
        self._committed: dict[TopicPartition, OffsetAndMetadata] = {}
        self._unread: set[TopicPartition] = set()

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are read from now on."""
        self._unread.update(partitions)

    def remove(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are read no longer."""
        gone = set(partitions)
        self._positions = [each for each in self._positions if plain(each) not in gone]
        self._unread -= gone
        for partition in gone:
            self._delivered.pop(partition, None)
            self._committed.pop(partition, None)

    def deliver(self, positions: Sequence[ClientPartition], messages: Sequence[Message]) -> None:
        """The task took these messages; `positions` is what the consumer reads next."""
        self._positions = positions
        if self._unread:
            self._note_beginnings(messages)

    def _note_beginnings(self, messages: Sequence[Message]) -> None:
        begun = self._unread.intersection(plain(each) for each in self._positions if each.offset >= 0)
        if begun:
            firsts = {partition_of(message): message.offset() or 0 for message in reversed(messages)}
            for partition in begun & firsts.keys():
                self._committed[partition] = OffsetAndMetadata(firsts[partition])
                self._unread.discard(partition)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The task goes on at this offset, by its own wish: what it keeps itself counts as committed."""
        self._work_out()
        self._unread.discard(partition)
        self._delivered[partition] = offset
        self._committed[partition] = OffsetAndMetadata(offset)

    def delivered(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """The offset after the last delivered record of each of these partitions, as far as there is one."""
        self._work_out()
        return {each: OffsetAndMetadata(self._delivered[each]) for each in partitions if each in self._delivered}

    def positions(self, partitions: Iterable[ClientPartition]) -> list[tuple[str, int, int]]:
        """Topic, partition and offset of what comes next, -1 where nothing came yet; for another thread, that may be late."""
        latest = {(each.topic, each.partition): -1 for each in partitions}
        latest |= {(each.topic, each.partition): offset for each, offset in self._delivered.copy().items()}
        latest |= {(each.topic, each.partition): each.offset for each in self._positions if each.offset >= 0}
        return [(topic, partition, offset) for (topic, partition), offset in latest.items()]

    def _work_out(self) -> None:
        for position in self._positions:
            if position.offset >= 0:
                self._delivered[plain(position)] = position.offset
        self._positions = ()

    def committable(self, agreed: Offsets, delivered: Offsets) -> dict[TopicPartition, OffsetAndMetadata]:
        """Of what the task agreed to, all that is new and was delivered."""
        committable: dict[TopicPartition, OffsetAndMetadata] = {}
        for partition, offset in agreed.items():
            if partition not in delivered:
                log.warning(
                    "ignoring an offset that the task gave for a partition it was not asked about",
                    partition=str(partition),
                )
            elif offset.offset > delivered[partition].offset:
                log.warning(
                    "ignoring an offset that the task gave beyond what it was given",
                    partition=str(partition),
                    task_offset=offset.offset,
                    current_offset=delivered[partition].offset,
                )
            elif self._committed.get(partition) != offset:
                committable[partition] = offset
        return committable

    def commit(self, offsets: Offsets) -> None:
        """These are committed now."""
        self._committed.update(offsets)

    def roll_back(self) -> dict[TopicPartition, int]:
        """Forget what was delivered since the last commits; returns where to go on reading."""
        self._work_out()
        back = {each: self._committed[each].offset for each in self._delivered if each in self._committed}
        self._delivered.update(back)
        return back
