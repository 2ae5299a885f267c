"""The chain of transformations and the conversion of whole records."""

from __future__ import annotations

from typing import Any

import pytest

from connectd.errors import ConnectException, RetriableException
from connectd.headers import ConnectHeaders
from connectd.records import SinkRecord, SourceRecord
from connectd.transforms import Predicate
from plugins.converters.string import StringConverter
from tasks.chain import Step
from tasks.errors import ProcessingContext
from tasks.pipeline import Pipeline, expand_schemas
from tests.support.errors import TOLERANT, operator
from tests.support.loops import strings
from tests.support.plugins import Applying, HeaderConverting


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


def transformed(pipeline: Pipeline, *records: SinkRecord) -> list[Any]:
    """The values that are left, None for a record that is not."""
    left: list[Any] = []
    pipeline.transform_all(records, lambda index: ProcessingContext(records[index]), left)
    return [None if each is None else each.value for each in left]


def produced(pipeline: Pipeline, record: SourceRecord) -> Any:
    return pipeline.to_kafka(ProcessingContext(record), record)


def adding(text: str) -> Applying:
    return Applying(lambda each: each.new_record(value=f"{each.value}{text}"))


def test_steps_run_in_order_and_a_dropped_record_goes_no_further() -> None:
    last = adding("c")
    pipeline = strings(
        steps=[Step(adding("a")), Step(Applying(lambda each: None if each.value == "2a" else each)), Step(last)]
    )
    assert transformed(pipeline, record("1"), record("2"), record("3")) == ["1ac", None, "3ac"]
    assert last.applied == 2
    assert pipeline.transform(ProcessingContext(record("2")), record("2")) is None


@pytest.mark.parametrize(("negate", "expected"), [(False, ["1x", ""]), (True, ["1", "x"])])
def test_a_predicate_chooses_by_what_is_true_in_python(negate: bool, expected: list[str]) -> None:
    pipeline = strings(steps=[Step(adding("x"), Truthy(), negate)])
    assert transformed(pipeline, record("1"), record("")) == expected


def test_a_failure_names_where_the_record_was_read_whatever_became_of_it() -> None:
    def reroute_and_fail(each: SinkRecord) -> SinkRecord:
        each.topic = "elsewhere"
        raise KeyError("field")

    with pytest.raises(ConnectException, match=r"Cannot transform the record in t-3 at offset 9: KeyError: 'field'"):
        transformed(strings(steps=[Step(Applying(reroute_and_fail))]), record("1"))


def test_what_fails_is_tried_from_the_step_that_failed_and_the_others_not_at_all() -> None:
    first, last, failures = adding("a"), adding("c"), iter([True, True, False])

    def refuse(each: SinkRecord) -> SinkRecord:
        if each.value == "2a" and next(failures):
            raise RetriableException("later")
        return each

    errors = operator(**TOLERANT, retry_timeout_ms=60_000)
    steps = [Step(first), Step(Applying(refuse)), Step(last)]
    assert transformed(strings(steps=steps, errors=errors), *map(record, "123")) == ["1ac", "2ac", "3ac"]
    assert (first.applied, last.applied) == (3, 3)
    assert (errors.counters.failures, errors.counters.retries, errors.counters.errors) == (1, 1, 0)


def test_a_record_that_fails_is_left_out_where_that_is_tolerated() -> None:
    def fail(each: SinkRecord) -> SinkRecord:
        return each if each.value != "2" else 1 / 0  # type: ignore[return-value]

    records = [record("1"), record("2"), record("3")]
    pipeline = strings(steps=[Step(Applying(fail)), Step(adding("x"))], errors=operator(**TOLERANT))
    left: list[Any] = []
    failed = pipeline.transform_all(records, lambda index: ProcessingContext(records[index]), left)
    assert [each and each.value for each in left] == ["1x", None, "3x"]
    assert {
        index: (context.stage, context.executing_class, str(context.error)) for index, context in failed.items()
    } == {1: ("TRANSFORMATION", Applying, "division by zero")}
    assert pipeline.errors.counters.snapshot() | {"last-error-timestamp": 0} == {
        "total-record-failures": 1,
        "total-record-errors": 1,
        "total-records-skipped": 1,
        "total-retries": 0,
        "total-errors-logged": 0,
        "deadletterqueue-produce-requests": 0,
        "deadletterqueue-produce-failures": 0,
        "last-error-timestamp": 0,
    }


def test_all_parts_of_a_record_become_bytes() -> None:
    headers = ConnectHeaders().add("n", 1).add("none", None)
    full = SourceRecord(None, None, "t", key="k", value="v", headers=headers)
    assert produced(strings(), full) == (b"k", b"v", [("n", b"1"), ("none", None)])
    assert produced(strings(), SourceRecord(None, None, "t")) == (None, None, None)
    writing = strings(key_converter=HeaderConverting())
    assert writing.writes_headers and not strings().writes_headers
    assert produced(writing, SourceRecord(None, None, "t", key="k")) == (b"see header", None, [("original", b"k")])


def test_close_reaches_all_parts() -> None:
    transformation, predicate, converter = Closing(lambda each: each), Truthy(), ClosingConverter()
    strings(steps=[Step(transformation, predicate)], key_converter=converter).close()
    assert transformation.closed and predicate.closed and converter.closed


def test_one_schema_or_one_for_each() -> None:
    assert expand_schemas(None, 2) == [None, None]
    assert expand_schemas([None], 1) == [None]
