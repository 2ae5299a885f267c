"""What is written with a registry is read back as it was, whatever it is; and Confluent's serializers agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import message_factory
from hypothesis import HealthCheck, given, settings

from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.avro import AvroConverter
from plugins.converters.json_schema import JsonSchemaConverter
from plugins.converters.protobuf import ProtobufConverter
from plugins.converters.protobuf.pool import Pool, read_file
from plugins.converters.registry.converter import RegistryConverter
from plugins.converters.registry.wire import read_id
from tests.support.registry import Registry, running_registry
from tests.support.registry_data import plain, structs

VALUE = SerializationContext("topic", MessageField.VALUE)
USER = (
    SchemaBuilder.struct()
    .name("ns.User")
    .field("id", Schema.INT64_SCHEMA)
    .field("name", Schema.OPTIONAL_STRING_SCHEMA)
    .field("score", Schema.FLOAT64_SCHEMA)
    .build()
)
ALICE = {"id": 7, "name": "Alice", "score": 1.5}

# One registry and one converter serve all examples of a test.
thorough = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with running_registry() as registry:
        registry.store.levels[""] = "NONE"
        yield registry


@cache
def shared(kind: type[RegistryConverter], url: str) -> RegistryConverter:
    """A converter that has read and written much else before."""
    converter = kind()
    converter.configure({"schema.registry.url": url})
    return converter


def configured(kind: type[RegistryConverter], registry: Registry, **config: str) -> RegistryConverter:
    converter = kind()
    converter.configure(
        {"schema.registry.url": registry.url, **{key.replace("_", "."): it for key, it in config.items()}}
    )
    return converter


def round_trip(converter: RegistryConverter, value: Struct) -> Any:
    read = converter.to_connect_data("topic", converter.from_connect_data("topic", value.schema, value))
    assert isinstance(read.value, Struct) and read.value.schema == read.schema
    read.value.validate()
    return plain(read.value)


@given(value=structs())
@thorough
def test_avro_keeps_values(registry: Registry, value: Struct) -> None:
    assert round_trip(shared(AvroConverter, registry.url), value) == plain(value)


@given(value=structs())
@thorough
def test_avro_keeps_schemas(registry: Registry, value: Struct) -> None:
    converter = shared(AvroConverter, registry.url)
    data = converter.from_connect_data("topic", value.schema, value)
    read = converter.to_connect_data("topic", data).schema
    assert read is not None
    # All but the version, which is that of the registry.
    assert [(each.name, each.schema.type, each.schema.is_optional) for each in read.fields] == [
        (each.name, each.schema.type, each.schema.is_optional) for each in value.schema.fields
    ]


@given(value=structs())
@thorough
def test_json_schema_keeps_values(registry: Registry, value: Struct) -> None:
    assert round_trip(shared(JsonSchemaConverter, registry.url), value) == plain(value)


@given(value=structs(may_be_optional=False))
@thorough
def test_protobuf_keeps_values(registry: Registry, value: Struct) -> None:
    assert round_trip(shared(ProtobufConverter, registry.url), value) == plain(value)


def test_batches_equal_single_records(registry: Registry) -> None:
    other = SchemaBuilder.struct().name("ns.Other").field("x", Schema.INT32_SCHEMA).build()
    for kind in (AvroConverter, JsonSchemaConverter, ProtobufConverter):
        converter = configured(kind, registry)
        users = [Struct(USER, **{**ALICE, "id": number}) for number in range(3)]
        batch = converter.from_connect_batch("batch", USER, users)
        assert batch == [converter.from_connect_data("batch", USER, user) for user in users]
        messages = [*batch, None, converter.from_connect_data("batch", other, Struct(other, x=1))]
        schemas, values = converter.to_connect_batch("batch", messages)
        singles = [converter.to_connect_data("batch", message) for message in messages]
        assert values == [single.value for single in singles]
        assert isinstance(schemas, list) and schemas == [single.schema for single in singles]


def test_confluents_avro_serializer_reads_and_writes_the_same(registry: Registry) -> None:
    client = SchemaRegistryClient({"url": registry.url})
    converter = configured(AvroConverter, registry)
    data = converter.from_connect_data("topic", USER, Struct(USER, **ALICE))
    assert data is not None
    assert AvroDeserializer(client)(data, VALUE) == ALICE
    text = registry.store.by_id(read_id(data).id or 0).text
    assert AvroSerializer(client, text)(ALICE, VALUE) == data
    assert plain(converter.to_connect_data("topic", data).value) == ALICE


def test_confluents_json_serializer_reads_and_writes_the_same(registry: Registry) -> None:
    client = SchemaRegistryClient({"url": registry.url})
    converter = configured(JsonSchemaConverter, registry)
    data = converter.from_connect_data("topic", USER, Struct(USER, **ALICE))
    assert data is not None
    text = registry.store.by_id(read_id(data).id or 0).text
    assert JSONDeserializer(text, schema_registry_client=client)(data, VALUE) == ALICE
    theirs = JSONSerializer(text, client, conf={"auto.register.schemas": True})(ALICE, VALUE)
    assert theirs is not None
    assert plain(converter.to_connect_data("topic", theirs).value) == ALICE
    assert json.loads(theirs[5:]) == msgspec.json.decode(data[5:])


def test_confluents_protobuf_serializer_reads_and_writes_the_same(registry: Registry) -> None:
    client = SchemaRegistryClient({"url": registry.url})
    converter = configured(ProtobufConverter, registry)
    data = converter.from_connect_data("topic", USER, Struct(USER, **ALICE))
    assert data is not None
    stored = registry.store.by_id(read_id(data).id or 0)
    message = Pool(read_file(registry.store.text(stored, "serialized"))).message("ns.User")
    new_message = message_factory.GetMessageClass(message)
    theirs = ProtobufDeserializer(new_message, {"use.deprecated.format": False}, client)(data, VALUE)
    assert (theirs.id, theirs.name, theirs.score) == (7, "Alice", 1.5)
    written = ProtobufSerializer(new_message, client, {"use.deprecated.format": False})(new_message(**ALICE), VALUE)
    assert written is not None and written[5:] == data[5:]
    assert plain(converter.to_connect_data("topic", written).value) == ALICE


def test_recursive_types_are_read_and_written() -> None:
    text = (
        '{"type":"record","name":"Node","fields":[{"name":"v","type":"int"},'
        '{"name":"next","type":["null","Node"],"default":null}]}'
    )
    with running_registry() as registry:
        client = SchemaRegistryClient({"url": registry.url})
        chain = {"v": 1, "next": {"v": 2, "next": {"v": 3, "next": None}}}
        data = AvroSerializer(client, text)(chain, VALUE)
        converter = configured(AvroConverter, registry)
        read = converter.to_connect_data("topic", data)
        assert plain(read.value) == chain
        assert converter.from_connect_data("other", read.schema, read.value) is not None
        assert (
            plain(
                converter.to_connect_data("other", converter.from_connect_data("other", read.schema, read.value)).value
            )
            == chain
        )
