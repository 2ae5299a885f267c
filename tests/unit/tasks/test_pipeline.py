"""The chain of transformations and the conversion of whole records."""

from __future__ import annotations

from typing import Any

import pytest

from connectd.errors import DataException, RetriableException
from connectd.headers import ConnectHeaders
from connectd.records import SinkRecord, SourceRecord
from connectd.transforms import Predicate
from plugins.converters.string import StringConverter
from tasks.pipeline import RecordFailed, Step, convert_column, expand_schemas
from tests.support.loops import strings
from tests.support.plugins import Applying, HeaderConverting, MoodyConverter


class Truthy(Predicate[Any]):
    """True in Python's sense for values that are not empty; notes that it was closed."""

    closed = False

    def test(self, record: Any) -> Any:
        return record.value

    def close(self) -> None:
        self.closed = True


class Closing(Applying):
    closed = False

    def close(self) -> None:
        self.closed = True


class ClosingConverter(StringConverter):
    closed = False

    def close(self) -> None:
        self.closed = True


def record(value: Any) -> SinkRecord:
    return SinkRecord("t", 3, value=value, kafka_offset=9)


def adding(text: str) -> Applying:
    return Applying(lambda each: each.new_record(value=f"{each.value}{text}"))


def test_steps_run_in_order_and_a_dropped_record_goes_no_further() -> None:
    last = adding("c")
    pipeline = strings(
        steps=[Step(adding("a")), Step(Applying(lambda each: None if each.value == "2a" else each)), Step(last)]
    )
    assert [each.value for each in pipeline.transform_all([record("1"), record("2"), record("3")])] == ["1ac", "3ac"]
    assert last.applied == 2
    assert pipeline.transform(record("2")) is None


@pytest.mark.parametrize(("negate", "expected"), [(False, ["1x", ""]), (True, ["1", "x"])])
def test_a_predicate_chooses_by_what_is_true_in_python(negate: bool, expected: list[str]) -> None:
    pipeline = strings(steps=[Step(adding("x"), Truthy(), negate)])
    assert [each.value for each in pipeline.transform_all([record("1"), record("")])] == expected


def test_a_failure_names_where_the_record_was_read_whatever_became_of_it() -> None:
    def reroute_and_fail(each: SinkRecord) -> SinkRecord:
        each.topic = "elsewhere"
        raise KeyError("field")

    with pytest.raises(DataException, match=r"Cannot transform the record in t-3 at offset 9: KeyError: 'field'"):
        strings(steps=[Step(Applying(reroute_and_fail))]).transform_all([record("1")])


def test_what_may_be_tried_again_stays_so() -> None:
    def refuse(each: SinkRecord) -> SinkRecord:
        raise RetriableException("later")

    with pytest.raises(RetriableException, match="t-3 at offset 9"):
        strings(steps=[Step(Applying(refuse))]).transform_all([record("1")])
    with pytest.raises(RetriableException, match="registry"):
        convert_column(MoodyConverter(refusals=2), "t", None, ["a", "b"])


def test_the_value_that_cannot_be_converted_is_found() -> None:
    with pytest.raises(RecordFailed, match="Cannot convert a record for topic t: ValueError: this is poison") as raised:
        convert_column(MoodyConverter(poison="c"), "t", None, ["a", "b", "c", "d"])
    assert raised.value.index == 2


def test_a_batch_that_fails_although_each_of_its_values_does_not() -> None:
    class Broken(StringConverter):
        def from_connect_batch(self, topic: str, schema: Any, values: Any) -> list[bytes | None]:
            raise MemoryError("too much at once")

    with pytest.raises(MemoryError):
        convert_column(Broken(), "t", None, ["a"])


def test_all_parts_of_a_record_become_bytes() -> None:
    headers = ConnectHeaders().add("n", 1).add("none", None)
    full = SourceRecord(None, None, "t", key="k", value="v", headers=headers)
    assert strings().to_kafka(full) == (b"k", b"v", [("n", b"1"), ("none", None)])
    assert strings().to_kafka(SourceRecord(None, None, "t")) == (None, None, None)
    writing = strings(key_converter=HeaderConverting())
    assert writing.writes_headers and not strings().writes_headers
    assert writing.to_kafka(SourceRecord(None, None, "t", key="k")) == (b"see header", None, [("original", b"k")])


def test_close_reaches_all_parts() -> None:
    transformation, predicate, converter = Closing(lambda each: each), Truthy(), ClosingConverter()
    strings(steps=[Step(transformation, predicate)], key_converter=converter).close()
    assert transformation.closed and predicate.closed and converter.closed


def test_one_schema_or_one_for_each() -> None:
    assert expand_schemas(None, 2) == [None, None]
    assert expand_schemas([None], 1) == [None]
