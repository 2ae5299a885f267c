"""The broker that the tests share, and the helpers around it."""

from __future__ import annotations

from confluent_kafka import Consumer, Producer

from tests.support.kafka import TestKafka


def test_lines_go_round_in_order(kafka: TestKafka, topic: str) -> None:
    lines = [f"line {number}" for number in range(5000)]
    assert kafka.produce(topic, lines) == 5000
    assert kafka.lines(topic, 5000) == lines
    assert kafka.end_offsets(topic) == {0: 5000}


def test_partitions_and_committed_offsets(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic, partitions=3, max_message_bytes="1000")
    kafka.produce(topic, ["a", "b"], partition=2)
    assert kafka.end_offsets(topic) == {0: 0, 1: 0, 2: 2}
    assert kafka.committed("nobody", topic) == {}
    group = f"group-{topic}"
    consumer = Consumer({**kafka.client, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    assert len(consumer.consume(2, timeout=30)) == 2
    consumer.close()
    assert kafka.committed(group, topic) == {2: 2}


def test_transactions(kafka: TestKafka, topic: str) -> None:
    producer = Producer({**kafka.client, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(30)
    for value, end in (("lost", producer.abort_transaction), ("kept", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(30)
        end(30)
    assert kafka.lines(topic, 1) == ["kept"]
