"""Schemas as JSON, the way they stand in an envelope (`JsonConverter.asJsonSchema` and `asConnectSchema`)."""

from __future__ import annotations

from typing import Any, Final

from connectd.errors import DataException
from connectd.javanumbers import wrap
from connectd.schema import Schema, SchemaBuilder, Type
from plugins.converters.json.reading import ValueReader, is_int
from plugins.converters.json.text import quote
from plugins.converters.json.writing import ValueWriter

_TYPE_NAMES: Final = {type: type.value for type in Type} | {Type.FLOAT32: "float", Type.FLOAT64: "double"}
_PRIMITIVES: Final = {_TYPE_NAMES[type]: type for type in Type if type.is_primitive}


def schema_to_json(schema: Schema | None, writer: ValueWriter) -> str:
    """The JSON text of a schema, members in Java's order; `writer` writes default values.

    Raises DataException when a default value does not fit its schema.
    """
    return "null" if schema is None else _object(_members(schema, writer))


def schema_from_json(node: Any, reader: ValueReader) -> Schema | None:
    """The schema that a JSON tree describes; `reader` reads default values. Members that are not known are ignored.

    Raises DataException saying what is missing or wrong.
    """
    if node is None:
        return None
    members: dict[str, Any] = node if isinstance(node, dict) else {}
    builder = _builder(members, reader)
    if members.get("optional") is True:
        builder.optional()
    if isinstance(name := members.get("name"), str):
        builder.name(name)
    if is_int(version := members.get("version")):
        builder.version(wrap(version, 32))
    if isinstance(doc := members.get("doc"), str):
        builder.doc(doc)
    if isinstance(parameters := members.get("parameters"), dict):
        if not all(isinstance(value, str) for value in parameters.values()):
            raise DataException("Schema parameters must have string values.")
        builder.parameters(parameters)
    if "default" in members:
        builder.default_value(reader.read(builder.build(), members["default"]))
    return builder.build()


def _members(schema: Schema, writer: ValueWriter) -> list[str]:
    members = [f'"type":"{_TYPE_NAMES[schema.type]}"']
    if schema.type is Type.ARRAY:
        members.append(f'"items":{schema_to_json(schema.value_schema, writer)}')
    elif schema.type is Type.MAP:
        members.append(f'"keys":{schema_to_json(schema.key_schema, writer)}')
        members.append(f'"values":{schema_to_json(schema.value_schema, writer)}')
    elif schema.type is Type.STRUCT:
        fields = (_object([*_members(field.schema, writer), _member("field", field.name)]) for field in schema.fields)
        members.append(f'"fields":[{",".join(fields)}]')
    members.append(f'"optional":{"true" if schema.is_optional else "false"}')
    if schema.name is not None:
        members.append(_member("name", schema.name))
    if schema.version is not None:
        members.append(f'"version":{schema.version}')
    if schema.doc is not None:
        members.append(_member("doc", schema.doc))
    if schema.parameters is not None:
        members.append(f'"parameters":{_object([_member(*parameter) for parameter in schema.parameters.items()])}')
    if schema.default_value is not None:
        members.append(f'"default":{writer.write(schema, schema.default_value)}')
    return members


def _member(name: str, value: str) -> str:
    return f"{quote(name)}:{quote(value)}"


def _object(members: list[str]) -> str:
    return f"{{{','.join(members)}}}"


def _builder(members: dict[str, Any], reader: ValueReader) -> SchemaBuilder:
    type_name = members.get("type")
    if not isinstance(type_name, str):
        raise DataException("Schema must contain 'type' field")
    if type_name in _PRIMITIVES:
        return SchemaBuilder(_PRIMITIVES[type_name])
    match type_name:
        case "array":
            if members.get("items") is None:
                raise DataException("Array schema did not specify the element type")
            return SchemaBuilder.array(_nested(members["items"], reader))
        case "map":
            if "keys" not in members:
                raise DataException("Map schema did not specify the key type")
            if "values" not in members:
                raise DataException("Map schema did not specify the value type")
            return SchemaBuilder.map(_nested(members["keys"], reader), _nested(members["values"], reader))
        case "struct":
            return _struct_builder(members.get("fields"), reader)
    raise DataException(f"Unknown schema type: {type_name}")


def _struct_builder(fields: Any, reader: ValueReader) -> SchemaBuilder:
    if not isinstance(fields, list):
        raise DataException('Struct schema\'s "fields" argument is not an array.')
    builder = SchemaBuilder.struct()
    for field in fields:
        name = field.get("field") if isinstance(field, dict) else None
        if not isinstance(name, str):
            raise DataException("Struct schema's field name not specified properly")
        builder.field(name, _nested(field, reader))
    return builder


def _nested(node: Any, reader: ValueReader) -> Schema:
    # A null becomes a None here, which the builder refuses.
    return schema_from_json(node, reader)  # type: ignore[return-value]
