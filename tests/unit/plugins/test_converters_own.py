"""The converters that Java does not have: MessagePack, and Avro without a registry."""

from __future__ import annotations

import datetime
import decimal
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest

from connectd.errors import ConfigException, DataException
from connectd.logical import Timestamp
from connectd.schema import Schema, SchemaAndValue, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.message_pack import MessagePackConverter
from plugins.converters.plain_avro import PlainAvroConverter

PLAIN = {"text": "ü", "list": [1, -5, 1.5, True, None], "map": {"a": {1: b"bytes"}}, "wide": 2**63 - 1}
INNER = SchemaBuilder.struct().field("x", Schema.INT32_SCHEMA).build()
ORDER = (
    SchemaBuilder.struct()
    .name("Order")
    .field("id", Schema.INT64_SCHEMA)
    .field("note", SchemaBuilder.string().optional().default_value("none"))
    .field("inner", SchemaBuilder.array(INNER).build())
    .build()
)
AVRO = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 0},
    ],
}
NOW = datetime.datetime(2024, 2, 29, 1, 2, 3, 4000, tzinfo=datetime.UTC)


def message_pack() -> MessagePackConverter:
    converter = MessagePackConverter()
    converter.configure({})
    return converter


def plain_avro(**config: str) -> PlainAvroConverter:
    converter = PlainAvroConverter()
    converter.configure({key.replace("_", "."): value for key, value in config.items()})
    return converter


def avro_bytes(value: Any) -> bytes:
    data = BytesIO()
    fastavro.schemaless_writer(data, AVRO, value)
    return data.getvalue()


def test_message_pack_there_and_back() -> None:
    converter = message_pack()
    written = converter.from_connect_batch("t", None, [PLAIN, None, 5, NOW])
    assert written[:3] == [msgspec.msgpack.encode(PLAIN), None, b"\x05"]
    assert converter.to_connect_batch("t", written) == (None, [PLAIN, None, 5, NOW])
    assert converter.to_connect_data("t", written[0]) == SchemaAndValue(None, PLAIN)
    assert converter.to_connect_data("t", b"\xc0") == SchemaAndValue.NULL


def test_message_pack_of_values_with_a_schema() -> None:
    converter = message_pack()
    order = Struct(ORDER, id=1, inner=[Struct(INNER, x=2)])
    read = converter.to_connect_data("t", converter.from_connect_data("t", ORDER, order))
    assert read == SchemaAndValue(None, {"id": 1, "note": "none", "inner": [{"x": 2}]})
    for value, expected in ((decimal.Decimal("1.50"), "1.50"), (datetime.date(2024, 2, 29), "2024-02-29")):
        assert converter.to_connect_data("t", converter.from_connect_data("t", None, value)).value == expected
    assert converter.from_connect_data("t", SchemaBuilder.int8().optional().default_value(7).build(), None) == b"\x07"
    assert converter.from_connect_data("t", Schema.OPTIONAL_INT8_SCHEMA, None) is None


@pytest.mark.parametrize(
    ("schema", "value"), [(Schema.INT8_SCHEMA, "x"), (ORDER, Struct(ORDER)), (None, 2**64), (None, {1j})]
)
def test_message_pack_refuses_what_does_not_fit(schema: Schema | None, value: Any) -> None:
    with pytest.raises(DataException):
        message_pack().from_connect_data("t", schema, value)


@pytest.mark.parametrize("data", [b"", b"\x93\x01", b"\x05\x05", b"\xa1\xff", b"\xd4\x05x", b"\xc1"])
def test_message_pack_refuses_what_is_none(data: bytes) -> None:
    with pytest.raises(DataException):
        message_pack().to_connect_data("t", data)


def test_avro_of_the_configured_schema(tmp_path: Path) -> None:
    (tmp_path / "order.avsc").write_text(json.dumps(AVRO))
    for converter in (
        plain_avro(schema_content=json.dumps(AVRO)),
        plain_avro(schema_file=str(tmp_path / "order.avsc")),
    ):
        values = [{"id": number, "note": None, "at": NOW} for number in (1, -2, 3)]
        data = [avro_bytes(value) for value in values]
        schema, read = converter.to_connect_batch("t", data)
        assert isinstance(schema, Schema) and schema.name == "Order"
        assert [dict(zip(("id", "note", "at"), each.field_values, strict=True)) for each in read] == values
        assert converter.to_connect_batch("t", [*data, None]) == ([schema] * 3 + [None], [*read, None])
        assert converter.from_connect_batch("t", schema, [*read, None]) == [*data, None]
        assert converter.to_connect_data("t", data[1]) == SchemaAndValue(schema, read[1])


def test_avro_takes_maps_and_other_structs_by_the_names_of_their_fields() -> None:
    converter = plain_avro(schema_content=json.dumps(AVRO))
    expected = avro_bytes({"id": 7, "note": "hi", "at": 0})
    assert converter.from_connect_data("t", None, {"note": "hi", "id": 7, "more": 1}) == expected
    other = (
        SchemaBuilder.struct()
        .field("note", Schema.STRING_SCHEMA)
        .field("at", Timestamp.SCHEMA)
        .field("id", Schema.INT32_SCHEMA)
        .build()
    )
    value = Struct(other, id=7, note="hi", at=NOW)
    assert converter.from_connect_data("t", other, value) == avro_bytes({"id": 7, "note": "hi", "at": NOW})


def test_avro_says_what_does_not_fit() -> None:
    converter = plain_avro(schema_content=json.dumps(AVRO))
    with pytest.raises(DataException, match="cannot be written as Avro"):
        converter.from_connect_data("t", None, {"note": "no id"})
    whole = avro_bytes({"id": 7, "note": "hi", "at": 0})
    for data in (b"", whole[:-1], whole + b"x"):
        with pytest.raises(DataException):
            converter.to_connect_batch("t", [whole, data])


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "found neither"),
        ({"schema_content": '"int"', "schema_file": "f"}, "found both"),
        ({"schema_content": "{"}, "schema.content has no Avro schema"),
        ({"schema_content": '"odd"'}, "schema.content has no Avro schema"),
        ({"schema_file": "there/is/none"}, "schema.file has no Avro schema"),
    ],
)
def test_avro_without_a_schema_is_not_configured(config: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigException, match=said):
        plain_avro(**config)
