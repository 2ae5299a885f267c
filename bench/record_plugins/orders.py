"""Orders from memory, and into a file of a byte each: what is left is the framework's cost. RecordPlugins.java is its twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectd import (
    Schema,
    SchemaBuilder,
    SinkBatch,
    SinkConnector,
    SinkRecord,
    SinkTask,
    SourceConnector,
    SourceRecord,
    SourceTask,
    Struct,
)
from connectd.config import ConfigDef

BATCH = 2000
ORDER = (
    SchemaBuilder.struct()
    .name("order")
    .field("id", Schema.INT64_SCHEMA)
    .field("customer", Schema.STRING_SCHEMA)
    .field("city", Schema.STRING_SCHEMA)
    .field("amount", Schema.FLOAT64_SCHEMA)
    .field("count", Schema.INT32_SCHEMA)
    .field("paid", Schema.BOOLEAN_SCHEMA)
    .field("note", Schema.OPTIONAL_STRING_SCHEMA)
    .field("status", Schema.STRING_SCHEMA)
    .field("created", Schema.INT64_SCHEMA)
    .field("reference", Schema.STRING_SCHEMA)
    .build()
)


def order(number: int) -> dict[str, Any]:
    """The fields of one order."""
    return {
        "id": number,
        "customer": f"customer {number}",
        "city": "Berlin",
        "amount": 12.5 + number,
        "count": number % 100,
        "paid": number % 2 == 0,
        "note": None,
        "status": "new",
        "created": 1_700_000_000_000 + number,
        "reference": f"A-{number}",
    }


class OrderSource(SourceConnector):
    """Emits the same 2,000 orders again and again."""

    JAVA_NAME = "connectd.bench.RecordPlugins$OrderSource"
    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self.props = dict(props)

    def task_class(self) -> type[SourceTask]:
        return OrderSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [self.props]

    def config(self) -> ConfigDef:
        return ConfigDef()


class OrderSourceTask(SourceTask):
    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self.left = int(props["records"])
        schema = ORDER if props["with.schema"] == "true" else None
        partition = {"p": "orders"}
        self.batch = [
            SourceRecord(
                partition,
                {"n": number},
                props["topic"],
                value_schema=schema,
                value=order(number) if schema is None else Struct(schema, **order(number)),
            )
            for number in range(BATCH)
        ]

    def poll(self) -> list[SourceRecord] | None:
        if self.left <= 0:
            self.context.wait(0.1)
            return None
        self.left -= len(self.batch)
        return list(self.batch)


class OrderSink(SinkConnector):
    """Writes a byte an order. Its task takes columns, which is how a sink that is to be fast takes records here."""

    JAVA_NAME = "connectd.bench.RecordPlugins$OrderSink"
    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self.props = dict(props)

    def task_class(self) -> type[SinkTask]:
        return OrderSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [self.props]

    def config(self) -> ConfigDef:
        return ConfigDef()


class OrderSinkOfRecords(OrderSink):
    """The same, but its task takes an object a record, as Java's does."""

    JAVA_NAME = "connectd.bench.RecordPlugins$OrderSinkOfRecords"

    def task_class(self) -> type[SinkTask]:
        return OrderSinkOfRecordsTask


class OrderSinkOfRecordsTask(SinkTask):
    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self.out = open(props["file"], "wb", buffering=0)  # noqa: SIM115  # closed by `stop`

    def put(self, records: Sequence[SinkRecord]) -> None:
        self.out.write(b"".join([b"\n" if record.value is None else b"." for record in records]))

    def stop(self) -> None:
        self.out.close()


class OrderSinkTask(OrderSinkOfRecordsTask):
    def put_batch(self, batch: SinkBatch) -> None:
        self.out.write(b"".join([b"\n" if value is None else b"." for value in batch.values]))
