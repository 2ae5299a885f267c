"""Puts dead letters through the pipeline of their connector once more, which since then has been mended.

It runs the code of plugins: in children only. The letters stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_NOT_AVAILABLE, KafkaError, Message, Producer

from connectd.connectors import SinkConnector, SourceConnector
from connectd.errors import ConnectException
from connectd.records import OffsetAndMetadata, SourceRecord
from connectd.tasks import SinkTask
from plugins.discovery import find_class
from tasks.assembly import build_pipeline
from tasks.clients import create, producer_settings
from tasks.errors import ProcessingContext, headers
from tasks.errors.dead_letters import BYTES, JSON
from tasks.letters import Letter, read, reader
from tasks.messages import LetterReplayed, LettersReplayed, Reason, ReplayLetters
from tasks.pipeline import Pipeline
from tasks.refusal import Refusal
from tasks.settings import SinkConnectorConfig, SourceConnectorConfig, WorkerConfig
from tasks.settings.connector import CONNECTOR_CLASS
from tasks.shown_records import source_record
from tasks.sink.batch import MessageBatch, TransformedBatch
from tasks.sink.context import WorkerSinkTaskContext

Outcomes = list[LetterReplayed]
Ready = list[tuple[Letter, TransformedBatch]]


def replay_letters(order: ReplayLetters) -> LettersReplayed:
    """What became of each letter that the filter chooses. Raises Refusal, and what starting the connector raises."""
    worker = WorkerConfig(order.worker_config)
    connector_class = find_class(order.config[CONNECTOR_CLASS], plugin_path=worker.plugin_path)
    with reader(worker) as consumer:
        letters = [each for each in read(consumer, order.queue, order.timeout_s) if each.is_chosen(order.filter)]
    letters = letters[: order.limit]
    if issubclass(connector_class, SourceConnector):
        return LettersReplayed(letters=_into_topic(order, worker, letters))
    assert issubclass(connector_class, SinkConnector)
    return LettersReplayed(letters=_into_sink(order, worker, connector_class, letters))


# --- sinks ------------------------------------------------------------------------------------------------------------


def _into_sink(
    order: ReplayLetters, worker: WorkerConfig, connector_class: type[SinkConnector], letters: Sequence[Letter]
) -> Outcomes:
    pipeline = build_pipeline(SinkConnectorConfig(order.config), worker)
    outcomes: Outcomes = []
    ready: Ready = []
    try:
        for letter in letters:
            batch = TransformedBatch(MessageBatch([_message(letter)], pipeline, None), pipeline)
            try:
                if batch.records():
                    ready.append((letter, batch))
                else:
                    outcomes.append(_outcome(letter, dropped=True))
            except ConnectException as error:
                outcomes.append(_outcome(letter, error))
        if ready:
            outcomes += _put(order, connector_class, ready)
    finally:
        pipeline.close()
    return sorted(outcomes, key=lambda each: (each.partition, each.offset))


def _put(order: ReplayLetters, connector_class: type[SinkConnector], ready: Ready) -> Outcomes:
    connector = connector_class()
    connector.start(order.config)
    try:
        configs = connector.task_configs(1)
        if not configs:
            raise Refusal(Reason.FAILED, f"The connector {order.config['name']} plans no task")
        return _put_all(connector.task_class()(), configs[0], ready)
    finally:
        connector.stop()


def _put_all(task: SinkTask, config: Mapping[str, str], ready: Ready) -> Outcomes:
    places = {place for _, batch in ready for place in batch.topic_partitions}
    context = WorkerSinkTaskContext(config)
    context.assigned = frozenset(places)
    task.initialize(context)
    task.start(config)
    try:
        task.open(list(places))
        outcomes = []
        # One by one: what cannot be written does not take others with it.
        for letter, batch in ready:
            try:
                task.put_batch(batch)
            except Exception as error:
                outcomes.append(_outcome(letter, error))
            else:
                outcomes.append(_outcome(letter))
        end = 1 + max(offset for _, batch in ready for offset in batch.offsets)
        ends = dict.fromkeys(places, OffsetAndMetadata(end))
        task.pre_commit(ends)
        task.close(list(places))
        return outcomes
    finally:
        task.stop()


def _message(letter: Letter) -> Message:
    """What the sink had read, at the place where it was."""
    place = [letter.text(name) for name in (headers.PARTITION, headers.OFFSET)]
    partition, offset = (int(text) if text is not None else 0 for text in place)
    return Message(
        topic=letter.text(headers.TOPIC) or letter.queue,
        partition=partition,
        offset=offset,
        key=letter.key,
        value=letter.value,
        headers=list(letter.headers),
        timestamp=(TIMESTAMP_NOT_AVAILABLE, 0) if letter.time_ms is None else (TIMESTAMP_CREATE_TIME, letter.time_ms),
    )


# --- sources ----------------------------------------------------------------------------------------------------------


def _into_topic(order: ReplayLetters, worker: WorkerConfig, letters: Sequence[Letter]) -> Outcomes:
    connector = SourceConnectorConfig(order.config)
    pipeline = build_pipeline(connector, worker)
    producer = create(Producer, producer_settings(worker, connector, 0))
    outcomes: Outcomes = []
    try:
        for letter in letters:
            _produce(producer, pipeline, letter, outcomes)
        if left := producer.flush(order.timeout_s):
            raise Refusal(Reason.UNAVAILABLE, f"{left} records were not acknowledged within {order.timeout_s:g} s")
    finally:
        pipeline.close()
    return sorted(outcomes, key=lambda each: (each.partition, each.offset))


def _produce(producer: Producer, pipeline: Pipeline, letter: Letter, outcomes: Outcomes) -> None:
    def delivered(error: KafkaError | None, message: Message) -> None:
        outcomes.append(_outcome(letter, None if error is None else ConnectException(error.str())))

    try:
        record = _source_record(pipeline, letter)
        context = ProcessingContext(record)
        transformed = pipeline.transform(context, record)
        if transformed is None:
            outcomes.append(_outcome(letter, dropped=True))
            return
        converted = pipeline.to_kafka(context, transformed)
        assert converted is not None
        key, value, kept = converted
        where = -1 if transformed.partition is None else transformed.partition
        timestamp = transformed.timestamp or 0
        found: Any = kept or []
        producer.produce(
            transformed.topic, value, key, where, on_delivery=delivered, timestamp=timestamp, headers=found
        )
    except Exception as error:
        outcomes.append(_outcome(letter, error))


def _source_record(pipeline: Pipeline, letter: Letter) -> SourceRecord:
    form = letter.text(headers.FORMAT)
    if form != JSON:
        why = "is converted already: replay it to its topic" if form == BYTES else "was no more than text"
        raise ConnectException(f"The record {why}")
    message = Message(
        topic=letter.text(headers.TOPIC) or "",
        partition=int(letter.text(headers.PARTITION) or 0),
        key=letter.key,
        value=letter.value,
        headers=list(letter.headers),
        timestamp=(TIMESTAMP_NOT_AVAILABLE, 0),
    )
    record = source_record(pipeline, message)
    timestamp, partition = letter.text(headers.SOURCE_TIMESTAMP), letter.text(headers.PARTITION)
    record.timestamp = None if timestamp is None else int(timestamp)
    record.partition = None if partition is None else int(partition)
    record.source_partition = orjson.loads(letter.text(headers.SOURCE_PARTITION) or "null")
    record.source_offset = orjson.loads(letter.text(headers.SOURCE_OFFSET) or "null")
    return record


def _outcome(letter: Letter, error: Exception | None = None, *, dropped: bool = False) -> LetterReplayed:
    return LetterReplayed(
        partition=letter.partition,
        offset=letter.offset,
        dropped=dropped,
        error=None if error is None else f"{type(error).__name__}: {error}",
    )
