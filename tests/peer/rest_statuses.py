"""What workers of a cluster say in its status topic: a state that is said anew can be told from what was said before."""

from __future__ import annotations

import json
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

_READ_S = 30.0


class StatusTopic:
    """The status topic of a cluster."""

    def __init__(self, bootstrap_servers: str, topic: str, partitions: int) -> None:
        self._topic = topic
        self._partitions = range(partitions)
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap_servers, "group.id": "nobody", "enable.auto.commit": False}
        )

    def end(self) -> dict[int, int]:
        """Where each partition ends now."""
        return {
            partition: self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), _READ_S)[1]
            for partition in self._partitions
        }

    def last_state(self, connector: str, since: Mapping[int, int]) -> str | None:
        """What was said last of the connector itself after these ends; None if nothing was."""
        left = {partition: end for partition, end in self.end().items() if end > since[partition]}
        self._consumer.assign([TopicPartition(self._topic, partition, since[partition]) for partition in left])
        found: str | None = None
        while left:
            message = self._consumer.poll(_READ_S)
            assert message is not None and message.error() is None, f"the end of {self._topic} is not reached"
            partition, offset = message.partition(), message.offset()
            assert partition is not None and offset is not None
            if message.key() == f"status-connector-{connector}".encode() and message.value() is not None:
                found = json.loads(message.value() or b"")["state"]
            if offset + 1 >= left.get(partition, 0):
                left.pop(partition, None)
        self._consumer.unassign()
        return found

    def close(self) -> None:
        self._consumer.close()
