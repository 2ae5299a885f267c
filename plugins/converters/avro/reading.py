"""From what fastavro reads to values: a function made once for each schema (`AvroData.toConnectData`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from connectd.errors import DataException
from connectd.javanumbers import wrap
from connectd.logical import Decimal, Timestamp
from connectd.schema import Field, Schema, Type
from connectd.struct import Struct
from plugins.converters.avro.constants import KEY, SCALE, VALUE
from plugins.converters.avro.kinds import ANYTHING_FIELDS, parameter
from plugins.converters.avro.model import NAMED, AvroSchema
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.avro.to_connect import is_map_entry, only_branch

Convert = Callable[[Any], Any]
"""Of a value that is not None."""

_BITS: Final = {Type.INT8: 8, Type.INT16: 16}
_PYTHON_TYPES: Final = {
    "boolean": bool,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "bytes": bytes,
    "string": str,
    "array": list,
    "map": dict,
}


def new_converter(schema: Schema | None, avro: AvroSchema, settings: AvroSettings, in_order: bool) -> Convert | None:
    """The conversion of data of `avro`, whose Connect schema is `schema`; None where it stays as it is.

    `in_order` is false where fastavro gives the fields of a record in another order than the schema.
    """
    return _anything if schema is None else _Converters(settings, in_order).of(schema, avro)


class _Converters:
    def __init__(self, settings: AvroSettings, in_order: bool) -> None:
        self._settings = settings
        self._in_order = in_order
        self._records: dict[tuple[int, int], Convert | None] = {}

    def of(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        match avro.type:
            case "union":
                return self._union(schema, avro)
            case "record":
                return self._record(schema, avro)
            case "array":
                return self._array(schema, avro)
            case "map":
                assert schema.value_schema is not None and avro.items is not None
                convert = self.of(schema.value_schema, avro.items)
                if convert is None:
                    return None
                return lambda value: {key: None if each is None else convert(each) for key, each in value.items()}
            case "bytes" | "fixed" if schema.name == Decimal.LOGICAL_NAME:
                scale = int(parameter(schema, SCALE) or 0)
                return lambda value: Decimal.of_unscaled_bytes(value, scale)
        if schema.type in _BITS:
            bits = _BITS[schema.type]
            return lambda value: wrap(value, bits)
        return None

    def _union(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        branch = only_branch(avro, self._settings)
        if branch is None:
            return self._general_union(schema, avro)
        convert = self.of(schema, branch)
        if branch.type not in NAMED:
            return convert
        if convert is None:
            return _without_name
        return lambda value: convert(value[1] if type(value) is tuple else value)

    def _general_union(self, schema: Schema, avro: AvroSchema) -> Convert:
        branches = [each for each in avro.types if each.type != "null"]
        by_name: dict[str, tuple[int, Convert | None]] = {}
        by_type: dict[type, tuple[int, Convert | None]] = {}
        for field, branch in zip(schema.fields, branches, strict=True):
            convert = self.of(field.schema, branch)
            if branch.type not in NAMED:  # those come with their names
                by_type.setdefault(_PYTHON_TYPES[branch.type], (field.index, convert))
            if branch.type in ("long", "double") and field.schema.name == Timestamp.LOGICAL_NAME:
                convert = _marked_timestamp(field)
            by_name[branch.branch_name()] = field.index, convert
        empty: list[Any] = [None] * len(schema.fields)
        logical = {field.index for field in schema.fields if field.schema.name is not None}

        def convert_union(value: Any) -> Struct:
            if type(value) is tuple:
                name, value = value
                index, convert = by_name[name]
            else:
                index, convert = by_type[type(value)] if type(value) in by_type else _of_logical(value, logical)
            values = empty.copy()
            values[index] = value if convert is None else convert(value)
            return Struct.of_checked(schema, values)

        return convert_union

    def _record(self, schema: Schema, avro: AvroSchema) -> Convert:
        key = id(schema), id(avro)
        if key in self._records:
            return lambda value: self._records[key](value)  # type: ignore[misc]  # complete by then
        self._records[key] = None
        convert = self._records[key] = self._new_record(schema, avro)
        return convert

    def _new_record(self, schema: Schema, avro: AvroSchema) -> Convert:
        converters = [
            (field.index, convert)
            for field, each in zip(schema.fields, avro.fields, strict=True)
            if (convert := self.of(field.schema, each.schema)) is not None
        ]
        names = None if self._in_order else [each.name for each in avro.fields]
        new_struct = Struct.of_checked

        def convert_record(record: Any) -> Struct:
            values = list(record.values()) if names is None else [record[name] for name in names]
            for index, convert in converters:
                if (value := values[index]) is not None:
                    values[index] = convert(value)
            return new_struct(schema, values)

        return convert_record

    def _array(self, schema: Schema, avro: AvroSchema) -> Convert | None:
        items = avro.items
        assert items is not None and schema.value_schema is not None
        if is_map_entry(items):
            return self._entries(schema, items)
        convert = self.of(schema.value_schema, items)
        if convert is None:
            return None
        return lambda value: [None if each is None else convert(each) for each in value]

    def _entries(self, schema: Schema, entry: AvroSchema) -> Convert:
        fields = {each.name: each.schema for each in entry.fields}
        assert schema.key_schema is not None and schema.value_schema is not None
        key_convert = _or_null(self.of(schema.key_schema, fields[KEY]))
        convert = _or_null(self.of(schema.value_schema, fields[VALUE]))
        return lambda value: {key_convert(each[KEY]): convert(each[VALUE]) for each in value}


def _or_null(convert: Convert | None) -> Convert:
    if convert is None:
        return lambda value: value
    return lambda value: None if value is None else convert(value)


def _without_name(value: Any) -> Any:
    return value[1] if type(value) is tuple else value


def _marked_timestamp(field: Field) -> Convert:
    # One beside an int in a union: fastavro was told to mark it, and so makes no timestamp of it.
    schema = field.schema
    return lambda value: Timestamp.to_logical(schema, value) if isinstance(value, int) else value


def _of_logical(value: Any, indexes: set[int]) -> tuple[int, None]:
    if len(indexes) != 1:
        raise DataException(f"No type of the union is one of a {type(value).__qualname__}")
    return next(iter(indexes)), None


def _anything(value: Any) -> Any:
    """Data without a schema: the field that is set is the value."""
    for name in ANYTHING_FIELDS:
        if (found := value[name]) is not None:
            return found[1] if type(found) is tuple else found
    if (elements := value["array"]) is not None:
        return [_anything(each) for each in elements]
    if (entries := value["map"]) is not None:
        return {_anything(each[KEY]): _anything(each[VALUE]) for each in entries}
    return None
