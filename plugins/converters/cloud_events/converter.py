"""CloudEventsConverter itself: which converters write the event and the data in it, and how both are read again."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from connectd.errors import DataException
from connectd.headers import ConnectHeaders, Headers
from connectd.schema import Schema, SchemaAndValue, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.avro import AvroConverter
from plugins.converters.base import TYPE_CONFIG, BuiltinConverter
from plugins.converters.cloud_events.events import DATA, REQUIRED, SCHEMA_SUFFIX, Data, Events
from plugins.converters.cloud_events.facts import facts_of, is_change_event
from plugins.converters.cloud_events.settings import CloudEventsSettings, cloud_events_config_def
from plugins.converters.json import JsonConverter
from plugins.converters.json.settings import SCHEMAS_ENABLE_CONFIG
from plugins.transforms.structs import builder_like

_REMEMBERED: Final = 100
# Stands in an event for data that is written by itself.
_NOTHING: Final = SchemaBuilder.struct().build()
_END_OF_NOTHING: Final = b"{}}"
# Keeps the schemas of data apart from those of the events in one topic.
_DATA_TOPIC_SUFFIX: Final = "-data"


class _OnlyData(msgspec.Struct, gc=False):
    data: msgspec.Raw


_DATA_OF: Final = msgspec.json.Decoder(_OnlyData)


class CloudEventsConverter(BuiltinConverter):
    """Change events of Debezium's connectors as CloudEvents in structured mode (`io.debezium.converters.CloudEventsConverter`).

    Other records are written as null. Raises DataException for change events of other connectors, and for data that is no event.
    """

    JAVA_NAME = "io.debezium.converters.CloudEventsConverter"
    CONFIG = cloud_events_config_def()

    def configure(self, configs: Mapping[str, Any], is_key: bool = False) -> None:
        self._originals = configs
        super().configure(configs, is_key)

    def apply_config(self, values: dict[str, Any]) -> None:
        self._settings = CloudEventsSettings.of(values, self._originals)
        self._events = Events(self._settings)
        self._json = JsonConverter()
        self._json.configure({**self._settings.json, SCHEMAS_ENABLE_CONFIG: "false"}, values[TYPE_CONFIG] == "key")
        self._json_data = JsonConverter()
        self._json_data.configure(self._settings.json)
        self._avro: AvroConverter | None = None
        if self._settings.avro is not None:
            self._avro = AvroConverter()
            self._avro.configure(self._settings.avro)

    def close(self) -> None:
        if self._avro is not None:
            self._avro.close()

    # --- writing ------------------------------------------------------------------------------------------------------

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        return self.from_connect_data_with_headers(topic, ConnectHeaders(), schema, value)

    def from_connect_data_with_headers(
        self, topic: str, headers: Headers, schema: Schema | None, value: Any
    ) -> bytes | None:
        settings = self._settings
        if schema is None or value is None or not is_change_event(schema, headers, settings.sources):
            return None
        if not isinstance(value, Struct):
            raise DataException(f"Expected a change event to be a struct, found {type(value).__qualname__}")
        facts = facts_of(value, headers, settings.sources)
        data = self._events.data(value, facts)
        if self._avro is not None:
            data_topic = topic + _DATA_TOPIC_SUFFIX if settings.is_avro else topic
            event = self._events.event(facts, self._avro_data(self._avro, data_topic, data))
            return (self._avro if settings.is_avro else self._json).from_connect_data(topic, event.schema, event)
        if not settings.has_json_schemas:
            event = self._events.event(facts, Data(data.schema, data))
            return self._json.from_connect_data(topic, event.schema, event)
        event = self._events.event(facts, Data(_NOTHING, Struct(_NOTHING)))
        written = self._json.from_connect_data(topic, event.schema, event) or b""
        written_data = self._json_data.from_connect_data(topic, data.schema, data) or b"null"
        return written.removesuffix(_END_OF_NOTHING) + written_data + b"}"

    def _avro_data(self, avro: AvroConverter, topic: str, data: Struct) -> Data:
        written = avro.from_connect_data(topic, data.schema, data) or b""
        schema_id = int.from_bytes(written[1:5], "big", signed=True)
        addresses = str((self._settings.avro or {})["schema.registry.url"])
        base = ",".join(each.strip() for each in addresses.split(","))
        return Data(Schema.BYTES_SCHEMA, written, f"{base}/schemas/ids/{schema_id}")

    # --- reading ------------------------------------------------------------------------------------------------------

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        if self._settings.is_avro and self._avro is not None:
            return self._read_avro(self._avro, topic, value)
        event = self._json.to_connect_data(topic, value).value
        if not isinstance(event, dict) or not event.keys() >= set(REQUIRED):
            raise _no_event(f"a JSON object with {', '.join(REQUIRED)}")
        return SchemaAndValue(None, event | {DATA: self._read_data(topic, value or b"", event)})

    def _read_data(self, topic: str, written: bytes, event: Mapping[str, Any]) -> Any:
        data = event.get(DATA)
        if self._avro is not None:
            try:
                return None if data is None else self._avro.to_connect_data(topic, binascii.a2b_base64(data)).value
            except (ValueError, TypeError) as error:
                raise DataException("The data of the event is not Avro in base64") from error
        if not self._settings.has_json_schemas:
            return data
        try:
            return self._json_data.to_connect_data(topic, bytes(_DATA_OF.decode(written).data)).value
        except msgspec.MsgspecError as error:
            raise DataException(f"The data of the event cannot be read: {error}") from error

    def _read_avro(self, avro: AvroConverter, topic: str, value: bytes | None) -> SchemaAndValue:
        event = avro.to_connect_data(topic, value)
        if not self._is_event(event):
            raise _no_event(f"a record with {', '.join(REQUIRED)} that is named as events are")
        data = avro.to_connect_data(topic + _DATA_TOPIC_SUFFIX, event.value.get_bytes(DATA))
        schema = _with_data(event.value.schema, data.schema)
        values = [data.value if each.name == DATA else event.value.get(each.name) for each in schema.fields]
        return SchemaAndValue(schema, Struct.of_checked(schema, values))

    def _is_event(self, event: SchemaAndValue) -> bool:
        schema = event.schema
        if schema is None or not isinstance(event.value, Struct):
            return False
        expected = self._settings.schema_name
        name = schema.name or ""
        is_named = name.endswith(SCHEMA_SUFFIX) if expected is None else name == expected
        return is_named and {field.name for field in schema.fields} >= {*REQUIRED, DATA}


@lru_cache(_REMEMBERED)
def _with_data(event: Schema, data: Schema | None) -> Schema:
    """The schema of an event with the data's own in the place of bytes."""
    builder = builder_like(event)
    for field in event.fields:
        builder.field(field.name, field.schema if field.name != DATA or data is None else data)
    return builder.build()


def _no_event(expected: str) -> DataException:
    return DataException(f"The message is no CloudEvent: expected {expected}")
