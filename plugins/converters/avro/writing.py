"""From values to what fastavro writes: a function made once for each schema (`AvroData.fromConnectData`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from connectd.errors import DataException
from connectd.logical import Decimal
from connectd.schema import Schema, Type, schema_type_of, validate_value
from plugins.converters.avro.kinds import has_string_keys, is_union
from plugins.converters.avro.model import AvroSchema
from plugins.converters.avro.settings import AvroSettings

Convert = Callable[[Any], Any]
"""Of a value that is not None. Raises what it likes for a value that does not fit."""

_ANYTHING_FIELD: Final = {
    Type.BOOLEAN: "boolean",
    Type.FLOAT64: "double",
    Type.INT64: "long",
    Type.STRING: "string",
}


def new_converter(schema: Schema | None, avro: AvroSchema, settings: AvroSettings, names_branches: bool) -> Convert:
    """The conversion of values of `schema`, whose Avro schema is `avro`.

    With `names_branches` every value of a union says which type it has; without, fastavro finds out, since it writes with
    another schema than `avro`.
    """
    if schema is None:
        return _anything
    convert = _Converters(settings, names_branches).of(schema, avro)
    if schema.type is Type.STRUCT:
        return convert or _same

    def convert_checked(value: Any) -> Any:
        validate_value(schema, value)
        return convert(value) if convert is not None else value

    return convert_checked


def _same(value: Any) -> Any:
    return value


class _Converters:
    def __init__(self, settings: AvroSettings, names_branches: bool) -> None:
        self._settings = settings
        self._names_branches = names_branches
        self._structs: dict[tuple[int, int], Convert | None] = {}

    def of(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        """None where values stay as they are."""
        if avro.type == "union" and not is_union(schema):
            branch = next(each for each in avro.types if each.type != "null")
            convert = self.of(schema, branch)
            return _named(branch.branch_name(), convert) if self._names_branches else convert
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
                return _bytes(schema, avro)
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
        branches, converters = self._fields(schema, avro)

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
            for name, branch in branches:
                if (each := row[name]) is not None:
                    row[name] = branch, each
            for name, convert in converters:
                if (each := row[name]) is not None:
                    row[name] = convert(each)
            return row

        return convert_struct

    def _fields(self, schema: Schema, avro: AvroSchema) -> tuple[list[tuple[str, str]], list[tuple[str, Convert]]]:
        """The fields that need only the name of their type beside null, and those that need a call of their own."""
        branches: list[tuple[str, str]] = []
        converters: list[tuple[str, Convert]] = []
        for field, each in zip(schema.fields, avro.fields, strict=True):
            convert = self.of(field.schema, each.schema)
            if isinstance(convert, _NamedPlain):
                branches.append((each.name, convert.name))
            elif convert is not None:
                converters.append((each.name, convert))
        return branches, converters

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
        if schema.value_schema is None:
            return lambda value: [_anything(each) for each in value]
        convert = self._element(schema.value_schema, avro.items)
        if convert is None:
            return None
        return lambda value: [None if each is None else convert(each) for each in value]

    def _map(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        assert avro.items is not None and schema.value_schema is not None
        convert = self._element(schema.value_schema, avro.items)
        if convert is None:
            return None
        return lambda value: {key: None if each is None else convert(each) for key, each in value.items()}

    def _entries(self, schema: Schema, avro: AvroSchema) -> Convert:
        assert avro.items is not None and schema.key_schema is not None and schema.value_schema is not None
        key_convert, convert = (
            self._element(each, field.schema) or _same
            for each, field in zip((schema.key_schema, schema.value_schema), avro.items.fields, strict=True)
        )
        return lambda value: [
            {"key": None if key is None else key_convert(key), "value": None if each is None else convert(each)}
            for key, each in value.items()
        ]

    def _element(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        convert = self.of(schema, avro)
        return convert.call if isinstance(convert, _NamedPlain) else convert


class _NamedPlain:
    """Nothing to do with a value but to say which type of a union it has."""

    def __init__(self, name: str) -> None:
        self.name = name

    def call(self, value: Any) -> tuple[str, Any]:
        return self.name, value

    __call__ = call


def _named(name: str, convert: Convert | None) -> Convert:
    if convert is None:
        return _NamedPlain(name)
    return lambda value: (name, convert(value))


def _bytes(schema: Schema, avro: AvroSchema) -> Convert:
    is_decimal = schema.name == Decimal.LOGICAL_NAME
    size = avro.size if avro.type == "fixed" else None

    def convert_bytes(value: Any) -> bytes:
        data = Decimal.from_logical(schema, value) if is_decimal else bytes(value)
        if size is None or len(data) == size:
            return data
        if not is_decimal or len(data) > size:
            raise DataException(f"Expected {size} bytes, found {len(data)}")
        return (b"\xff" if data[0] & 0x80 else b"\0") * (size - len(data)) + data

    return convert_bytes


def _anything(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    type = schema_type_of(value)
    if type is Type.ARRAY:
        return {"array": [_anything(each) for each in value]}
    if type is Type.MAP:
        return {"map": [{"key": _anything(key), "value": _anything(each)} for key, each in value.items()]}
    if type not in _ANYTHING_FIELD:
        raise DataException(f"There is no type for a {value.__class__.__qualname__} without a schema")
    name = _ANYTHING_FIELD[type]
    return {name: (name, value)}


def _no_null(name: str) -> DataException:
    return DataException(f"Found null for the field {name}, whose schema is not optional and has no default value")
