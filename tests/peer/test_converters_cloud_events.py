"""CloudEventsConverter writes the events that Debezium's writes and reads what it reads, errors included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.cloud_events import CloudEventsConverter
from plugins.jars.artifacts import class_path
from tests.peer.converters_peer import Case, JavaConverters, Read, Write

LOCK = Path(__file__).parent.parent / "java" / "debezium-postgres-3.5.0.lock"
PLAIN = {"json.schemas.enable": "false"}
CONFIGS: list[Mapping[str, str]] = [
    {},
    PLAIN,
    {"extension.attributes.enable": "false"},
    {**PLAIN, "extension.attributes.enable": "false", "schema.name.adjustment.mode": "none"},
    {"opentelemetry.tracing.attributes.enable": "true"},
    {"metadata.source": "value"},
    {"metadata.source": "header,id:generate,type:generate"},
    {"metadata.source": "value, id:generate , type:generate"},
    {**PLAIN, "json.decimal.format": "numeric", "schema.cloudevents.name": "events"},
]
WRONG: list[Mapping[str, str]] = [
    {"metadata.source": "generate"},
    {"metadata.source": "nowhere"},
    {"metadata.source": "value,id:value"},
    {"metadata.source": "value,name:header"},
    {"metadata.source": "value,id"},
    {"serializer.type": "avro"},
    {"data.serializer.type": "avro"},
]
ROW = (
    SchemaBuilder.struct()
    .name("row")
    .optional()
    .field("id", Schema.INT32_SCHEMA)
    .field("name", Schema.OPTIONAL_STRING_SCHEMA)
    .field("price", SchemaBuilder.float64().default_value(1.5).build())
    .build()
)
SOURCE = (
    SchemaBuilder.struct()
    .name("io.debezium.connector.postgresql.Source")
    .field("version", Schema.STRING_SCHEMA)
    .field("connector", Schema.STRING_SCHEMA)
    .field("name", Schema.STRING_SCHEMA)
    .field("ts_ms", Schema.INT64_SCHEMA)
    .field("snapshot", SchemaBuilder.string().optional().default_value("false").build())
    .field("db", Schema.STRING_SCHEMA)
    .field("sequence", Schema.OPTIONAL_STRING_SCHEMA)
    .field("is_first", Schema.OPTIONAL_BOOLEAN_SCHEMA)
    .field("part", Schema.OPTIONAL_INT32_SCHEMA)
    .field("txId", Schema.OPTIONAL_INT64_SCHEMA)
    .field("lsn", Schema.OPTIONAL_INT64_SCHEMA)
    .build()
)
TRANSACTION = (
    SchemaBuilder.struct()
    .name("event.block")
    .optional()
    .field("id", Schema.STRING_SCHEMA)
    .field("total_order", Schema.INT64_SCHEMA)
    .field("data_collection_order", Schema.INT64_SCHEMA)
    .build()
)


def envelope(source: Schema, name: str | None = "shop.public.orders.Envelope", *, transactions: bool = True) -> Schema:
    builder = SchemaBuilder.struct()
    if name is not None:
        builder.name(name)
    builder.field("before", ROW).field("after", ROW).field("source", source)
    builder.field("op", Schema.STRING_SCHEMA).field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA)
    return (builder.field("transaction", TRANSACTION) if transactions else builder).build()


def with_source(schema: Schema, **changes: Any) -> Struct:
    given = {
        "version": "3.5.0",
        "connector": "postgresql",
        "name": "shop 1",
        "ts_ms": 1_700_000_000_120,
        "db": "1st-db",
        "lsn": 24_023_128,
        "txId": 555,
    }
    return Struct(schema, **{name: value for name, value in (given | changes).items() if schema.field(name)})


def change(schema: Schema, source: Struct, **changes: Any) -> Struct:
    return Struct(
        schema, **({"after": Struct(ROW, id=1, name="größer", price=2.0), "source": source, "op": "c"} | changes)
    )


def events() -> list[Struct]:
    """Change events of many kinds, and what is none."""
    whole, plain = envelope(SOURCE), envelope(SOURCE, transactions=False)
    transaction = Struct(TRANSACTION, id="571", total_order=2**40, data_collection_order=1)
    without_lsn = SchemaBuilder.struct().field("connector", Schema.STRING_SCHEMA).field("name", Schema.STRING_SCHEMA)
    short = without_lsn.field("ts_ms", Schema.INT64_SCHEMA).field("db", Schema.STRING_SCHEMA).build()
    bad_type = SchemaBuilder.struct()
    for field in SOURCE.fields:
        bad_type.field(field.name, field.schema)
    ratio = bad_type.field("ratio", Schema.OPTIONAL_FLOAT64_SCHEMA).build()
    other_name = envelope(SOURCE, "orders")
    return [
        change(whole, with_source(SOURCE)),
        change(
            whole, with_source(SOURCE, sequence='["1","2"]', is_first=True, part=7, lsn=None), transaction=transaction
        ),
        change(plain, with_source(SOURCE, ts_ms=-1, snapshot="last"), op="d", before=Struct(ROW, id=2), after=None),
        change(plain, with_source(SOURCE, connector="toaster")),
        change(envelope(short), with_source(short)),
        change(envelope(ratio), with_source(ratio)),
        change(other_name, with_source(SOURCE)),
    ]


@pytest.fixture(scope="module")
def java() -> Iterator[JavaConverters]:
    with JavaConverters(class_path(LOCK)) as java:
        yield java


def test_writing(java: JavaConverters) -> None:
    cases: list[Case] = [
        Write(CloudEventsConverter, each.schema, each, config)
        for config in CONFIGS
        for each in events()
        # Java asks for headers where there are none.
        if not config.get("metadata.source", "").startswith("header")
    ]
    cases += [
        Write(CloudEventsConverter, None, None),
        Write(CloudEventsConverter, None, {"a": 1}),
        Write(CloudEventsConverter, envelope(SOURCE), None),
        Write(CloudEventsConverter, SchemaBuilder.string().name("a.Envelope").build(), "text"),
    ]
    java.assert_same_answers(cases)


def test_settings_that_are_wrong(java: JavaConverters) -> None:
    event = events()[0]
    java.assert_same_answers([Write(CloudEventsConverter, event.schema, event, config) for config in WRONG])


def test_reading(java: JavaConverters) -> None:
    written = [
        json.dumps(each).encode()
        for each in (
            {"id": "1", "source": "/a", "specversion": "1.0", "type": "t", "data": {"a": [1, None]}, "more": 2.5},
            {"id": "1", "source": "/a", "specversion": "1.0", "type": "t", "data": None},
            {"id": "1", "source": "/a", "specversion": "1.0", "data": {}},
            {
                "id": "1",
                "source": "/a",
                "specversion": "1.0",
                "type": "t",
                "data": {"schema": None, "payload": {"b": 1}},
            },
            {
                "id": "1",
                "source": "/a",
                "specversion": "1.0",
                "type": "t",
                "data": {"schema": {"type": "int64", "optional": False}, "payload": 5},
            },
            [1],
        )
    ]
    for config in ({}, PLAIN):
        converter = CloudEventsConverter()
        converter.configure(config)
        written += [data for each in events()[:3] if (data := converter.from_connect_data("t", each.schema, each))]
    cases: list[Case] = [Read(CloudEventsConverter, data, PLAIN) for data in [*written, b"{", None]]
    # Without an envelope Java takes data for null, and JsonConverter refuses it.
    in_envelopes = [data for data in written if b'"schema"' in data or b'"data": null' in data]
    cases += [Read(CloudEventsConverter, data) for data in in_envelopes]
    java.assert_same_answers(cases)
