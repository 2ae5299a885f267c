"""A Kafka to test against, with the few calls that most tests need."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from supervisor.embedded import EmbeddedKafka
from supervisor.embedded.runtime import KafkaRuntime

TIMEOUT_S = 60.0


class ShortLivedKafka(EmbeddedKafka):
    """A broker that one test starts for itself: it costs a third less, for it compiles nothing so that it is fast for long."""

    def _fetch(self) -> KafkaRuntime:
        runtime = super()._fetch()
        return replace(runtime, extra=[*runtime.extra, "-XX:TieredStopAtLevel=1"])


@dataclass(frozen=True)
class TestKafka:
    """A running broker; `client` are the settings of a client built on librdkafka."""

    __test__ = False  # no test class, though pytest would think so

    client: Mapping[str, str]

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return self.client["bootstrap.servers"]

    @cached_property
    def admin(self) -> AdminClient:
        """The admin client; calls on one that is not kept die with it."""
        return AdminClient(dict(self.client))

    def create_topic(self, topic: str, partitions: int = 1, **config: str) -> str:
        """Create a topic; `config` has underscores for the dots of Kafka's names. Returns the topic."""
        settings = {key.replace("_", "."): value for key, value in config.items()}
        self.admin.create_topics([NewTopic(topic, partitions, 1, config=settings)])[topic].result(TIMEOUT_S)
        return topic

    def produce(self, topic: str, values: Iterable[bytes | str], *, partition: int = -1) -> int:
        """Write values in order and wait until all are acknowledged; returns how many."""
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error:
                failures.append(error)

        settings = {"enable.idempotence": True, "linger.ms": 5}  # else records may be sent again, and behind later ones
        producer = Producer({**self.client, **settings, "on_delivery": delivered})
        waiting = list(values)
        for value in waiting:
            while True:
                try:
                    producer.produce(topic, value, partition=partition)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        assert producer.flush(TIMEOUT_S) == 0, f"not all records reached {topic}"
        assert not failures, failures[:3]
        return len(waiting)

    def consume(self, topic: str, count: int, timeout_s: float = TIMEOUT_S) -> list[Message]:
        """Exactly the first `count` records of a topic, from all its partitions; fails when they do not come in time.

        With isolation level read_committed, as Kafka Connect's sinks read exactly-once topics.
        """
        settings = {
            "group.id": f"test-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
        consumer = Consumer({**self.client, **settings, "fetch.queue.backoff.ms": 2})
        found: list[Message] = []
        deadline = time.monotonic() + timeout_s
        try:
            consumer.assign([TopicPartition(topic, partition, 0) for partition in self._partitions(topic, deadline)])
            while len(found) < count and time.monotonic() < deadline:
                for message in consumer.consume(min(count - len(found), 5000), timeout=0.2):
                    if message.error():
                        raise KafkaException(message.error())
                    found.append(message)
        finally:
            consumer.close()
        assert len(found) == count, f"{len(found)} of {count} records came in {topic} within {timeout_s:g} s"
        return found

    def lines(self, topic: str, count: int, timeout_s: float = TIMEOUT_S) -> list[str]:
        """The values of `consume` as text."""
        return [bytes(message.value() or b"").decode() for message in self.consume(topic, count, timeout_s)]

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset after the last record, by partition."""
        consumer = Consumer({**self.client, "group.id": f"test-{uuid.uuid4()}"})
        try:
            partitions = self._partitions(topic, time.monotonic() + TIMEOUT_S)
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), TIMEOUT_S)[1] for p in partitions}
        finally:
            consumer.close()

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The offsets that a consumer group has committed, by partition; without those that it has not."""
        consumer = Consumer({**self.client, "group.id": group})
        try:
            partitions = self._partitions(topic, time.monotonic() + TIMEOUT_S)
            found = consumer.committed([TopicPartition(topic, p) for p in partitions], TIMEOUT_S)
            return {position.partition: position.offset for position in found if position.offset >= 0}
        finally:
            consumer.close()

    def _partitions(self, topic: str, deadline: float) -> list[int]:
        """A topic's partitions, once it exists and all of them have a leader."""
        while time.monotonic() < deadline:
            # Asked for all topics: to ask for one that does not exist would create it.
            metadata = self.admin.list_topics(timeout=TIMEOUT_S).topics.get(topic)
            if metadata and metadata.partitions and all(p.leader >= 0 for p in metadata.partitions.values()):
                return sorted(metadata.partitions)
            time.sleep(0.05)
        raise AssertionError(f"topic {topic} does not exist")
