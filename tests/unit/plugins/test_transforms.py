"""Transformations where they go beyond Java, or where vectors cannot tell: names, the clock, memory, configuration."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from connectd.errors import ConfigException, DataException
from connectd.headers import ConnectHeaders
from connectd.records import SinkRecord, SourceRecord
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.discovery import find_class
from plugins.transforms.drop import DropKey
from plugins.transforms.insert_field import InsertFieldValue


def configured(name: str, **config: str) -> Any:
    """A transformation; `_` in the names of keys stands for a dot."""
    plugin = find_class(name)()
    plugin.configure({key.replace("_", "."): value for key, value in config.items()})
    return plugin


def record(value: Any = None, **parts: Any) -> SinkRecord:
    schema = value.schema if isinstance(value, Struct) else None
    return SinkRecord(**{"topic": "t", "partition": 0, "value_schema": schema, "value": value, **parts})


@pytest.mark.parametrize(
    "name",
    [
        "org.apache.kafka.connect.transforms.InsertField$Value",
        "InsertField$Value",
        "plugins.transforms.insert_field.InsertFieldValue",
        "plugins.transforms.insert_field:InsertFieldValue",
    ],
)
def test_found_by_each_name(name: str) -> None:
    assert find_class(name) is InsertFieldValue


def test_equal_schemas_share_what_is_made_of_them() -> None:
    insert = configured("InsertField$Value", topic_field="topic")
    schemas = [SchemaBuilder.struct().field("a", Schema.STRING_SCHEMA).build() for _ in range(2)]
    first, second = (insert.apply(record(Struct(schema, a="x"))) for schema in schemas)
    assert first.value_schema is second.value_schema


def test_a_record_is_copied_and_its_headers_too() -> None:
    before = record({"a": 1}, headers=ConnectHeaders().add("h", 1))
    after = configured("MaskField$Value", fields="a").apply(before)
    after.headers.clear()
    assert (before.value, len(before.headers)) == ({"a": 1}, 1)


def test_time_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_123_999_999)
    now = datetime.datetime(2023, 11, 14, 22, 13, 20, 123_000, datetime.UTC)
    assert configured("TimestampNow").apply(record()).timestamp == 1_700_000_000_123
    put = configured("TimestampNowField$Value", fields="seen,a")
    assert put.apply(record({"b": 1})).value == {"b": 1, "seen": now, "a": now}
    schema = SchemaBuilder.struct().field("a", Schema.STRING_SCHEMA).field("b", Schema.INT64_SCHEMA).build()
    after = put.apply(record(Struct(schema, a="x", b=1)))
    assert after.value.field_values == [now, 1, now]
    assert [field.name for field in after.value_schema.fields] == ["a", "b", "seen"]
    after.value.validate()


@pytest.mark.parametrize(
    ("behavior", "expected"),
    [("nullify", None), ("retain", Schema.STRING_SCHEMA), ("force_optional", Schema.OPTIONAL_STRING_SCHEMA)],
)
def test_drop(behavior: str, expected: Schema | None) -> None:
    drop: DropKey[SinkRecord] = configured("Drop$Key", schema_behavior=behavior)
    after = drop.apply(record({"a": 1}, key_schema=Schema.STRING_SCHEMA, key="k"))
    assert (after.key_schema, after.key, after.value) == (expected, None, {"a": 1})


@pytest.mark.parametrize("replacement", ["$2", "${name}", "$", "a\\"])
def test_a_wrong_replacement_is_found_when_configured(replacement: str) -> None:
    with pytest.raises(ConfigException, match="for configuration replacement"):
        configured("RegexRouter", regex="(a)", replacement=replacement)


@pytest.mark.parametrize("pattern", ["yyyy-b", "'open", "XXXX"])
def test_a_wrong_pattern_of_dates_is_found_when_configured(pattern: str) -> None:
    with pytest.raises(ConfigException, match=r"timestamp\.format"):
        configured("TimestampRouter", timestamp_format=pattern)


def test_an_empty_path_is_found_when_configured() -> None:
    with pytest.raises(ConfigException, match="empty"):
        configured("ExtractField$Value", field="", field_syntax_version="V2")


@pytest.mark.parametrize("regex", [r"\p{IsLatin}", r"(?x)a b", r"\Gx", "(?<=a*)b"])
def test_regular_expressions_that_python_cannot_do_are_refused(regex: str) -> None:
    with pytest.raises(ConfigException, match="Invalid regex"):
        configured("TopicNameMatches", pattern=regex)


def test_far_instants_are_errors() -> None:
    convert = configured("TimestampConverter$Value", target_type="Timestamp")
    with pytest.raises(DataException, match="years 1 to 9999"):
        convert.apply(record(2**60, value_schema=Schema.INT64_SCHEMA))


def test_the_first_wrong_field_is_told() -> None:
    schema = SchemaBuilder.struct().field("a", Schema.STRING_SCHEMA).field("b", Schema.STRING_SCHEMA).build()
    with pytest.raises(DataException, match='field: "a"'):
        configured("Cast$Value", spec="b:int32").apply(record(Struct(schema, b="x")))


def test_numbers_are_filtered_by_their_value() -> None:
    keep = configured("FilterByFieldValue$Value", field_name="n", field_value="5")
    kept = [value for value in (5, 5.0, 6, True, "5", None) if keep.apply(record({"n": value}))]
    assert kept == [5, 5.0]


def test_json_is_expanded_without_a_schema() -> None:
    expand = configured("ExpandJSON$Value", sourceFields="a,b.c,d")
    after = expand.apply(record({"a": '{"x": [1]}', "b": {"c": "[1, 2]"}, "d": "no JSON", "e": 1}))
    assert after.value["a"] == {"x": [1]}
    assert after.value["b"] == {"c": [1, 2]}
    assert after.value["d"]["value"] == "no JSON"


def test_offsets_are_for_sinks_only() -> None:
    insert = configured("InsertField$Value", offset_field="offset")
    assert insert.apply(record({}, kafka_offset=9)).value == {"offset": 9}
    with pytest.raises(DataException, match="Only SinkRecord supported"):
        insert.apply(SourceRecord(None, None, "t", value={}))
