"""Default values: Connect's as JSON in an Avro schema, and back (`AvroData.defaultValueFromConnect`, `...FromAvro`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.converters.avro.kinds import has_string_keys, is_union
from plugins.converters.avro.model import NO_DEFAULT, AvroSchema, Number
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.json.text import float_text
from plugins.converters.registry.names import scrub

_FROM_LOGICAL: Final[dict[str | None, Callable[[Schema, Any], Any]]] = {
    Decimal.LOGICAL_NAME: Decimal.from_logical,
    Date.LOGICAL_NAME: Date.from_logical,
    Time.LOGICAL_NAME: Time.from_logical,
    Timestamp.LOGICAL_NAME: Timestamp.from_logical,
}
_TO_LOGICAL: Final[dict[str | None, Callable[[Schema, Any], Any]]] = {
    Decimal.LOGICAL_NAME: Decimal.to_logical,
    Date.LOGICAL_NAME: Date.to_logical,
    Time.LOGICAL_NAME: Time.to_logical,
    Timestamp.LOGICAL_NAME: Timestamp.to_logical,
}
_INTS: Final = {"int": 32, "long": 64}


def default_to_json(schema: Schema, value: Any, settings: AvroSettings) -> Any:
    """A default value as JSON."""
    if value is None:
        return None
    if schema.name in _FROM_LOGICAL:
        value = _FROM_LOGICAL[schema.name](schema, value)
    match schema.type:
        case Type.BYTES:
            return bytes(value).decode("latin-1")
        case Type.FLOAT32:
            return Number(value, float_text(value))
        case Type.ARRAY:
            assert schema.value_schema is not None
            return [default_to_json(schema.value_schema, each, settings) for each in value]
        case Type.MAP:
            return _map_to_json(schema, value, settings)
        case Type.STRUCT:
            return _struct_to_json(schema, value, settings)
    return value


def _map_to_json(schema: Schema, value: dict[Any, Any], settings: AvroSettings) -> Any:
    keys, values = schema.key_schema, schema.value_schema
    assert keys is not None and values is not None
    if has_string_keys(schema, settings):
        return {key: default_to_json(values, each, settings) for key, each in value.items()}
    return [
        [default_to_json(keys, key, settings), default_to_json(values, each, settings)] for key, each in value.items()
    ]


def _struct_to_json(schema: Schema, value: Struct, settings: AvroSettings) -> Any:
    converted = {
        scrub(each.name) if settings.scrub_names else each.name: default_to_json(each.schema, value.get(each), settings)
        for each in schema.fields
    }
    # As in Java, that of a union is its first field, set or not.
    return next(iter(converted.values()), None) if is_union(schema) else converted


def fits(avro: AvroSchema, default: Any) -> bool:
    """Whether JSON is a valid default value of an Avro schema (`Schema.Field` in Avro)."""
    match avro.type:
        case "null":
            return default is None
        case "boolean":
            return isinstance(default, bool)
        case "int" | "long":
            limit = 1 << (_INTS[avro.type] - 1)
            return isinstance(default, int) and not isinstance(default, bool) and -limit <= default < limit
        case "float" | "double":
            return isinstance(default, (int, float)) and not isinstance(default, bool)
        case "string" | "bytes" | "fixed" | "enum":
            return isinstance(default, str)
        case "array":
            return (
                isinstance(default, list) and avro.items is not None and all(fits(avro.items, each) for each in default)
            )
        case "map":
            assert avro.items is not None
            return isinstance(default, dict) and all(fits(avro.items, each) for each in default.values())
        case "union":
            return any(fits(each, default) for each in avro.types)
    return isinstance(default, dict) and all(
        fits(each.schema, default[each.name]) if each.name in default else each.default is not NO_DEFAULT
        for each in avro.fields
    )


def default_from_json(schema: Schema, avro: AvroSchema, default: Any, is_of_field: bool) -> Any:
    """The default value that JSON stands for. Raises DataException or TypeError for JSON that is none.

    `is_of_field` is true for the default of an Avro field, false for one that Connect left in the schema.
    """
    if default is None:
        return None
    value = _from_json(schema, avro, default, is_of_field)
    if value is None or schema.name not in _TO_LOGICAL:
        return value
    return _TO_LOGICAL[schema.name](schema, value)


def _from_json(schema: Schema, avro: AvroSchema, default: Any, is_of_field: bool) -> Any:
    match avro.type:
        case "int" | "long":
            return int(default)
        case "float" | "double":
            return float(default)
        case "boolean":
            return bool(default)
        case "string" | "enum":
            return default if isinstance(default, str) else str(default)
        case "bytes" | "fixed":
            return default.encode("latin-1")
        case "array":
            return _list_from_json(schema, avro, default, is_of_field)
        case "map":
            values, items = schema.value_schema, avro.items
            assert values is not None and items is not None
            return {key: default_from_json(values, items, each, is_of_field) for key, each in default.items()}
        case "record":
            return _record_from_json(schema, avro, default, is_of_field)
        case "union":
            return _union_from_json(schema, avro, default, is_of_field)
    return None


def _list_from_json(schema: Schema, avro: AvroSchema, default: Any, is_of_field: bool) -> Any:
    if not isinstance(default, list) or avro.items is None or schema.value_schema is None:
        raise DataException("Expected a JSON array as the default value of an array")
    if schema.type is Type.MAP:
        raise DataException("The default value of a map of entries is not read")
    return [default_from_json(schema.value_schema, avro.items, each, is_of_field) for each in default]


def _record_from_json(schema: Schema, avro: AvroSchema, default: Any, is_of_field: bool) -> Struct:
    if not isinstance(default, dict):
        raise DataException("Expected a JSON object as the default value of a record")
    struct = Struct(schema)
    for field, each in zip(schema.fields, avro.fields, strict=True):
        if each.name in default:
            struct.put(field, default_from_json(field.schema, each.schema, default[each.name], is_of_field))
        elif is_of_field and field.schema.default_value is not None:
            struct.put(field, field.schema.default_value)
        else:
            struct.put(field, None)
    return struct


def _union_from_json(schema: Schema, avro: AvroSchema, default: Any, is_of_field: bool) -> Any:
    """Avro's default values belong to the first branch."""
    first = avro.types[0]
    if len(schema.fields) == 0 or first.type == "null":
        return None
    field = schema.fields[0]
    value = default_from_json(field.schema, first, default, is_of_field)
    # What Connect left is of no use, as in Java: it is not in a struct of the union's.
    return Struct(schema).put(field, value) if is_of_field else value
