"""Batches of a sink: the columns, the records, and what is left when partitions are taken away."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_NOT_AVAILABLE, Message

from connectd.errors import ConnectException
from connectd.records import SinkBatch, TimestampType, TopicPartition
from connectd.schema import Schema
from tasks.chain import Step
from tasks.pipeline import Pipeline, runs
from tasks.sink.batch import MessageBatch, TransformedBatch
from tests.support.errors import TOLERANT, operator
from tests.support.loops import strings
from tests.support.plugins import Applying, HeaderConverting, MoodyConverter

PLACES = [("a", 0, 5), ("a", 1, 7), ("b", 0, 1), ("a", 0, 6)]


def message(topic: str, partition: int, offset: int, **fields: Any) -> Message:
    value = fields.pop("value", f"{topic}{partition}@{offset}".encode())
    return Message(topic=topic, partition=partition, offset=offset, value=value, key=b"k", **fields)


def batch(pipeline: Pipeline | None = None, topic: str | None = None, **fields: Any) -> MessageBatch:
    messages = [message(*place, **fields) for place in PLACES if topic in (None, place[0])]
    return MessageBatch(messages, pipeline or strings(), topic)


def transformed(source: MessageBatch, *steps: Step) -> TransformedBatch:
    return TransformedBatch(source, strings(steps=steps))


SAME = Step(Applying(lambda record: record))


@pytest.mark.parametrize("make", [batch, lambda: transformed(batch(), SAME)], ids=["messages", "transformed"])
def test_columns_and_records_say_the_same(make: Any) -> None:
    columns: SinkBatch = make()
    assert len(columns) == 4
    assert columns.values == ["a0@5", "a1@7", "b0@1", "a0@6"]
    assert columns.keys == ["k"] * 4
    assert columns.value_schemas == [Schema.OPTIONAL_STRING_SCHEMA] * 4
    assert columns.topic_partitions == [TopicPartition(topic, partition) for topic, partition, _ in PLACES]
    assert columns.offsets == [5, 7, 1, 6]
    records = make().records()
    assert [(record.topic, record.partition, record.kafka_offset) for record in records] == PLACES
    assert [record.value for record in records] == columns.values
    assert [record.value_schema for record in records] == columns.value_schemas


def test_with_one_topic_its_name_is_read_from_no_message() -> None:
    known = batch(topic="a")
    assert known.topic_partitions == [TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("a", 0)]
    assert [record.topic for record in known.records()] == ["a"] * 3


def test_an_empty_batch() -> None:
    for empty in (MessageBatch([], strings(), "a"), MessageBatch([], strings(), None)):
        assert (len(empty), empty.values, empty.keys, empty.value_schemas, empty.records()) == (0, [], [], [], [])


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ((TIMESTAMP_CREATE_TIME, 12), (12, TimestampType.CREATE_TIME)),
        ((TIMESTAMP_LOG_APPEND_TIME, 13), (13, TimestampType.LOG_APPEND_TIME)),
        ((TIMESTAMP_NOT_AVAILABLE, 0), (None, TimestampType.NO_TIMESTAMP_TYPE)),
    ],
)
def test_timestamps(timestamp: tuple[int, int], expected: Any) -> None:
    record = MessageBatch([message("a", 0, 1, timestamp=timestamp)], strings(), "a").records()[0]
    assert (record.timestamp, record.timestamp_type) == expected


def test_records_that_are_made_again_do_not_share_what_a_task_may_change() -> None:
    source = MessageBatch([message("a", 0, 1, headers=[("h", b"1")])], strings(), "a")
    first = source.records()[0]
    first.headers.add("mine", 2)
    first.value = "changed"
    again = source.records()[0]
    assert (again.value, [(header.key, header.value) for header in again.headers]) == ("a0@1", [("h", 1)])


def test_a_converter_that_reads_headers_is_given_them_for_columns_too() -> None:
    messages = [message("a", 0, 1, headers=[("original", b"x")]), message("a", 0, 2)]
    pipeline = strings(value_converter=HeaderConverting())
    assert MessageBatch(messages, pipeline, "a").values == ["x", None]
    assert [record.value for record in MessageBatch(messages, pipeline, "a").records()] == ["x", None]


@pytest.mark.parametrize("topic", [None, "a"])
@pytest.mark.parametrize("take", [lambda each: each.values, lambda each: each.records()], ids=["column", "records"])
def test_a_record_that_cannot_be_converted_is_named(topic: str | None, take: Any) -> None:
    poisoned = batch(strings(value_converter=MoodyConverter(poison="a0@6")), topic)
    with pytest.raises(
        ConnectException, match="Cannot convert the value of the record in a-0 at offset 6: ValueError: this is poison"
    ):
        take(poisoned)
    assert poisoned.keys[0] == "k"
    with pytest.raises(ConnectException, match="Cannot convert the key of the record in a-0 at offset 5"):
        _ = batch(strings(key_converter=MoodyConverter(poison="k")), topic).keys


def test_what_a_converter_refuses_for_now_is_converted_by_trying_again() -> None:
    errors = operator(retry_timeout_ms=-1)
    moody = batch(strings(value_converter=MoodyConverter(refusals=3), errors=errors))
    assert moody.values[0] == "a0@5"
    assert errors.counters.retries == 2  # the first try was that of the whole column


@pytest.mark.parametrize("steps", [[], [Step(Applying(lambda record: record))]], ids=["messages", "transformed"])
def test_a_prepared_batch_is_without_what_cannot_be_converted(steps: list[Step]) -> None:
    errors = operator(**TOLERANT)
    pipeline = strings(value_converter=MoodyConverter(poison="a1@7"), steps=steps, errors=errors)
    source = batch(pipeline)
    prepared = (TransformedBatch(source, pipeline) if steps else source).prepare()
    assert prepared.values == ["a0@5", "b0@1", "a0@6"]
    assert len(prepared.messages) == 4
    assert prepared.prepare().records() == prepared.records()
    assert errors.counters.skipped == 1


def test_a_part_of_a_batch() -> None:
    part = batch().part(1, 3)
    assert (part.values, len(part.messages)) == (["a1@7", "b0@1"], 4)
    assert part.part(1, 2).values == ["b0@1"]


def test_what_is_left_without_some_partitions() -> None:
    gone = {TopicPartition("a", 0), TopicPartition("z", 0)}
    assert batch().without(gone).values == ["a1@7", "b0@1"]
    step = Step(Applying(lambda record: record.new_record(topic="elsewhere", value=record.value.upper())))
    for ask_first in (True, False):
        source = transformed(batch(), step)
        if ask_first:
            assert len(source) == 4
        left = source.without(gone)
        assert left.values == ["A1@7", "B0@1"]
        assert [each.offset() for each in left.messages] == [7, 1]


def test_nothing_is_transformed_twice() -> None:
    counting = Applying(lambda record: record)
    source = transformed(batch(), Step(counting))
    assert counting.applied == 0
    _ = source.values, source.keys, source.records(), len(source)
    assert source.without({TopicPartition("a", 0)}).records() == [source.records()[1], source.records()[2]]
    assert counting.applied == 4


def test_dropped_records_are_still_among_the_messages() -> None:
    source = transformed(batch(), Step(Applying(lambda record: None)))
    assert (len(source), source.records(), len(source.messages)) == (0, [], 4)
    assert source.without({TopicPartition("a", 0)}).records() == []


def test_runs_of_equal_topics() -> None:
    assert runs([]) == []
    assert runs(["a", "a", "b", "a"]) == [("a", 0, 2), ("b", 2, 3), ("a", 3, 4)]
