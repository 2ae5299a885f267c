"""An example for each transformation and predicate: a configuration, and a record to try it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectd.headers import ConnectHeaders
from connectd.records import SinkRecord
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct

_TIMESTAMP: Final = 1_709_210_096_789


def _record(value: Any = None, **parts: Any) -> SinkRecord:
    schema = value.schema if isinstance(value, Struct) else None
    return SinkRecord(**{"topic": "orders", "partition": 0, "value_schema": schema, "value": value, **parts})


def _customer(**values: Any) -> Struct:
    builder = SchemaBuilder.struct().name("com.example.Customer")
    for name, value in values.items():
        builder.field(name, Schema.INT64_SCHEMA if isinstance(value, int) else Schema.STRING_SCHEMA)
    return Struct(builder, **values)


def _event(operation: str, row: Struct, topic: str) -> SinkRecord:
    """What a connector of Debezium makes of a row that has been inserted or read."""
    row_schema = SchemaBuilder.struct().optional().name(f"{topic}.Value")
    for column in row.schema.fields:
        row_schema.field(column.name, column.schema)
    optional_row = Struct(row_schema)
    for column in row.schema.fields:
        optional_row.put(column.name, row.get(column))
    source = SchemaBuilder.struct().field("table", Schema.STRING_SCHEMA).build()
    envelope = SchemaBuilder.struct().name(f"{topic}.Envelope")
    envelope.field("before", optional_row.schema).field("after", optional_row.schema).field("source", source)
    envelope.field("op", Schema.STRING_SCHEMA).field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA)
    table = Struct(source, table=topic.rpartition(".")[2])
    value = Struct(envelope, after=optional_row, source=table, op=operation, ts_ms=_TIMESTAMP)
    key_schema = SchemaBuilder.struct().name(f"{topic}.Key").field("id", Schema.INT64_SCHEMA).build()
    return _record(value, topic=topic, key_schema=key_schema, key=Struct(key_schema, id=7))


@dataclass(frozen=True)
class Example:
    """`part` says which of the classes it is for; of a volatile result, such as the time of now, nothing is shown."""

    record: SinkRecord
    config: Mapping[str, str] = field(default_factory=dict)
    part: str = "Value"
    is_volatile: bool = False


_ORDER: Final = {"id": 7, "email": "ada@example.com", "total": "19.90"}
_HEADERS: Final = ConnectHeaders().add("trace", "4bf9").add("region", "eu")

EXAMPLES: Final[Mapping[str, Example]] = {
    "ByLogicalTableRouter": Example(
        _event("c", _customer(id=7), "db.customers_1"),
        {"topic.regex": r"(.*)customers_(\d)", "topic.replacement": "$1customers"},
    ),
    "Cast": Example(_record(_ORDER), {"spec": "id:string,total:float64"}),
    "Drop": Example(_record(_ORDER, key="7"), part="Key"),
    "DropHeaders": Example(_record(_ORDER, headers=_HEADERS), {"headers": "trace"}),
    "EventRouter": Example(
        _event(
            "c",
            _customer(id=1, aggregateid="7", aggregatetype="order", type="Placed", payload='{"total": 3}'),
            "db.outbox",
        ),
        {"table.fields.additional.placement": "type:header", "table.expand.json.payload": "true"},
    ),
    "ExpandJSON": Example(_record(_customer(id=7, data='{"city": "Oslo", "tags": ["a"]}')), {"sourceFields": "data"}),
    "ExtractField": Example(_record(_ORDER, key={"id": 7}), {"field": "id"}, part="Key"),
    "ExtractNewRecordState": Example(
        _event("c", _customer(id=7, name="Ada"), "db.customers"), {"add.fields": "op,source.table"}
    ),
    "ExtractTopic": Example(_record({"id": 7, "kind": "returns"}), {"field.name": "kind"}),
    "Filter": Example(_record(_ORDER)),
    "FilterByFieldValue": Example(_record(_ORDER), {"field.name": "email", "field.value.pattern": r"@test\.example$"}),
    "Flatten": Example(_record({"id": 7, "address": {"city": "Oslo", "zip": "0150"}}), {"delimiter": "_"}),
    "HeaderFrom": Example(_record(_ORDER), {"fields": "id", "headers": "order-id", "operation": "move"}),
    "HoistField": Example(_record("one line of text"), {"field": "line"}),
    "InsertField": Example(
        _record(_ORDER, timestamp=_TIMESTAMP), {"topic.field": "source", "timestamp.field": "seen_at"}
    ),
    "InsertHeader": Example(_record(_ORDER), {"header": "team", "value.literal": "sales"}),
    "MaskField": Example(_record(_ORDER), {"fields": "email,id"}),
    "RegexRouter": Example(
        _record(_ORDER, topic="db.public.orders"),
        {"regex": r"(\w+)\.public\.(?<table>.*)", "replacement": "$1-${table}"},
    ),
    "ReplaceField": Example(_record(_ORDER), {"exclude": "email", "renames": "id:order_id"}),
    "SetSchemaMetadata": Example(
        _record(_customer(id=7)), {"schema.name": "com.example.Person", "schema.version": "2"}
    ),
    "TimestampConverter": Example(
        _record({"id": 7, "at": "2024-02-29 12:34:56"}),
        {"field": "at", "target.type": "unix", "format": "yyyy-MM-dd HH:mm:ss"},
    ),
    "TimestampNow": Example(_record(_ORDER), is_volatile=True),
    "TimestampNowField": Example(_record(_ORDER), {"fields": "processed_at"}, is_volatile=True),
    "TimestampRouter": Example(
        _record(_ORDER, timestamp=_TIMESTAMP), {"topic.format": "${topic}-${timestamp}", "timestamp.format": "yyyy-MM"}
    ),
    "TombstoneHandler": Example(_record(None, key="7"), {"behavior": "drop_silent"}),
    "ValueToKey": Example(_record(_ORDER), {"fields": "id"}),
    "HasHeaderKey": Example(_record(_ORDER, headers=_HEADERS), {"name": "region"}),
    "RecordIsTombstone": Example(_record(None, key="7")),
    "TopicNameMatches": Example(_record(_ORDER), {"pattern": "order.*"}),
}
