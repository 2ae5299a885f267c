"""The structs that are written as events: their schema, made once for each kind of change event, and their values."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from connectd.errors import DataException
from connectd.schema import Field, Schema, SchemaBuilder, Type
from connectd.struct import Struct
from plugins.converters.cloud_events.facts import Facts
from plugins.converters.cloud_events.origins import CONNECTOR, NAME, origin_of
from plugins.converters.cloud_events.settings import CloudEventsSettings, Source
from plugins.transforms.debezium import OPERATION, TIMESTAMP, schema_name_adjuster

DATA: Final = "data"
REQUIRED: Final = ("id", "source", "specversion", "type")
SCHEMA_SUFFIX: Final = "CloudEvents.Envelope"
_SPEC_VERSION: Final = "1.0"
_REMEMBERED: Final = 100
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TRANSACTION_FIELDS: Final = ("id", "total_order", "data_collection_order")
_EXTENSIONS: Final = {
    Type.BOOLEAN: SchemaBuilder.bool,
    Type.INT8: SchemaBuilder.int32,
    Type.INT16: SchemaBuilder.int32,
    Type.INT32: SchemaBuilder.int32,
    Type.STRING: SchemaBuilder.string,
    # CloudEvents has no numbers of 64 bits.
    Type.INT64: SchemaBuilder.string,
}


class Data(NamedTuple):
    """The data of an event. `uri` tells where its schema is, if it is not the record itself."""

    schema: Schema
    value: Any
    uri: str | None = None


class Events:
    """Makes the data and the events of records."""

    def __init__(self, settings: CloudEventsSettings) -> None:
        self._settings = settings
        self._adjust = schema_name_adjuster(settings.adjustment)
        self._event_schema = lru_cache(_REMEMBERED)(self._new_event_schema)
        self._content_type = "application/avro" if settings.has_avro_data else "application/json"

    def data(self, record: Struct, facts: Facts) -> Struct:
        """What of a record goes into the event. Raises DataException for a record that lacks it."""
        origin = origin_of(facts.source)
        in_headers = self._settings.sources.general is Source.HEADER
        name = facts.data_schema_name
        if self._settings.sources.data_schema_name is not Source.HEADER:
            name = f"io.debezium.connector.{facts.source.get_string(CONNECTOR)}.Data"
        schema = _data_schema(record.schema, name, () if in_headers else origin.data_fields)
        return Struct.of_checked(schema, [record.get(field.name) for field in schema.fields])

    def event(self, facts: Facts, data: Data) -> Struct:
        """The event. Raises DataException for facts that are missing."""
        settings, source = self._settings, facts.source
        event = Struct(self._event_schema(self._schema_name(source), source.schema, data.schema, data.uri is not None))
        connector = source.get_string(CONNECTOR)
        attributes = {
            "id": facts.id if settings.sources.id is not Source.GENERATE else origin_of(source).id_of(source),
            "source": f"/debezium/{connector}/{source.get_string(NAME)}",
            "specversion": _SPEC_VERSION,
            "type": facts.type
            if settings.sources.type is not Source.GENERATE
            else f"io.debezium.connector.{connector}.DataChangeEvent",
            "time": _time(source.get(TIMESTAMP)),
            "datacontenttype": self._content_type,
        }
        if data.uri is not None:
            attributes["dataschema"] = data.uri
        if settings.has_tracing:
            attributes["traceparent"] = self._trace_parent(facts)
        if settings.has_extensions:
            attributes[_extension(OPERATION)] = facts.operation
            attributes |= {_extension(field.name): _extension_of(source, field) for field in source.schema.fields}
            if (transaction := facts.transaction) is not None:
                attributes |= {
                    _extension(f"tx{field.name}"): _extension_of(transaction, field)
                    for field in transaction.schema.fields
                    if field.name in _TRANSACTION_FIELDS
                }
        for name, value in attributes.items():
            event.put(name, value)
        return event.put(DATA, data.value)

    def _trace_parent(self, facts: Facts) -> str | None:
        if self._settings.sources.trace_parent is not Source.HEADER:
            raise DataException("The attribute traceparent can only be taken from a header")
        return facts.trace_parent

    def _schema_name(self, source: Struct) -> str:
        given = self._settings.schema_name
        return self._adjust(f"{source.get(NAME)}.{source.get('db')}.{SCHEMA_SUFFIX}" if given is None else given)

    def _new_event_schema(self, name: str, source: Schema, data: Schema, has_uri: bool) -> Schema:
        builder = SchemaBuilder.struct().name(name)
        texts = ["id", "source", "specversion", "type", "time", "datacontenttype"]
        texts += ["dataschema"] if has_uri else []
        texts += ["traceparent"] if self._settings.has_tracing else []
        for text in texts:
            builder.field(text, Schema.STRING_SCHEMA)
        if self._settings.has_extensions:
            builder.field(_extension(OPERATION), Schema.STRING_SCHEMA)
            for field in source.fields:
                builder.field(_extension(field.name), _extension_schema(field.schema))
            for part in _TRANSACTION_FIELDS:
                builder.field(_extension(f"tx{part}"), Schema.OPTIONAL_STRING_SCHEMA)
        return builder.field(DATA, data).build()


@lru_cache(_REMEMBERED)
def _data_schema(record: Schema, name: str | None, only: tuple[str, ...]) -> Schema:
    builder = SchemaBuilder.struct()
    if name is not None:
        builder.name(name)
    for each in only or [field.name for field in record.fields]:
        field = record.field(each)
        if field is None:
            raise DataException(f"Expected a change event to have the field {each}, found {record}")
        builder.field(each, field.schema)
    return builder.build()


def _extension_schema(schema: Schema) -> Schema:
    if schema.type not in _EXTENSIONS:
        raise DataException(f"A field of type {schema.type} in the source block cannot be an attribute of an event")
    builder = _EXTENSIONS[schema.type]()
    return (builder.optional() if schema.is_optional else builder).build()


def _extension(name: str) -> str:
    """The name of an attribute, for which only letters and digits are allowed."""
    return "iodebezium" + "".join(each for each in name if each.isascii() and each.isalnum())


def _extension_of(struct: Struct, field: Field) -> Any:
    value = struct.get(field)
    return str(value) if value is not None and field.schema.type is Type.INT64 else value


def _time(ms: Any) -> str:
    """RFC 3339. Raises DataException for what is no moment in milliseconds."""
    try:
        moment = _EPOCH + datetime.timedelta(milliseconds=ms)
    except (TypeError, OverflowError) as error:
        raise DataException(
            f"Expected {TIMESTAMP} of a source block to be a moment in milliseconds, found {ms!r}"
        ) from error
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
