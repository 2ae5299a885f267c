"""Transformations of columns give what those of single records give, or nothing: over the cases that are held against Java."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from connectd.columns import NotInColumns, RecordColumns
from connectd.errors import ConnectException, DataException
from connectd.records import SinkRecord
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from connectd.transforms import Predicate, Transformation
from plugins.discovery import find_class
from plugins.transforms.structs import copy_of
from tests.peer.transforms_cases import kept_vectors
from tests.peer.transforms_codec import decode_record, encode_record, normalized

AT_LEAST = 1500
SCHEMA = (
    SchemaBuilder.struct()
    .field("id", Schema.INT64_SCHEMA)
    .field("name", SchemaBuilder.string().optional().default_value("nobody"))
    .build()
)


def columns_of(records: list[Any]) -> RecordColumns:
    return RecordColumns(
        len(records),
        records[0].key_schema,
        records[0].value_schema,
        lambda name: [getattr(record, name) for record in records],
    )


def written(columns: RecordColumns, records: list[Any]) -> list[Any]:
    """The columns as records."""
    return [
        record.new_record(
            topic=columns.column("topic")[index],
            key_schema=columns.schema("key"),
            key=columns.values("key")[index],
            value_schema=columns.schema("value"),
            value=columns.values("value")[index],
            headers=columns.column("headers")[index],
        )
        for index, record in enumerate(records)
    ]


def test_columns_agree_with_single_records() -> None:
    compared: Counter[str] = Counter()
    for vector in kept_vectors():
        java_name = vector.case["class"]
        kind = find_class(java_name)
        if not issubclass(kind, Transformation) or kind.apply_columns is Transformation.apply_columns:
            continue
        transformation = kind()
        try:
            transformation.configure(vector.case["config"])
        except ConnectException:
            continue
        for json in vector.case["records"]:
            # The second one is the last transformation's too: columns that were changed already.
            records = [decode_record(json), decode_record(json)]
            columns = columns_of(records)
            try:
                transformation.apply_columns(columns)
            except Exception:  # then the worker goes record by record, which other tests cover
                continue
            single = transformation.apply(decode_record(json))
            if single is None:
                assert len(columns) == 0
                compared[java_name] += 1
                continue
            expected = normalized(encode_record(single))
            assert [normalized(encode_record(each)) for each in written(columns, records)] == [expected] * 2, (
                vector.case
            )
            assert [encode_record(each) for each in records] == [encode_record(decode_record(json))] * 2
            compared[java_name] += 1
    assert compared.total() >= AT_LEAST
    assert {"InsertField$Value", "Flatten$Key", "ValueToKey", "Filter", "HeaderFrom$Key"} <= {
        name.rpartition(".")[2] for name in compared
    }


def test_predicates_choose_of_columns_what_they_choose_of_single_records() -> None:
    compared: Counter[str] = Counter()
    for vector in kept_vectors():
        kind = find_class(vector.case["class"])
        if not issubclass(kind, Predicate):
            continue
        predicate = kind()
        try:
            predicate.configure(vector.case["config"])
        except ConnectException:
            continue
        for json in vector.case["records"]:
            records = [decode_record(json)] * 2
            assert predicate.test_columns(columns_of(records)) == [predicate.test(record) for record in records]
            compared[kind.__name__] += 1
    assert compared.keys() == {"HasHeaderKey", "RecordIsTombstone", "TopicNameMatches"}


def test_a_chain_in_columns_makes_structs_only_at_its_end() -> None:
    steps = []
    for name, config in (
        ("InsertField$Value", {"static.field": "from", "static.value": "here"}),
        ("ReplaceField$Value", {"renames": "id:number"}),
        ("MaskField$Value", {"fields": "name"}),
    ):
        step = find_class(name)()
        step.configure(config)
        steps.append(step)
    records = [SinkRecord("t", 0, value_schema=SCHEMA, value=Struct(SCHEMA, id=n, name=f"n{n}")) for n in range(3)]
    columns = columns_of(records)
    single: list[Any] = list(records)
    for step in steps:
        step.apply_columns(columns)
        assert columns.has_valid_rows("value")
        single = [step.apply(record) for record in single]
    assert columns.values("value") == [record.value for record in single]
    assert columns.schema("value") == single[0].value_schema
    assert [record.value["id"] for record in records] == [0, 1, 2]


@pytest.mark.parametrize("are_valid", [True, False])
def test_rows_that_lack_a_required_value_are_refused_unless_they_are_known_to_be_valid(are_valid: bool) -> None:
    copy = copy_of(SCHEMA, SCHEMA, True)
    assert copy.rows([[1, None]], are_valid=are_valid) == [[1, "nobody"]]
    if not are_valid:
        with pytest.raises(DataException):
            copy.rows([[None, "x"]], are_valid=False)


def test_structs_of_another_schema_are_no_rows() -> None:
    other = SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).build()
    same = SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).build()
    for value, fits in ((Struct(same, id=1), True), (Struct(SCHEMA, id=1), False), (None, False), ({}, False)):
        columns = RecordColumns(1, None, other, lambda name, value=value: [value])
        if fits:
            assert columns.rows("value") == [[1]]
        else:
            with pytest.raises(Exception, match=r"^$"):
                columns.rows("value")


def made(name: str, **config: str) -> Transformation[Any]:
    transformation: Transformation[Any] = find_class(name)()
    transformation.configure({key.replace("_", "."): value for key, value in config.items()})
    return transformation


@pytest.mark.parametrize("renames", ["a:z", "a:b,b:c", "a:b", "b:a", "a:q,b:q"])
def test_a_chain_on_maps_leaves_the_records_own_maps_alone(renames: str) -> None:
    steps = [
        made("InsertField$Value", static_field="from", static_value="here", offset_field="a"),
        made("ReplaceField$Value", exclude="note", renames=renames),
        made("Cast$Value", spec="count:string"),
        made("TimestampConverter$Value", field="at", target_type="string", format="yyyy"),
        made("MaskField$Value", fields="name"),
    ]
    maps = [
        {"a": 1, "name": "n", "note": "x", "count": 1, "at": 0},
        {"name": 5, "b": 2, "c": 3, "count": None, "at": 1},
    ]
    records = [SinkRecord("t", 0, value=each.copy(), kafka_offset=7) for each in maps]
    columns, single = columns_of(records), list(records)
    for step in steps:
        step.apply_columns(columns)
        single = [step.apply(record) for record in single]
    assert columns.values("value") == [record.value for record in single]
    assert [record.value for record in records] == maps


def test_maps_that_were_handed_out_are_copied_before_they_change() -> None:
    step = made("InsertField$Value", static_field="from", static_value="here")
    columns = columns_of([SinkRecord("t", 0, value={"a": 1})])
    step.apply_columns(columns)
    # As a transformation of somebody else's may do.
    columns.set("key", None, columns.values("value"))
    made("MaskField$Value", fields="a").apply_columns(columns)
    made("ReplaceField$Key", exclude="from").apply_columns(columns)
    assert columns.values("value") == [{"a": 0, "from": "here"}]
    assert columns.values("key") == [{"a": 1}]


def test_rows_that_take_the_place_of_maps_are_no_maps() -> None:
    columns = columns_of([SinkRecord("t", 0, value={"a": 1})])
    columns.set_own_maps("value", columns.own_maps("value"))
    columns.set_rows("value", SCHEMA, [[1, "x"]])
    with pytest.raises(NotInColumns):
        columns.own_maps("value")
