"""Records of sources that fail: what is skipped, what is in the dead letter queue, and which offsets are committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from confluent_kafka import Message

from connectd.errors import DataException
from connectd.headers import ConnectHeaders
from connectd.records import SourceRecord
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from tasks.chain import Step
from tasks.errors.headers import FORMAT, SOURCE_OFFSET, SOURCE_PARTITION, STAGE, TOPIC
from tests.support.errors import TOLERANT, dead_letters, headers_of, operator, reporting
from tests.support.kafka import TestKafka
from tests.support.loops import Supervisor, run_source, strings, until
from tests.support.plugins import Applying, MoodyConverter
from tests.support.sources import PARTITION, ColumnSource, ConfirmedSource, NumberSource

SOURCES = [NumberSource, ColumnSource, ConfirmedSource]


def numbers(*without: str) -> list[str]:
    return [each for each in map(str, range(30)) if each not in without]


class Enlarging(MoodyConverter):
    """Makes one value too large for the producer, or the topic."""

    def from_connect_data(self, topic: str, schema: Any, value: Any) -> bytes | None:
        data = super().from_connect_data(topic, schema, value)
        return b"x" * 5000 if value == "13" else data


def letters(kafka: TestKafka, queue: str, count: int) -> dict[int, Message]:
    """Dead letters by the offset in the source of what they were."""
    return {orjson.loads(headers_of(each)[SOURCE_OFFSET] or "")["n"]: each for each in kafka.consume(queue, count)}


@pytest.mark.parametrize("source", SOURCES)
def test_what_cannot_be_converted_is_in_the_dead_letter_queue_before_its_offset_is_committed(
    kafka: TestKafka, topic: str, source: Callable[..., NumberSource]
) -> None:
    kafka.create_topic(topic)
    supervisor, queue = Supervisor(), f"{topic}-dlq"
    errors = reporting(supervisor, kafka.client, source=True, dead_letters=dead_letters(queue), **TOLERANT)
    pipeline = strings(value_converter=MoodyConverter(poison="13"), errors=errors)
    task = source(topic, 30, batch=10)
    with run_source(task, kafka.client, pipeline=pipeline, supervisor=supervisor) as running:
        until(lambda: supervisor.committed(PARTITION) == {"n": 29}, "all is committed")
        assert kafka.end_offsets(queue) == {0: 1}
        running.stop()
    assert kafka.lines(topic, 29) == numbers("13")
    letter = letters(kafka, queue, 1)[13]
    assert (letter.key(), orjson.loads(letter.value() or b"")["payload"]) == (None, "13")
    headers = headers_of(letter)
    assert (headers[TOPIC], headers[STAGE], headers[FORMAT]) == (topic, "VALUE_CONVERTER", "json")
    assert orjson.loads(headers[SOURCE_PARTITION] or "") == PARTITION
    if isinstance(task, ConfirmedSource):
        assert len(task.confirmed) == 30


def test_a_transformation_that_fails_leaves_the_record_as_it_was(kafka: TestKafka, topic: str) -> None:
    schema = (
        SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).field("name", Schema.OPTIONAL_STRING_SCHEMA).build()
    )

    class Structs(NumberSource):
        def poll(self) -> Any:
            records = super().poll()
            return records and [
                SourceRecord(
                    each.source_partition,
                    each.source_offset,
                    each.topic,
                    partition=0,
                    key_schema=Schema.STRING_SCHEMA,
                    key=f"k{each.value}",
                    value_schema=schema,
                    value=Struct(schema, id=int(each.value), name="x"),
                    timestamp=77,
                    headers=ConnectHeaders().add("h", 5),
                )
                for each in records
            ]

    def fail(record: SourceRecord) -> SourceRecord | None:
        if record.value["id"] == 7:
            raise DataException("not this one")
        return None if record.value["id"] == 8 else record.new_record(value_schema=None, value=str(record.value["id"]))

    supervisor, queue = Supervisor(), f"{topic}-dlq"
    errors = reporting(supervisor, kafka.client, source=True, dead_letters=dead_letters(queue), **TOLERANT)
    pipeline = strings(steps=[Step(Applying(fail))], errors=errors)
    with run_source(Structs(topic, 30), kafka.client, pipeline=pipeline, supervisor=supervisor) as running:
        until(lambda: supervisor.committed(PARTITION) == {"n": 29}, "all is committed")
        running.stop()
    assert kafka.lines(topic, 28) == numbers("7", "8")
    letter = letters(kafka, queue, 1)[7]
    value = orjson.loads(letter.value() or b"")
    assert value["payload"] == {"id": 7, "name": "x"} and value["schema"]["type"] == "struct"
    assert orjson.loads(letter.key() or b"")["payload"] == "k7"
    headers = headers_of(letter)
    assert headers["h"] == "5"
    assert headers["__connect.errors.source.timestamp"] == "77"
    assert headers["__connect.errors.exception.class.name"] == "org.apache.kafka.connect.errors.DataException"
    assert errors.counters.skipped == 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("where", ["producer", "broker"])
def test_what_kafka_refuses_is_skipped_where_that_is_tolerated(
    kafka: TestKafka, topic: str, source: Callable[..., NumberSource], where: str
) -> None:
    kafka.create_topic(topic, **({"max_message_bytes": "1000"} if where == "broker" else {}))
    limit = {"message_max_bytes": 2000} if where == "producer" else {"batch_num_messages": 1}
    supervisor, queue = Supervisor(), f"{topic}-dlq"
    errors = reporting(supervisor, kafka.client, source=True, dead_letters=dead_letters(queue), **TOLERANT)
    pipeline = strings(value_converter=Enlarging(), errors=errors)
    task = source(topic, 30, batch=10)
    with run_source(task, kafka.client, pipeline=pipeline, supervisor=supervisor, **limit) as running:
        until(lambda: supervisor.committed(PARTITION) == {"n": 29}, "all is committed")
        running.stop()
    assert kafka.lines(topic, 29) == numbers("13")
    (letter,) = kafka.consume(queue, 1)
    assert letter.value() == b"x" * 5000
    headers = headers_of(letter)
    assert (headers[TOPIC], headers[STAGE], headers[FORMAT]) == (topic, "KAFKA_PRODUCE", "bytes")
    assert headers["__connect.errors.class.name"] == "org.apache.kafka.connect.source.SourceTask"
    assert headers["__connect.errors.exception.class.name"] == "org.apache.kafka.common.errors.RecordTooLargeException"
    if isinstance(task, ConfirmedSource):
        assert len(task.confirmed) == 30


@pytest.mark.parametrize("source", SOURCES)
def test_without_a_dead_letter_queue_what_fails_is_skipped(
    kafka: TestKafka, topic: str, source: Callable[..., NumberSource]
) -> None:
    kafka.create_topic(topic)
    errors = operator(**TOLERANT)
    pipeline = strings(
        value_converter=MoodyConverter(poison="13"),
        steps=[Step(Applying(lambda record: record if record.value != "14" else 1 / 0))],
        errors=errors,
    )
    with run_source(source(topic, 30), kafka.client, pipeline=pipeline) as running:
        until(lambda: running.supervisor.committed(PARTITION) == {"n": 29}, "all is committed")
        running.stop()
    assert kafka.lines(topic, 28) == numbers("13", "14")
    assert (errors.counters.errors, errors.counters.skipped) == (2, 2)


def test_while_the_dead_letter_queue_is_away_the_offset_is_not_committed(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    supervisor = Supervisor()
    nowhere = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    errors = reporting(
        supervisor, kafka.client, source=True, producer=nowhere, dead_letters=dead_letters(f"{topic}-dlq"), **TOLERANT
    )
    pipeline = strings(value_converter=MoodyConverter(poison="13"), errors=errors)
    task = NumberSource(topic, 30)
    with run_source(task, kafka.client, pipeline=pipeline, supervisor=supervisor, shutdown_timeout_s=2.0) as running:
        assert kafka.lines(topic, 29) == numbers("13")
        running.stop()
    committed = supervisor.committed(PARTITION)
    assert committed is None or committed["n"] < 13


def test_what_the_dead_letter_queue_refuses_fails_the_task(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(topic)
    queue = kafka.create_topic(f"{topic}-dlq", max_message_bytes="100")
    supervisor = Supervisor()
    errors = reporting(supervisor, kafka.client, source=True, dead_letters=dead_letters(queue), **TOLERANT)
    pipeline = strings(value_converter=MoodyConverter(poison="13"), errors=errors)
    with run_source(NumberSource(topic, 30), kafka.client, pipeline=pipeline, supervisor=supervisor) as running:
        assert f"dead letter queue {queue}: MSG_SIZE_TOO_LARGE" in str(running.failure())
    committed = supervisor.committed(PARTITION)
    assert committed is None or committed["n"] < 13
