"""The functions that are compiled for one Avro schema: they read what fastavro reads, and refuse what it refuses."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from fastavro import schemaless_writer

from connectd.errors import DataException
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.avro import AvroConverter
from plugins.converters.avro.constants import ANYTHING
from plugins.converters.avro.decoding import ReadAll, new_read_all
from plugins.converters.avro.model import parse
from plugins.converters.avro.payloads import fastavro_read
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.avro.to_connect import connect_schema
from tests.peer.registry_cases_avro import avro_cases
from tests.peer.registry_peer import ReadCase
from tests.support.registry import Registry, running_registry

LONGS = [0, -1, 63, -64, 64, 8191, -8192, 8192, 2**20, -(2**21), 2**34, 2**62, 2**63 - 1, -(2**63)]
EVERYTHING = """{"type": "record", "name": "R", "fields": [
    {"name": "text", "type": ["null", "string"]},
    {"name": "map", "type": {"type": "map", "values": ["int", "string", {"type": "fixed", "name": "F", "size": 2}]}},
    {"name": "list", "type": {"type": "array", "items": {"type": "record", "name": "I", "fields": [
        {"name": "day", "type": {"type": "int", "logicalType": "date"}}, {"name": "data", "type": "bytes"}]}}},
    {"name": "enum", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "ratio", "type": "float"}]}"""
RECORD = {
    "text": "hi",
    "map": {"a": 5, "b": "text", "c": b"xy"},
    "list": [{"day": 19_000, "data": b"data"}, {"day": -1, "data": b""}],
    "enum": "B",
    "at": 1_700_000_000_123,
    "ratio": 0.5,
}
RECURSIVE = """{"type": "record", "name": "Node", "fields": [
    {"name": "value", "type": "int"}, {"name": "next", "type": ["null", "Node"]}]}"""
ORDER = (
    SchemaBuilder.struct().name("order").field("id", Schema.INT64_SCHEMA).field("text", Schema.STRING_SCHEMA).build()
)


class Readers(NamedTuple):
    fast: ReadAll
    slow: Any
    data: bytes


def readers_of(text: str, data: bytes) -> Readers:
    avro, settings = parse(text), AvroSettings()
    schema = connect_schema(avro, settings, None)
    fast = new_read_all(schema, avro, settings, fails_on_rest=True)
    assert fast is not None
    return Readers(fast, fastavro_read(schema, avro, None, settings, fails_on_rest=True), data)


def cases() -> Iterator[Readers]:
    data = BytesIO()
    schemaless_writer(data, json.loads(EVERYTHING), RECORD)
    yield readers_of(EVERYTHING, data.getvalue())
    for case in avro_cases():
        if isinstance(case, ReadCase) and not case.config and parse(case.text).name != ANYTHING:
            try:
                yield readers_of(case.text, case.data)
            except DataException:
                continue  # no schema that Connect knows


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        place = chance.randint(0, len(changed))
        kept = chance.choice([0, 1])
        changed[place : place + kept] = chance.choice([b"", bytes([chance.choice([0, 1, 2, 127, 128, 255])])])
    return bytes(changed)


def test_they_read_what_fastavro_reads_also_of_damaged_data() -> None:
    chance, read = random.Random(7), 0
    for fast, slow, whole in cases():
        for data in [whole, *(damaged(whole, chance) for _ in range(10))]:
            try:
                [value] = fast((data,), 0)
            except Exception:
                # The other way decides then; of whole data that must not happen.
                assert data is not whole or _refuses(slow, data), data
            else:
                assert repr(value) == repr(slow(data))
                read += 1
    assert read > 100


def _refuses(slow: Any, data: bytes) -> bool:
    try:
        slow(data)
    except Exception:
        return True
    return False


def test_the_bytes_before_the_data_are_left_out() -> None:
    fast, slow, data = next(cases())
    assert fast([b"12345" + data, b"54321" + data], 5) == [slow(data), slow(data)]


def test_a_schema_within_itself_is_left_to_fastavro() -> None:
    avro = parse(RECURSIVE)
    assert new_read_all(connect_schema(avro, AvroSettings(), None), avro, AvroSettings(), fails_on_rest=False) is None


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as registry:
        yield registry


def test_a_batch_is_read_as_its_messages_are_alone(registry: Registry) -> None:
    converter = AvroConverter()
    converter.configure({"schema.registry.url": registry.url})
    other = SchemaBuilder.struct().name("order").field("id", Schema.INT64_SCHEMA).build()
    orders = [converter.from_connect_data("t", ORDER, Struct(ORDER, id=n, text="ü" * n)) for n in LONGS[:4] if n >= 0]
    others = [converter.from_connect_data("t", other, Struct(other, id=n)) for n in LONGS]
    for messages in (orders, others, [*orders, None, *others], [None], [*orders, *others]):
        alone = [converter.to_connect_data("t", each) for each in messages]
        schemas, values = converter.to_connect_batch("t", messages)
        assert values == [each.value for each in alone]
        assert (schemas if isinstance(schemas, list) else [schemas] * len(values)) == [each.schema for each in alone]
    with pytest.raises(DataException, match="no AVRO data"):
        converter.to_connect_batch("t", [orders[0], b"\0\0\0\0\1\4"])
