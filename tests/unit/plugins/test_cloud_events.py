"""CloudEventsConverter beyond what the peer test compares: Avro, headers, and the connectors that it knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectd.errors import ConfigException, DataException
from connectd.headers import ConnectHeaders
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.avro import AvroConverter
from plugins.converters.cloud_events import CloudEventsConverter
from tests.support.registry import Registry, running_registry

ROW = SchemaBuilder.struct().name("row").optional().field("id", Schema.INT32_SCHEMA).build()
IDS = {
    "mariadb": "name:shop;file:f;pos:7",
    "mongodb": "name:shop;ts:1700000000120;ord:7",
    "mysql": "name:shop;file:f;pos:7",
    "oracle": "name:shop;scn:7;commit_scn:f;lcr_position:null",
    "postgresql": "name:shop;lsn:7;txId:7;sequence:f",
    "sqlserver": "name:shop;change_lsn:f;commit_lsn:f;event_serial_no:7",
}
DATA_FIELDS = {
    "mariadb": {"before", "after", "updateDescription", "source", "op"},
    "mongodb": {"before", "after", "updateDescription"},
}
NUMBERS = ("pos", "ord", "scn", "lsn", "txId", "event_serial_no")


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with running_registry() as registry:
        yield registry


def converter_of(**config: str) -> CloudEventsConverter:
    converter = CloudEventsConverter()
    converter.configure({name.replace("_", "."): value for name, value in config.items()})
    return converter


def source_of(connector: str) -> Struct:
    names = [part.partition(":")[0] for part in IDS[connector].split(";")]
    names = [name for name in names if name not in ("name", "ts")]
    builder = SchemaBuilder.struct().name("source").field("connector", Schema.STRING_SCHEMA)
    builder.field("name", Schema.STRING_SCHEMA).field("ts_ms", Schema.INT64_SCHEMA).field("db", Schema.STRING_SCHEMA)
    for name in names:
        builder.field(name, Schema.OPTIONAL_INT64_SCHEMA if name in NUMBERS else Schema.OPTIONAL_STRING_SCHEMA)
    given: dict[str, Any] = {name: 7 if name in NUMBERS else "f" for name in names if name != "lcr_position"}
    return Struct(builder.build(), connector=connector, name="shop", ts_ms=1_700_000_000_120, db="orders", **given)


def change(source: Struct) -> Struct:
    builder = SchemaBuilder.struct().name("orders.Envelope").field("before", ROW).field("after", ROW)
    builder.field("updateDescription", Schema.OPTIONAL_STRING_SCHEMA).field("source", source.schema)
    schema = builder.field("op", Schema.STRING_SCHEMA).build()
    return Struct(schema, after=Struct(ROW, id=1), source=source, op="u")


@pytest.mark.parametrize("connector", IDS)
def test_the_id_and_the_data_are_those_of_the_connector(connector: str) -> None:
    record = change(source_of(connector))
    event = json.loads(converter_of(json_schemas_enable="false").from_connect_data("t", record.schema, record) or b"")
    assert event["id"] == IDS[connector]
    assert event["source"] == f"/debezium/{connector}/shop"
    fields = DATA_FIELDS.get(connector, {"before", "after"})
    assert event["data"].keys() == fields


def test_events_in_json_with_data_in_avro(registry: Registry) -> None:
    converter = converter_of(data_serializer_type="avro", avro_schema_registry_url=registry.url)
    record = change(source_of("mysql"))
    written = converter.from_connect_data("json-topic", record.schema, record) or b""
    event = json.loads(written)
    assert event["datacontenttype"] == "application/avro"
    number = int(event["dataschema"].removeprefix(f"{registry.url}/schemas/ids/"))
    read = converter.to_connect_data("json-topic", written).value
    assert read["data"].get_struct("after") == record.get_struct("after")
    assert read["data"].schema.name == "io.debezium.connector.mysql.Data"
    assert registry.store.subjects["json-topic-value"][0].schema.id == number


def test_events_in_avro_keep_their_schemas_apart_from_those_of_the_data(registry: Registry) -> None:
    converter = converter_of(serializer_type="avro", data_serializer_type="avro", avro_schema_registry_url=registry.url)
    record = change(source_of("postgresql"))
    read = converter.to_connect_data("avro-topic", converter.from_connect_data("avro-topic", record.schema, record))
    assert read.schema is not None and read.schema.name == "shop.orders.CloudEvents.Envelope"
    assert read.value["data"].get_struct("after") == record.get_struct("after")
    assert read.value["iodebeziumlsn"] == "7"
    assert {"avro-topic-value", "avro-topic-data-value"} <= registry.store.subjects.keys()


def test_avro_that_is_no_event_is_refused(registry: Registry) -> None:
    avro = AvroConverter()
    avro.configure({"schema.registry.url": registry.url})
    data = avro.from_connect_data("other-topic", ROW, Struct(ROW, id=1))
    converter = converter_of(serializer_type="avro", data_serializer_type="avro", avro_schema_registry_url=registry.url)
    for wrong in (data, None):
        with pytest.raises(DataException, match="no CloudEvent"):
            converter.to_connect_data("other-topic", wrong)


def test_facts_from_headers_leave_the_whole_record_as_data() -> None:
    converter = converter_of(
        metadata_source="header,dataSchemaName:header",
        schema_data_name_source_header_enable="true",
        opentelemetry_tracing_attributes_enable="true",
    )
    row = Struct(ROW, id=5)
    headers = ConnectHeaders().add_struct("source", source_of("mysql"))
    assert converter.from_connect_data_with_headers("t", headers, ROW, row) is None
    for name, value in {
        "op": "c",
        "id": "my-id",
        "type": "my-type",
        "traceparent": "00-1",
        "dataSchemaName": "n",
    }.items():
        headers.add_string(name, value)
    event = json.loads(converter.from_connect_data_with_headers("t", headers, ROW, row) or b"")
    assert (event["id"], event["type"], event["traceparent"]) == ("my-id", "my-type", "00-1")
    assert event["iodebeziumop"] == "c"
    assert event["data"]["schema"]["name"] == "n"
    assert event["data"]["payload"] == {"id": 5}
    with pytest.raises(DataException, match="Header id was not provided"):
        converter.from_connect_data_with_headers("t", headers.remove("id"), ROW, row)


def test_settings_that_do_not_go_together_are_named() -> None:
    with pytest.raises(ConfigException, match=r"data\.serializer\.type"):
        converter_of(serializer_type="avro", avro_schema_registry_url="http://127.0.0.1:1")
    with pytest.raises(ConfigException, match=r"avro\.schema\.registry\.url"):
        converter_of(data_serializer_type="avro")
    with pytest.raises(ConfigException, match="Confluent's protocol"):
        converter_of(data_serializer_type="avro", avro_apicurio_registry_url="http://127.0.0.1:1")
