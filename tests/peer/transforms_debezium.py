"""Random change events of Debezium, and configurations of its transformations."""

from __future__ import annotations

import json

from tests.peer.transforms_random import RandomRecords
from tests.peer.values_codec import Json

Config = dict[str, str]

_TEXT: Json = {"type": "string", "optional": True}
_LONG: Json = {"type": "int64", "optional": True}
_SOURCE: Json = {
    "type": "struct",
    "fields": [["connector", {"type": "string"}], ["ts_ms", _LONG], ["lsn", _LONG], ["table", {"type": "string"}]],
}
_TRANSACTION: Json = {
    "type": "struct",
    "optional": True,
    "fields": [["id", {"type": "string"}], ["total_order", _LONG]],
}
_PAYLOADS = [
    '{"a":1,"b":[1,2],"c":{"d":"x","e":null}}',
    '{"a":[{"x":1},{"x":2}],"b":2.5,"c":3000000000}', "plain", "", " ",
    '{"a":[1,"x"]}',
    '{"a":[]}', '{"1a":true,"b-c":null}', '{"a":', '{"a":[1,2.5]}', '{"a":[null,"x"]}', '{"a":[[1],[2]]}', "{}", "7",
]  # fmt: skip


def source_event(random: RandomRecords) -> Json:
    """As `change_event`, before it is in Kafka."""
    return change_event(random, is_sink=False)


def change_event(random: RandomRecords, is_sink: bool | None = None) -> Json:
    """A record of a Debezium connector: mostly a change event, sometimes a tombstone or something else."""
    record = random.record("value", is_sink)
    record["topic"] = random.choice(["db.public.orders_1", "db.public.orders_2", "db.other.t", "x"])
    row = random.choice([_row, _row, _outbox_row])(random)
    key = {"type": "struct", "name": "db.public.orders.Key", "fields": [["id", {"type": "int64"}]]}
    record["key"] = random.choice(
        [[key, ["struct", [key, [["id", ["int64", 5]]]]]], [None, None], [_TEXT, ["string", "k"]]]
    )
    record["headers"] += random.choice(
        [[], [["drop", {"type": "array", "values": {"type": "string"}}, _names(random)]]]
    )
    if random.chance(0.1):
        record["value"] = [None, None]
    elif random.chance(0.9):
        record["value"] = _envelope(random, row)
    return record


def _names(random: RandomRecords) -> Json:
    return ["array", [["string", name] for name in random.some(["id", "a", "b", "c", "zz"])]]


def _row(random: RandomRecords) -> Json:
    schema = random.struct_schema(1)
    schema["fields"] = [each for each in schema["fields"] if each[0] != "a"]
    return schema | {"name": "db.public.orders.Value", "optional": True, "fields": [["a", _TEXT], *schema["fields"]]}


def _outbox_row(random: RandomRecords) -> Json:
    kind = random.choice(["Timestamp", "MicroTimestamp", "NanoTimestamp", "Other"])
    fields = [
        ["id", {"type": "string"}],
        ["aggregateid", random.choice([_TEXT, _LONG])],
        ["aggregatetype", {"type": "string"}],
        ["type", _TEXT],
        ["payload", _TEXT],
        ["version", {"type": "int32", "optional": True}],
        ["ts", random.choice([_LONG, _LONG | {"name": f"io.debezium.time.{kind}", "version": 1}])],
    ]
    name = random.choice(["db.public.outbox.Value", "Value"])
    if random.is_uniform:
        fields[1][1], fields[6][1] = _TEXT, _LONG
        return {"type": "struct", "optional": True, "fields": fields, "name": "db.public.outbox.Value"}
    schema = {"type": "struct", "optional": True, "fields": fields} | ({"name": name} if random.chance(0.8) else {})
    if random.chance(0.1):
        schema["fields"] = [field for field in fields if random.chance(0.8)]
    return schema


def _envelope(random: RandomRecords, row: Json) -> Json:
    transaction = [["transaction", _TRANSACTION]] if random.chance(0.8) else []
    fields = [
        ["before", row],
        ["after", row],
        ["source", _SOURCE],
        *transaction,
        ["op", {"type": "string"}],
        ["ts_ms", _LONG],
    ]
    schema = {"type": "struct", "name": "db.public.orders.Envelope", "version": 1, "fields": fields}
    operation = random.choice("ccrrud")
    values: dict[str, Json] = {"op": ["string", operation]}
    if random.chance(0.9):
        values["ts_ms"] = ["int64", 1_700_000_000_000]
    if operation in "ud":
        values["before"] = _row_value(random, row)
    if operation in "cru" and random.chance(0.97):
        values["after"] = _row_value(random, row)
    source = [["connector", ["string", "postgresql"]], ["ts_ms", ["int64", 7]], ["table", ["string", "orders"]]]
    values["source"] = ["struct", [_SOURCE, source]]
    if transaction and random.chance(0.5):
        values["transaction"] = ["struct", [_TRANSACTION, [["id", ["string", "tx"]]]]]
    return [schema, ["struct", [schema, [[name, value] for name, value in values.items() if value is not None]]]]


def _row_value(random: RandomRecords, row: Json) -> Json:
    chosen = {
        "payload": ["string", random.choice(_PAYLOADS)],
        "aggregatetype": ["string", "order" if random.is_uniform else random.choice(["order", "customer", ""])],
        "id": ["string", "e-1"],
    }
    fields = []
    for name, schema in row["fields"]:
        # Debezium's types of timestamps are numbers; their names end like those of Connect's own.
        value = random.value({key: part for key, part in schema.items() if name != "ts" or key != "name"})
        if name in chosen and schema["type"] == "string" and not (schema.get("optional") and random.chance(0.1)):
            value = chosen[name]
        if value is not None:
            fields.append([name, value])
    return ["struct", [json.loads(json.dumps(row)), fields]]


def extract_config(random: RandomRecords) -> Config:
    modes = ["drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone", "REWRITE"]
    config = random.maybe({}, "delete.tombstone.handling.mode", *modes, *modes)
    added = [
        "op",
        "table",
        "source.ts_ms",
        "ts_ms",
        "lsn:position",
        "transaction.id",
        "id",
        "total_order:order",
        "a",
        "op, table",
        "zz",
    ]
    config = random.maybe(config, "add.fields", ",".join(random.some(added)), ",".join(random.some(added)), "a:b:c", "")
    config = random.maybe(config, "add.headers", ",".join(random.some(added)), ",".join(random.some(added)))
    if random.chance(0.3):
        config["add.fields.prefix"] = random.choice(["", "x."])
    if random.chance(0.3):
        config["add.headers.prefix"] = random.choice(["", "h_"])
    if random.chance(0.3):
        config["route.by.field"] = random.choice(["a", "b", "zz", "aggregatetype"])
    if random.chance(0.4):
        config |= {"drop.fields.header.name": random.choice(["drop", "none"])}
        config = random.maybe(config, "drop.fields.from.key", "true", "false")
        config = random.maybe(config, "drop.fields.keep.schema.compatible", "true", "false")
    return random.maybe(config, "replace.null.with.default", "true", "false")


def router_config(random: RandomRecords) -> Config:
    config = {
        "topic.regex": r"(.*)orders_(\d)",
        "topic.replacement": random.choice(["$1orders", "all-$1", "$1orders", ""]),
    }
    config = random.maybe(config, "key.enforce.uniqueness", "true", "false")
    config = random.maybe(config, "key.field.name", "table", "id")
    if random.chance(0.4):
        config |= {"key.field.regex": random.choice([r"(.*)_(\d)", "nothing"]), "key.field.replacement": "shard-$0"}
    if random.chance(0.05):
        config.pop(random.choice(sorted(config)))
    config = random.maybe(config, "logical.table.cache.size", "16", "1")
    return random.maybe(config, "schema.name.adjustment.mode", "none", "avro", "avro_unicode")


def prepare_outbox(random: RandomRecords, config: Config) -> None:
    """With an envelope the router of Java remembers its first schema for all tables and topics: here there is one only."""
    random.is_uniform = "envelope" in config.get("table.fields.additional.placement", "")


def outbox_config(random: RandomRecords) -> Config:
    placements = [
        "type:header",
        "type:header:eventType",
        "version:envelope:v",
        "aggregateid:envelope",
        "version:partition",
        "zz:header",
    ]
    config = random.maybe(
        {}, "table.fields.additional.placement", ",".join(random.some(placements)), "type:header", "type"
    )
    if random.chance(0.3):
        config["table.fields.additional.error.on.missing"] = random.choice(["true", "false"])
    for key, *values in [
        ("table.field.event.timestamp", "ts", "ts", "zz"),
        ("table.field.event.schema.version", "version", "version", "zz"),
        ("table.field.event.key", "id", "type", "zz"),
        ("table.op.invalid.behavior", "warn", "error", "fatal"),
        ("route.topic.replacement", "out.${routedByValue}", "x.$1"),
        ("route.tombstone.on.empty.payload", "true", "true", "false"),
    ]:
        if random.chance(0.3):
            config[key] = random.choice(values)
    if random.chance(0.5):
        config["table.expand.json.payload"] = "true"
        config = random.maybe(config, "table.json.payload.null.behavior", "ignore", "optional_bytes")
        config = random.maybe(config, "field.name.adjustment.mode", "none", "avro", "avro_unicode")
    return config
