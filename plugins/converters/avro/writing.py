"""From values to what fastavro writes, where another schema than their own is to be written (`use.latest.version`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectd.errors import DataException
from connectd.schema import Schema, Type, validate_value
from plugins.converters.avro.encoding import bytes_of
from plugins.converters.avro.kinds import has_string_keys, is_union
from plugins.converters.avro.model import AvroSchema
from plugins.converters.avro.settings import AvroSettings

Convert = Callable[[Any], Any]
"""Of a value that is not None. Raises what it likes for a value that does not fit."""


def new_converter(schema: Schema, avro: AvroSchema, settings: AvroSettings) -> Convert:
    """The conversion of values of `schema`, whose own Avro schema is `avro`; fastavro finds out what they are in the other."""
    convert = _Converters(settings).of(schema, avro) or _same
    if schema.type is Type.STRUCT:
        return convert

    def convert_checked(value: Any) -> Any:
        validate_value(schema, value)
        return convert(value)

    return convert_checked


def _same(value: Any) -> Any:
    return value


class _Converters:
    def __init__(self, settings: AvroSettings) -> None:
        self._settings = settings
        self._structs: dict[tuple[int, int], Convert | None] = {}

    def of(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        """None where values stay as they are."""
        if avro.type == "union" and not is_union(schema):
            return self.of(schema, next(each for each in avro.types if each.type != "null"))
        match schema.type:
            case Type.STRUCT if is_union(schema):
                return self._union(schema, avro)
            case Type.STRUCT:
                return self._struct(schema, avro)
            case Type.ARRAY:
                return self._array(schema, avro)
            case Type.MAP if has_string_keys(schema, self._settings):
                return self._map(schema, avro)
            case Type.MAP:
                return self._entries(schema, avro)
            case Type.BYTES:
                return bytes_of(schema, avro)
        return None

    def _struct(self, schema: Schema, avro: AvroSchema) -> Convert:
        key = id(schema), id(avro)
        if key in self._structs:
            return lambda value: self._structs[key](value)  # type: ignore[misc]  # complete by then
        self._structs[key] = None
        convert = self._structs[key] = self._new_struct(schema, avro)
        return convert

    def _new_struct(self, schema: Schema, avro: AvroSchema) -> Convert:
        names = [each.name for each in avro.fields]
        nulls = [None if self._settings.ignore_default else each.schema.default_value for each in schema.fields]
        required = [each.index for each in schema.fields if not each.schema.is_optional and nulls[each.index] is None]
        converters = [
            (each.name, convert)
            for field, each in zip(schema.fields, avro.fields, strict=True)
            if (convert := self.of(field.schema, each.schema)) is not None
        ]

        def convert_struct(value: Any) -> dict[str, Any]:
            if value.schema is not schema and value.schema != schema:
                raise DataException(f"Expected a struct of {schema}, found one of {value.schema}")
            values = value.field_values
            if None in values:
                values = [null if each is None else each for each, null in zip(values, nulls, strict=True)]
                for index in required:
                    if values[index] is None:
                        raise _no_null(schema.fields[index].name)
            row = dict(zip(names, values, strict=True))
            for name, convert in converters:
                if (each := row[name]) is not None:
                    row[name] = convert(each)
            return row

        return convert_struct

    def _union(self, schema: Schema, avro: AvroSchema) -> Convert:
        branches = [each for each in avro.types if each.type != "null"]
        converters = [self.of(each.schema, branch) for each, branch in zip(schema.fields, branches, strict=True)]
        names = [branch.branch_name() for branch in branches]
        ignores_default, is_optional = self._settings.ignore_default, schema.is_optional

        def convert_union(value: Any) -> Any:
            for field, each, name, convert in zip(schema.fields, value.field_values, names, converters, strict=True):
                given = each if each is not None or ignores_default else field.schema.default_value
                if given is not None:
                    return name, given if convert is None else convert(given)
            if not is_optional:
                raise DataException("No field of a union is set, expected one")
            return None

        return convert_union

    def _array(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        assert avro.items is not None
        assert schema.value_schema is not None
        convert = self.of(schema.value_schema, avro.items)
        if convert is None:
            return None
        return lambda value: [None if each is None else convert(each) for each in value]

    def _map(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        assert avro.items is not None and schema.value_schema is not None
        convert = self.of(schema.value_schema, avro.items)
        if convert is None:
            return None
        return lambda value: {key: None if each is None else convert(each) for key, each in value.items()}

    def _entries(self, schema: Schema, avro: AvroSchema) -> Convert:
        assert avro.items is not None and schema.key_schema is not None and schema.value_schema is not None
        key_convert, convert = (
            self.of(each, field.schema) or _same
            for each, field in zip((schema.key_schema, schema.value_schema), avro.items.fields, strict=True)
        )
        return lambda value: [
            {"key": None if key is None else key_convert(key), "value": None if each is None else convert(each)}
            for key, each in value.items()
        ]


def _no_null(name: str) -> DataException:
    return DataException(f"Found null for the field {name}, whose schema is not optional and has no default value")
