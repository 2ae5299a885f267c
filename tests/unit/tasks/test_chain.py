"""Chains on columns: with predicates, and with transformations that drop records, they give what single records give."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Message

from connectd.columns import RecordColumns
from connectd.headers import ConnectHeaders
from connectd.transforms import Predicate
from plugins.converters.json import JsonConverter
from plugins.converters.simple_header import SimpleHeaderConverter
from plugins.converters.string import StringConverter
from plugins.predicates.has_header_key import HasHeaderKey
from plugins.predicates.record_is_tombstone import RecordIsTombstone
from plugins.predicates.topic_name_matches import TopicNameMatches
from plugins.transforms.filter import Filter
from plugins.transforms.header_from import HeaderFromValue
from plugins.transforms.insert_field import InsertFieldValue
from plugins.transforms.insert_header import InsertHeader
from plugins.transforms.mask_field import MaskFieldValue
from plugins.transforms.regex_router import RegexRouter
from tasks.chain import Chain, Step
from tasks.pipeline import Pipeline
from tasks.sink.batch import MessageBatch, TransformedBatch
from tests.support.plugins import Applying

ENVELOPE = (
    '{"schema":{"type":"struct","fields":[{"field":"id","type":"int64"},{"field":"name","type":"string","optional":true}]},'
    '"payload":{"id":%d,"name":"n"}}'
)


def made(kind: type[Any], **config: str) -> Any:
    plugin = kind()
    plugin.configure({key.replace("_", "."): value for key, value in config.items()})
    return plugin


def step(transformation: Any, predicate: Any = None, *, negate: bool = False) -> Step:
    return Step(transformation, predicate, negate)


FROM_A = made(TopicNameMatches, pattern="a")
MARKED = made(HasHeaderKey, name="marked")
TOMBSTONE = made(RecordIsTombstone)
MASK = made(MaskFieldValue, fields="name")
STEPS = {
    "drop tombstones": step(Filter(), TOMBSTONE),
    "drop what is marked": step(Filter(), MARKED),
    "drop what is not of a": step(Filter(), FROM_A, negate=True),
    "drop all": step(Filter()),
    "mask of a": step(MASK, FROM_A),
    "mask unmarked": step(MASK, MARKED, negate=True),
    "header where marked": step(made(InsertHeader, header="more", value_literal="1"), MARKED),
    "field where marked": step(made(InsertFieldValue, offset_field="at", static_field="s", static_value="v"), MARKED),
    "copy to header": step(
        made(HeaderFromValue, fields="name,id", headers="n,i", operation="copy"), TOMBSTONE, negate=True
    ),
    "move to header": step(made(HeaderFromValue, fields="name", headers="n", operation="move"), TOMBSTONE, negate=True),
    "rename topic": step(made(RegexRouter, regex="a", replacement="b"), MARKED),
}


def messages(with_schema: bool, *, tombstones: bool = True) -> list[Message]:
    found = []
    for offset in range(24):
        plain = f'{{"id":{offset},"name":"n"}}'
        value = (ENVELOPE % offset if with_schema else plain).encode()
        found.append(
            Message(
                topic="a" if offset % 3 else "c",
                partition=offset % 2,
                offset=offset,
                key=b"k",
                value=None if tombstones and offset >= 16 else value,
                headers=[("marked", b"yes")] if offset % 4 == 1 else None,
                timestamp=(TIMESTAMP_CREATE_TIME, 1000 + offset),
            )
        )
    return found


def pipeline(steps: list[Step], with_schema: bool) -> Pipeline:
    converter = JsonConverter()
    converter.configure({"schemas.enable": str(with_schema).lower()})
    return Pipeline(StringConverter(), converter, SimpleHeaderConverter(), steps)


@pytest.mark.parametrize("with_schema", [True, False], ids=["with schema", "without"])
@pytest.mark.parametrize("tombstones", [True, False], ids=["tombstones", "values"])
def test_columns_give_what_single_records_give(with_schema: bool, tombstones: bool) -> None:
    read = messages(with_schema, tombstones=tombstones)
    in_columns = 0
    for names in itertools.permutations(STEPS, 2):
        steps = [STEPS[name] for name in names]
        single: list[Any] | str = list(MessageBatch(read, pipeline([], with_schema), None).records())
        try:
            for each in steps:
                single = [left for record in single if (left := each.apply(record)) is not None]
        except Exception:
            continue
        whole = TransformedBatch(MessageBatch(read, made_of := pipeline(steps, with_schema), None), made_of)
        in_columns += whole._whole is not None
        assert whole.values == [record.value for record in single], names
        assert len(whole) == len(single)
        assert whole.records() == single, names
    # Of most pairs: it is not columns that are given up each time.
    assert in_columns >= 60


def test_what_columns_have_left_goes_on_to_steps_on_records() -> None:
    seen: list[Any] = []
    last = Step(Applying(lambda record: seen.append(record.kafka_offset) or record))  # type: ignore[func-returns-value]
    made_of = pipeline([STEPS["drop what is marked"], last], False)
    whole = TransformedBatch(MessageBatch(messages(False), made_of, None), made_of)
    assert made_of.chain.in_columns == 1
    assert [record.kafka_offset for record in whole.records()] == seen == [n for n in range(24) if n % 4 != 1]


def test_a_predicate_without_a_form_for_columns_ends_them() -> None:
    class Own(Predicate[Any]):
        def test(self, record: Any) -> bool:
            return True

    assert Chain([Step(MASK, FROM_A), Step(MASK)]).is_all_columns
    assert Chain([Step(MASK), Step(MASK, Own())]).in_columns == 1


def test_records_dropped_twice_are_counted_from_the_beginning() -> None:
    columns = RecordColumns(5, None, None, lambda name: [f"{name}{n}" for n in range(5)])
    assert columns.column("topic")[0] == "topic0"
    columns.keep([True, False, True, True, False])
    columns.keep([False, True, True])
    assert (len(columns), columns.left) == (2, [2, 3])
    assert columns.column("topic") == ["topic2", "topic3"]
    assert columns.values("key") == ["key2", "key3"]
    columns.change_some([False, True], lambda some: some.set_column("headers", [ConnectHeaders()] * len(some)))
    assert columns.column("headers") == ["headers2", ConnectHeaders()]
