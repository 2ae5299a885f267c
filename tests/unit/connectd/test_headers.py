"""Headers: adding with the right schema, looking up, removing, replacing, copying."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import pytest

from connectd.errors import DataException
from connectd.headers import ConnectHeaders, Header
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct

POINT = SchemaBuilder.struct().field("x", Schema.INT32_SCHEMA).build()
LIST = SchemaBuilder.array(Schema.STRING_SCHEMA).build()
MAP = SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.STRING_SCHEMA).build()
NOW = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)


@pytest.fixture
def headers() -> ConnectHeaders:
    return ConnectHeaders().add_string("k1", "a").add_int("k2", 2).add_string("k1", "b").add_boolean("k3", True)


def keys(headers: ConnectHeaders) -> list[str]:
    return [header.key for header in headers]


@pytest.mark.parametrize(
    ("add", "schema", "value"),
    [
        (lambda h: h.add_string("k", "x"), Schema.STRING_SCHEMA, "x"),
        (lambda h: h.add_string("k", None), Schema.OPTIONAL_STRING_SCHEMA, None),
        (lambda h: h.add_bytes("k", b"x"), Schema.BYTES_SCHEMA, b"x"),
        (lambda h: h.add_bytes("k", None), Schema.OPTIONAL_BYTES_SCHEMA, None),
        (lambda h: h.add_boolean("k", False), Schema.BOOLEAN_SCHEMA, False),
        (lambda h: h.add_byte("k", 1), Schema.INT8_SCHEMA, 1),
        (lambda h: h.add_short("k", 1), Schema.INT16_SCHEMA, 1),
        (lambda h: h.add_int("k", 1), Schema.INT32_SCHEMA, 1),
        (lambda h: h.add_long("k", 1), Schema.INT64_SCHEMA, 1),
        (lambda h: h.add_float("k", 1.5), Schema.FLOAT32_SCHEMA, 1.5),
        (lambda h: h.add_double("k", 1.5), Schema.FLOAT64_SCHEMA, 1.5),
        (lambda h: h.add_list("k", ["x"], LIST), LIST, ["x"]),
        (lambda h: h.add_list("k", None, LIST), None, None),
        (lambda h: h.add_map("k", {"x": "y"}, MAP), MAP, {"x": "y"}),
        (lambda h: h.add_map("k", None, MAP), None, None),
        (lambda h: h.add_struct("k", Struct(POINT, x=1)), POINT, Struct(POINT, x=1)),
        (lambda h: h.add_struct("k", None), None, None),
        (lambda h: h.add_decimal("k", decimal.Decimal("1.25")), Decimal.schema(2), decimal.Decimal("1.25")),
        (lambda h: h.add_decimal("k", None), None, None),
        (lambda h: h.add_date("k", NOW.date()), Date.SCHEMA, NOW.date()),
        (lambda h: h.add_date("k", None), Date.SCHEMA, None),
        (lambda h: h.add_time("k", NOW.time()), Time.SCHEMA, NOW.time()),
        (lambda h: h.add_timestamp("k", NOW), Timestamp.SCHEMA, NOW),
        (lambda h: h.add("k", "x"), None, "x"),
        (lambda h: h.add("k", None), None, None),
        (lambda h: h.add("k", Struct(POINT, x=1)), POINT, Struct(POINT, x=1)),
        (lambda h: h.add("k", 5, SchemaBuilder.int8()), Schema.INT8_SCHEMA, 5),
        (lambda h: h.add("k", 5, Date.SCHEMA), Date.SCHEMA, 5),
        (lambda h: h.add_header(Header("k", None, 1)), None, 1),
    ],
)
def test_add(add: Callable[[ConnectHeaders], ConnectHeaders], schema: Schema | None, value: Any) -> None:
    headers = ConnectHeaders()
    assert add(headers) is headers
    assert list(headers) == [Header("k", schema, value)]


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda h: h.add_byte("k", 300), r"value of type int is not compatible with the schema Schema\{INT8\}"),
        (lambda h: h.add_int("k", True), "value of type bool"),
        (lambda h: h.add_string("k", b"x"), "value of type bytes"),
        (lambda h: h.add_list("k", ["x"], MAP), "Expecting ARRAY but instead found MAP"),
        (lambda h: h.add_map("k", {}, None), "Expecting MAP but instead found None"),
        (lambda h: h.add_date("k", NOW), "value of type datetime"),
        (lambda h: h.add_timestamp("k", NOW.replace(tzinfo=None)), "value of type datetime"),
        (lambda h: h.add_decimal("k", decimal.Decimal("NaN")), "expected a finite number"),
        (lambda h: h.add("k", None, Schema.INT8_SCHEMA), "A null value requires an optional schema"),
        (lambda h: h.add("k", "x", Schema.INT8_SCHEMA), "value of type str"),
    ],
)
def test_add_refuses(add: Callable[[ConnectHeaders], ConnectHeaders], message: str) -> None:
    headers = ConnectHeaders()
    with pytest.raises(DataException, match=message):
        add(headers)
    assert not headers


def test_key_must_be_text() -> None:
    with pytest.raises(TypeError, match="Header key must be a str, not NoneType"):
        ConnectHeaders().add(None, 1)  # type: ignore[arg-type]


def test_empty() -> None:
    headers = ConnectHeaders()
    assert (len(headers), list(headers), bool(headers)) == (0, [], False)
    assert headers.last_with_name("k") is None
    assert headers.remove("k").retain_latest().clear().apply(lambda header: None).duplicate() == headers


def test_order_and_size(headers: ConnectHeaders) -> None:
    assert len(headers) == 4
    assert keys(headers) == ["k1", "k2", "k1", "k3"]


def test_lookup(headers: ConnectHeaders) -> None:
    assert headers.last_with_name("k1") == Header("k1", Schema.STRING_SCHEMA, "b")
    assert headers.last_with_name("other") is None
    assert [header.value for header in headers.all_with_name("k1")] == ["a", "b"]
    assert list(headers.all_with_name("other")) == []


def test_remove(headers: ConnectHeaders) -> None:
    assert headers.remove("k1") is headers
    assert keys(headers) == ["k2", "k3"]
    assert keys(headers.remove("other")) == ["k2", "k3"]


def test_remove_while_looking(headers: ConnectHeaders) -> None:
    for header in headers:
        headers.remove(header.key)
    assert not headers


def test_retain_latest(headers: ConnectHeaders) -> None:
    headers.add_int("k2", 3)
    assert [header.value for header in headers.duplicate().retain_latest("k1")] == [2, "b", True, 3]
    assert [header.value for header in headers.retain_latest()] == ["b", True, 3]


def test_clear(headers: ConnectHeaders) -> None:
    assert len(headers.clear()) == 0
    assert keys(headers.add_int("new", 1)) == ["new"]


def test_apply(headers: ConnectHeaders) -> None:
    headers.apply(lambda header: None if header.key == "k2" else header.rename(f"{header.key}!"))
    assert keys(headers) == ["k1!", "k1!", "k3!"]


def test_apply_to_one_key(headers: ConnectHeaders) -> None:
    headers.apply(lambda header: header.with_value(None, header.value * 2), "k1")
    assert [header.value for header in headers] == ["aa", 2, "bb", True]
    assert headers.last_with_name("k1") == Header("k1", None, "bb")


def test_duplicate_is_independent(headers: ConnectHeaders) -> None:
    copy = headers.duplicate()
    assert copy == headers
    copy.add_int("k4", 4)
    headers.remove("k1")
    assert keys(copy) == ["k1", "k2", "k1", "k3", "k4"]
    assert keys(headers) == ["k2", "k3"]


def test_of_copies(headers: ConnectHeaders) -> None:
    copy = ConnectHeaders.of(headers)
    assert copy == headers
    copy.clear()
    assert len(headers) == 4


def test_equality(headers: ConnectHeaders) -> None:
    assert ConnectHeaders() == ConnectHeaders().add_int("k", 1).remove("k")
    assert headers != ConnectHeaders.of(reversed(list(headers)))
    assert headers != list(headers)
    assert Header("k", Schema.INT8_SCHEMA, 1) != Header("k", Schema.INT16_SCHEMA, 1)


def test_repr() -> None:
    assert "key='k'" in repr(ConnectHeaders().add_int("k", 1))
    assert repr(ConnectHeaders()) == "ConnectHeaders(headers=[])"
