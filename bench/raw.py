"""The plain librdkafka loops: `python bench/raw.py produce|consume BOOTSTRAP_SERVERS TOPIC FILE RECORDS`.

The clients have the settings that connectd's tasks have, so that the difference is what the framework costs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from tasks.clients import CONSUMER_TUNING, PRODUCER_TUNING

BATCH_RECORDS = 2000
_QUEUE_WAIT_S = 0.005


def produce(bootstrap_servers: str, topic: str, file: Path) -> None:
    """Every line of the file becomes a record."""
    settings = {"bootstrap.servers": bootstrap_servers, "acks": "all", "enable.idempotence": True, "log_level": 3}
    producer = Producer({**PRODUCER_TUNING, **settings})
    with file.open("rb") as lines:
        for line in lines:
            while True:
                try:
                    producer.produce(topic, line[:-1])
                    break
                except BufferError:
                    producer.poll(_QUEUE_WAIT_S)
    producer.flush()


def consume(bootstrap_servers: str, topic: str, file: Path, records: int) -> None:
    """Every one of the first `records` records becomes a line."""
    settings = {"bootstrap.servers": bootstrap_servers, "group.id": f"raw-{topic}", "enable.auto.commit": False}
    consumer = Consumer({**CONSUMER_TUNING, **settings})
    consumer.assign([TopicPartition(topic, 0, 0)])
    with file.open("wb", buffering=0) as out:
        while records > 0:
            if messages := consumer.consume(BATCH_RECORDS, 1.0):
                out.write(b"\n".join([message.value() or b"" for message in messages]) + b"\n")
                records -= len(messages)
    consumer.close()


if __name__ == "__main__":
    direction, bootstrap_servers, topic, file, records = sys.argv[1:]
    if direction == "produce":
        produce(bootstrap_servers, topic, Path(file))
    else:
        consume(bootstrap_servers, topic, Path(file), int(records))
