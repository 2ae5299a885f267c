"""The simple converters, by themselves; tests/peer compares them with Java's."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from connectd.errors import ConfigException, DataException
from connectd.schema import Schema, SchemaAndValue
from plugins.converters.base import BuiltinConverter
from plugins.converters.boolean import BooleanConverter
from plugins.converters.byte_array import ByteArrayConverter
from plugins.converters.double import DoubleConverter
from plugins.converters.float import FloatConverter
from plugins.converters.integer import IntegerConverter
from plugins.converters.json import JsonConverter
from plugins.converters.long import LongConverter
from plugins.converters.short import ShortConverter
from plugins.converters.simple_header import SimpleHeaderConverter
from plugins.converters.string import StringConverter

CONVERTERS: list[tuple[type[BuiltinConverter], Schema, list[Any]]] = [
    (StringConverter, Schema.OPTIONAL_STRING_SCHEMA, ["", "grün", None, "\U0001f600", "abc"]),
    (StringConverter, Schema.OPTIONAL_STRING_SCHEMA, ["only", "text"]),
    (ByteArrayConverter, Schema.OPTIONAL_BYTES_SCHEMA, [b"", b"abc", None]),
    (BooleanConverter, Schema.OPTIONAL_BOOLEAN_SCHEMA, [True, False, None]),
    (ShortConverter, Schema.OPTIONAL_INT16_SCHEMA, [0, -1, 32767, None]),
    (IntegerConverter, Schema.OPTIONAL_INT32_SCHEMA, [0, -1, 2**31 - 1, None]),
    (LongConverter, Schema.OPTIONAL_INT64_SCHEMA, [0, -1, 2**63 - 1, None]),
    (FloatConverter, Schema.OPTIONAL_FLOAT32_SCHEMA, [0.0, -1.5, None]),
    (DoubleConverter, Schema.OPTIONAL_FLOAT64_SCHEMA, [0.0, -1.1, None]),
]


@pytest.mark.parametrize(("kind", "schema", "values"), CONVERTERS)
def test_batches_equal_single_values_and_come_back(
    kind: type[BuiltinConverter], schema: Schema, values: list[Any]
) -> None:
    with kind() as converter:
        converter.configure({}, True)
        written = converter.from_connect_batch("topic", schema, values)
        assert written == [converter.from_connect_data("topic", schema, value) for value in values]
        assert converter.to_connect_batch("topic", written) == (schema, values)
        for data, value in zip(written, values, strict=True):
            assert converter.to_connect_data("topic", data) == SchemaAndValue(schema, value)
            assert converter.to_connect_header("topic", "key", data) == SchemaAndValue(schema, value)
            assert converter.from_connect_header("topic", "key", schema, value) == data


@pytest.mark.parametrize("kind", [*dict.fromkeys(kind for kind, _, _ in CONVERTERS), JsonConverter])
def test_the_type_of_converter_is_checked(kind: type[BuiltinConverter]) -> None:
    converter = kind()
    assert "converter.type" in converter.config().config_names
    for configs in ({}, {"converter.type": "header"}, {"converter.type": "value"}):
        converter.configure(configs)
    with pytest.raises(ConfigException, match=r"abc for configuration converter\.type.*key, value, header"):
        converter.configure({"converter.type": "abc"})


def test_strings_in_a_batch_with_others() -> None:
    converter = StringConverter()
    values = ["a", None, 1, 1.5, True, "half \ud83d", datetime.date(2024, 2, 29)]
    expected = [b"a", None, b"1", b"1.5", b"true", b"half ?", b"Thu Feb 29 00:00:00 UTC 2024"]
    assert converter.from_connect_batch("topic", None, values) == expected


def test_bytes_in_a_batch_that_are_no_text() -> None:
    batch = StringConverter().to_connect_batch("topic", [b"a", b"\xff\xed\xa0\x80", None])
    assert batch == (Schema.OPTIONAL_STRING_SCHEMA, ["a", "\ufffd\ufffd", None])


def test_strings_in_another_character_set() -> None:
    converter = StringConverter()
    converter.configure({"converter.encoding": "UTF-16"}, False)
    assert converter.from_connect_batch("topic", None, ["aß", None]) == [b"\xfe\xff\0a\0\xdf", None]
    assert converter.to_connect_batch("topic", [b"\xff\xfea\0", b"\0a"])[1] == ["a", "a"]


@pytest.mark.parametrize("name", ["nonsense", "base64", "punycode", "", "utf 8"])
def test_a_character_set_that_is_none(name: str) -> None:
    with pytest.raises(ConfigException, match=f"{name} for configuration converter.encoding"):
        StringConverter().configure({"converter.encoding": name}, False)


def test_a_batch_of_bytes_is_not_copied() -> None:
    values: list[Any] = [b"a", None]
    converter = ByteArrayConverter()
    assert converter.from_connect_batch("topic", Schema.BYTES_SCHEMA, values) is values
    assert converter.to_connect_batch("topic", values)[1] is values


def test_other_buffers_become_bytes() -> None:
    written = ByteArrayConverter().from_connect_batch("topic", None, [bytearray(b"a"), memoryview(b"b"), None])
    assert written == [b"a", b"b", None]
    assert all(type(data) is bytes for data in written[:2])


def test_wrong_values_are_told() -> None:
    with pytest.raises(DataException, match="str, expected bytes"):
        ByteArrayConverter().from_connect_batch("topic", None, [b"a", "b"])
    with pytest.raises(DataException, match="STRING, expected BYTES"):
        ByteArrayConverter().from_connect_batch("topic", Schema.STRING_SCHEMA, [b"a"])
    with pytest.raises(DataException, match="int, expected bool"):
        BooleanConverter().from_connect_data("topic", None, 1)
    with pytest.raises(DataException, match="got 2 bytes, expected one byte"):
        BooleanConverter().to_connect_batch("topic", [b"\1\1"])
    with pytest.raises(DataException, match="short: int 32768 is no INT16"):
        ShortConverter().from_connect_data("topic", None, 32768)
    with pytest.raises(DataException, match="integer: str is no INT32"):
        IntegerConverter().from_connect_data("topic", None, "secret")
    with pytest.raises(DataException, match="float: float 1e\\+300 is no FLOAT32"):
        FloatConverter().from_connect_data("topic", None, 1e300)
    with pytest.raises(DataException, match="long: got 3 bytes, expected 8"):
        LongConverter().to_connect_batch("topic", [b"abc"])


def test_floats_are_rounded_to_32_bits() -> None:
    converter = FloatConverter()
    assert (
        converter.to_connect_data("topic", converter.from_connect_data("topic", None, 0.1)).value == 0.10000000149011612
    )


def test_simple_headers_tell_their_types() -> None:
    converter = SimpleHeaderConverter()
    assert converter.to_connect_header("topic", "key", b"1") == SchemaAndValue(Schema.INT8_SCHEMA, 1)
    assert converter.to_connect_header("topic", "key", b"\xff").value == "\ufffd"
    assert converter.to_connect_header("topic", "key", None) == SchemaAndValue.NULL
    assert converter.from_connect_header("topic", "key", None, [1, "a"]) == b'[1,"a"]'
    assert converter.from_connect_header("topic", "key", None, None) is None
    with pytest.raises(DataException):
        converter.from_connect_header("topic", "key", None, object())
