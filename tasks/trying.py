"""Tries the transformations of a connector on records, step by step: nothing is written, and no group is joined.

It runs the code of plugins: in children only.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from connectd.connectors import SourceConnector
from connectd.records import SinkRecord, SourceRecord
from plugins.discovery import find_class
from tasks.assembly import build_pipeline
from tasks.chain import Step
from tasks.clients import create, worker_admin_settings
from tasks.messages import Reason, RecordTried, StepTried, TransformsTried, TryTransforms
from tasks.pipeline import Pipeline
from tasks.refusal import Refusal
from tasks.settings import SinkConnectorConfig, SourceConnectorConfig, WorkerConfig
from tasks.settings.connector import CONNECTOR_CLASS, ConnectorConfig
from tasks.shown_records import message_of, shown, sink_record, source_record

POLL_S = 0.2

Make = Callable[[Message], SinkRecord | SourceRecord]


def try_transforms(order: TryTransforms) -> TransformsTried:
    """Each record before the first step and after each one. Raises Refusal if Kafka does not answer, ConfigException."""
    worker = WorkerConfig(order.worker_config)
    connector_class = find_class(order.config[CONNECTOR_CLASS], plugin_path=worker.plugin_path)
    is_source = issubclass(connector_class, SourceConnector)
    connector: ConnectorConfig = (SourceConnectorConfig if is_source else SinkConnectorConfig)(order.config)
    pipeline = build_pipeline(connector, worker)
    try:
        if order.topic is not None:
            messages: Iterator[Message] = _read(worker, order.topic, order.limit, order.timeout_s)
        else:
            messages = (message_of(line, number, is_source) for number, line in enumerate(order.records))
        make: Make = partial(source_record if is_source and order.topic is None else sink_record, pipeline)
        aliases = [each.alias for each in connector.transformations]
        return TransformsTried(records=[_tried(pipeline, aliases, make, message) for message in messages])
    finally:
        pipeline.close()


def _tried(pipeline: Pipeline, aliases: list[str], make: Make, message: Message) -> RecordTried:
    place = f"{message.topic()}-{message.partition()}@{message.offset()}"
    try:
        record: Any = make(message)
    except Exception as error:
        return RecordTried(place=place, before=None, error=_text(error))
    before = shown(record)
    steps = []
    for alias, step in zip(aliases, pipeline.steps, strict=True):
        record, tried = _step(alias, step, record)
        steps.append(tried)
        if record is None:
            break
    return RecordTried(place=place, before=before, steps=steps)


def _step(alias: str, step: Step, record: Any) -> tuple[Any | None, StepTried]:
    name = type(step.transformation).__name__
    try:
        if step.predicate is not None and bool(step.predicate.test(record)) is step.negate:
            return record, StepTried(alias=alias, transformation=name, applied=False, after=shown(record))
        changed = step.transformation.apply(record)
    except Exception as error:
        return None, StepTried(alias=alias, transformation=name, after=None, error=_text(error))
    return changed, StepTried(alias=alias, transformation=name, after=None if changed is None else shown(changed))


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _read(worker: WorkerConfig, topic: str, limit: int, timeout_s: float) -> Iterator[Message]:
    """The first records of a topic, as many as there are, up to the limit. Raises Refusal."""
    settings = worker_admin_settings(worker, "connectd-transforms-try")
    settings.conf.update(
        {
            # librdkafka wants one; partitions are assigned by hand, so that it is never joined nor committed to.
            "group.id": f"connectd-transforms-try-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "allow.auto.create.topics": False,
        }
    )
    consumer = create(Consumer, settings)
    deadline = time.monotonic() + timeout_s
    try:
        found = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
        if found.error is not None or not found.partitions:
            raise Refusal(Reason.NOT_FOUND, f"There is no topic {topic}")
        partitions = [TopicPartition(topic, number, 0) for number in sorted(found.partitions)]
        bounds = [consumer.get_watermark_offsets(each, timeout=timeout_s) for each in partitions]
        left = {each.partition: end for each, (begin, end) in zip(partitions, bounds, strict=True) if end > begin}
        consumer.assign([TopicPartition(topic, number, bounds[number][0]) for number in left])
        while limit and left:
            if time.monotonic() >= deadline:
                raise Refusal(Reason.UNAVAILABLE, f"Reading {topic} took longer than {timeout_s:g} s")
            for message in consumer.consume(limit, POLL_S):
                if message.error() is not None:
                    raise Refusal(Reason.UNAVAILABLE, f"Cannot read {topic}: {message.error()}")
                if (message.offset() or 0) + 1 >= left.get(message.partition() or 0, 0):
                    left.pop(message.partition() or 0, None)
                yield message
                limit -= 1
    except KafkaException as error:
        raise Refusal(Reason.UNAVAILABLE, f"Kafka did not answer: {error.args[0].str()}") from error
    finally:
        consumer.close()
