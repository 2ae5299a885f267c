"""ExpandJSON: structs in place of JSON texts (`com.redhat.insights.expandjsonsmt.ExpandJSON`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from connectd.config import ConfigDef
from connectd.config import Type as ConfigType
from connectd.errors import DataException
from connectd.schema import Schema, SchemaBuilder, Type
from connectd.struct import Struct
from plugins.transforms.base import VALUE, PartTransformation, R
from plugins.transforms.expanded_json import document_of, schema_of, struct_of
from plugins.transforms.requirements import require_map, require_struct

logger = logging.getLogger(__name__)

FIELDS_CONFIG: Final = "sourceFields"
PURPOSE: Final = "json field expansion"


class ExpandJSON(PartTransformation[R]):
    """Puts a struct in place of each text field with JSON; its schema is found out from the text, record by record.

    A JSON array becomes a struct with a field `array`, and what is no JSON one with `value` and `error`. Without a schema the
    parsed objects, arrays and values themselves come in place of the texts.
    """

    CONFIG = ConfigDef().define(
        FIELDS_CONFIG, ConfigType.LIST, [], doc="The fields with JSON; dots lead to fields within structs."
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._paths = [tuple(name.split(".")) for name in values[FIELDS_CONFIG] if name]

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if value is None:
            return record
        if schema is None:
            return self.part.changed(record, None, self._expanded_map(require_map(value, PURPOSE)))
        try:
            struct = require_struct(value, PURPOSE)
            documents = {path: _document(struct, path) for path in self._paths}
            expanded = _expanded(struct, (), documents)
        except DataException as error:
            logger.warning("Record of topic %s is not expanded: %s", record.topic, error)
            return record
        return self.part.changed(record, expanded.schema, expanded)

    def _expanded_map(self, fields: dict[str, Any]) -> dict[str, Any]:
        expanded = fields
        for first, *inner in self._paths:
            expanded = _replaced(expanded, (first, *inner))
        return expanded


def _replaced(fields: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The map with the text at the path parsed, if there is one; the maps on the way are copied."""
    name, *inner = path
    value = fields.get(name)
    if inner and isinstance(value, dict):
        return {**fields, name: _replaced(value, tuple(inner))}
    if inner or not isinstance(value, str):
        return fields
    document = document_of(value)
    return {**fields, name: document.get("array", document) if value.startswith("[") else document}


def _document(struct: Struct, path: tuple[str, ...]) -> dict[str, Any] | None:
    """The JSON object in the text at the path; None if the text is null. Raises DataException if there is no such text."""
    *outer, name = path
    for step in outer:
        struct = require_struct(struct.get_struct(step), PURPOSE)
    text = struct.get_string(name)
    return None if text is None else document_of(text)


def _expanded(struct: Struct, place: tuple[str, ...], documents: Mapping[tuple[str, ...], Any]) -> Struct:
    """The struct at a place with the documents in it, and with a schema to suit."""
    builder = SchemaBuilder.struct()
    values: list[Any] = []
    for field in struct.schema.fields:
        path = (*place, field.name)
        value = struct.get(field)
        schema: Schema = field.schema
        if path in documents:
            schema = schema_of(documents[path])
            value = None if documents[path] is None else struct_of(documents[path], schema)
        elif schema.type is Type.STRUCT:
            value = _expanded(require_struct(value, PURPOSE), path, documents)
            schema = value.schema
        builder.field(field.name, schema)
        values.append(value)
    expanded = Struct(builder)
    for field, value in zip(expanded.schema.fields, values, strict=True):
        expanded.put(field, value)
    return expanded


class ExpandJSONValue(ExpandJSON[R]):
    """`ExpandJSON` for values."""

    JAVA_NAME = "com.redhat.insights.expandjsonsmt.ExpandJSON$Value"
    part = VALUE
