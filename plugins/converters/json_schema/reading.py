"""From JSON to values: a function made once for each schema (`JsonSchemaData.toConnectData`)."""

from __future__ import annotations

import base64
import decimal
from collections.abc import Callable
from typing import Any, Final

from connectd.errors import DataException
from connectd.javanumbers import to_double, to_float32, to_long, wrap
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Field, Schema, Type
from connectd.struct import Struct
from plugins.converters.json_schema.constants import KEY, VALUE
from plugins.converters.json_schema.kinds import has_string_keys, is_union
from plugins.converters.json_schema.settings import JsonSchemaSettings

Read = Callable[[Any], Any]
"""Of what a JSON parser gives, which may be None."""

_BITS: Final = {Type.INT8: 8, Type.INT16: 16, Type.INT32: 32, Type.INT64: 64}
_LOGICAL: Final = {
    Date.LOGICAL_NAME: Date.to_logical,
    Time.LOGICAL_NAME: Time.to_logical,
    Timestamp.LOGICAL_NAME: Timestamp.to_logical,
}


def new_reader(schema: Schema, settings: JsonSchemaSettings) -> Read:
    """The reading of values of a schema. Raises DataException for a null that is not allowed, and for what does not fit."""
    return _Readers(settings).or_null(schema)


def has_decimals(schema: Schema) -> bool:
    """Whether numbers have to be read exactly."""
    return _has_decimals(schema, set())


def _has_decimals(schema: Schema | None, seen: set[int]) -> bool:
    if schema is None or id(schema) in seen:
        return False
    seen.add(id(schema))
    match schema.type:
        case Type.BYTES:
            return schema.name == Decimal.LOGICAL_NAME
        case Type.STRUCT:
            return any(_has_decimals(field.schema, seen) for field in schema.fields)
        case Type.MAP:
            return _has_decimals(schema.key_schema, seen) or _has_decimals(schema.value_schema, seen)
        case Type.ARRAY:
            return _has_decimals(schema.value_schema, seen)
    return False


class _Readers:
    def __init__(self, settings: JsonSchemaSettings) -> None:
        self._settings = settings
        self._structs: dict[int, Read] = {}

    def or_null(self, schema: Schema) -> Read:
        """The default value, if there is one, for a null."""
        read, default = self._of(schema), schema.default_value
        if default is None and not schema.is_optional:

            def read_required(value: Any) -> Any:
                if value is None:
                    raise DataException(f"Found null for {schema}, which is not optional")
                return read(value)

            return read_required
        return lambda value: default if value is None else read(value)

    def _of(self, schema: Schema) -> Read:
        if schema.name == Decimal.LOGICAL_NAME:
            return lambda value: _decimal(schema, value)
        if schema.name in _LOGICAL:
            to_logical = _LOGICAL[schema.name]
            return lambda value: to_logical(schema, _integer(schema, value))
        match schema.type:
            case Type.STRUCT if is_union(schema):
                return self._union(schema)
            case Type.STRUCT:
                return self._struct(schema)
            case Type.MAP:
                return self._map(schema)
            case Type.ARRAY:
                assert schema.value_schema is not None
                read = self.or_null(schema.value_schema)
                return lambda value: [read(each) for each in value]
            case Type.STRING:
                return lambda value: value if isinstance(value, str) else None
            case Type.BYTES:
                return _bytes
            case Type.BOOLEAN:
                return lambda value: value is True
            case Type.FLOAT64:
                return lambda value: value if type(value) is float else _double(value)
            case Type.FLOAT32:
                return lambda value: to_float32(_double(value))
        bits = _BITS[schema.type]
        limit = 1 << (bits - 1)
        return lambda value: value if type(value) is int and -limit <= value < limit else _wrapped(value, bits)

    def _struct(self, schema: Schema) -> Read:
        if id(schema) in self._structs:
            return lambda value: self._structs[id(schema)](value)
        self._structs[id(schema)] = _double  # until it is made
        read = self._structs[id(schema)] = self._new_struct(schema)
        return read

    def _new_struct(self, schema: Schema) -> Read:
        readers = [(field.name, self._of(field.schema), field.schema.default_value) for field in schema.fields]
        required = {
            field.name for field in schema.fields if not field.schema.is_optional and field.schema.default_value is None
        }
        new_struct = Struct.of_checked

        def read_struct(value: Any) -> Struct:
            if type(value) is not dict:
                raise DataException(f"Expected a JSON object for {schema}, found {type(value).__qualname__}")
            get = value.get
            values = [default if (each := get(name)) is None else read(each) for name, read, default in readers]
            if None in values:
                # What is absent may be so; what is null may not.
                for name in required:
                    if name in value and value[name] is None:
                        raise DataException(f"Found null for the field {name}, which is not optional")
            return new_struct(schema, values)

        return read_struct

    def _map(self, schema: Schema) -> Read:
        assert schema.key_schema is not None and schema.value_schema is not None
        read = self.or_null(schema.value_schema)
        if has_string_keys(schema):

            def read_object(value: Any) -> dict[str, Any]:
                if type(value) is not dict:
                    raise DataException(f"Expected a JSON object for a map, found {type(value).__qualname__}")
                return {key: read(each) for key, each in value.items()}

            return read_object
        read_key = self.or_null(schema.key_schema)

        def read_entries(value: Any) -> dict[Any, Any]:
            if type(value) is not list or any(type(each) is not dict or len(each) != 2 for each in value):
                raise DataException("Expected a JSON array of objects with key and value for a map")
            return {read_key(each.get(KEY)): read(each.get(VALUE)) for each in value}

        return read_entries

    def _union(self, schema: Schema) -> Read:
        readers = [self._of(field.schema) for field in schema.fields]
        empty: list[Any] = [None] * len(readers)

        def read_union(value: Any) -> Struct:
            index = _branch(schema.fields, value)
            values = empty.copy()
            values[index] = readers[index](value)
            return Struct.of_checked(schema, values)

        return read_union


def _branch(fields: tuple[Field, ...], value: Any) -> int:
    """The first simple type that fits, or else the struct that has most of the properties."""
    best, most = None, 0
    for field in fields:
        if _is_of(field.schema, value):
            return field.index
        matching = _matching(field.schema, value)
        if matching > most:
            best, most = field.index, matching
    if best is None:
        raise DataException(f"No type of the union fits a JSON {type(value).__qualname__}")
    return best


def _is_of(schema: Schema, value: Any) -> bool:
    match schema.type:
        case Type.STRUCT:
            return False
        case Type.BOOLEAN:
            return isinstance(value, bool)
        case Type.STRING:
            return isinstance(value, str)
        case Type.ARRAY:
            return isinstance(value, list)
        case Type.MAP:
            return isinstance(value, (dict, list))
        case Type.BYTES:
            return False  # nothing in JSON is bytes by itself
        case Type.FLOAT32 | Type.FLOAT64:
            return isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool)
    return isinstance(value, int) and not isinstance(value, bool)


def _matching(schema: Schema, value: Any) -> int:
    if schema.type is not Type.STRUCT or not isinstance(value, dict):
        return 0
    common = [field for field in schema.fields if field.name in value]
    return len(common) + sum(_matching(field.schema, value[field.name]) for field in common)


def _number(value: Any) -> Any:
    # As Jackson: a node that is no number counts as zero.
    return value if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool) else 0


def _wrapped(value: Any, bits: int) -> int:
    return wrap(to_long(_number(value)), bits)


def _double(value: Any) -> float:
    return to_double(_number(value))


def _integer(schema: Schema, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DataException(f"Expected an integer for {schema}, found {type(value).__qualname__}")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise DataException(f"Expected base64 text for bytes, found {type(value).__qualname__}")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise DataException("Expected base64 text for bytes") from None


def _decimal(schema: Schema, value: Any) -> decimal.Decimal:
    if isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool):
        return decimal.Decimal(value)
    return Decimal.to_logical(schema, _bytes(value))
