"""Struct: a value with named, typed fields, as `org.apache.kafka.connect.data.Struct`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from connectd.errors import DataException
from connectd.schema import Field, Schema, SchemaBuilder, Type, as_schema, validate_value


class Struct:
    """A record with the fields of a struct schema; fields not set yet are None.

    Fill it with keywords, `Struct(schema, id=1)`, with `put`, which can be chained, or by item, `struct["id"] = 1`.
    Every way raises DataException when the field does not exist or the value does not fit it. Whether all required
    fields are set is checked by `validate`, which converters call through `validate_value`.

    The typed getters (`get_int32`, ...) raise DataException when the field has another type, and know no defaults,
    as in Java; `get` and `struct["field"]` give a field's default value where it is not set.

    `field_values` is the list of the values itself, in the order of the fields, None where not set: for converters and
    others to whom a call a field is too much. Change it by `put` only, which checks.
    """

    __slots__ = ("field_values", "schema")

    schema: Schema

    def __init__(self, schema: Schema | SchemaBuilder, /, **values: Any) -> None:
        schema = as_schema(schema)
        if schema.type is not Type.STRUCT:
            raise DataException(f"Not a struct schema: {schema}")
        self.schema = schema
        self.field_values: list[Any] = [None] * len(schema.fields)
        for name, value in values.items():
            self.put(name, value)

    @staticmethod
    def of_checked(schema: Schema, field_values: list[Any]) -> Struct:
        """A struct around a list of values, one a field in order, that are known to fit: nothing is checked."""
        struct = Struct.__new__(Struct)
        struct.schema = schema
        struct.field_values = field_values
        return struct

    def put(self, field: str | Field, value: Any) -> Struct:
        """Set a field, given by name or as one of the schema's fields; returns the struct.

        Raises DataException when the field does not exist or the value does not fit it.
        """
        field = self._field(field)
        validate_value(field.schema, value, field.name)
        self.field_values[field.index] = value
        return self

    def get(self, field: str | Field) -> Any:
        """The field's value, or its default value when it is not set, or None.

        Raises DataException when the field does not exist.
        """
        field = self._field(field)
        value = self.field_values[field.index]
        return field.schema.default_value if value is None else value

    def get_without_default(self, field: str | Field) -> Any:
        """The field's value, None when it is not set, whatever default it has."""
        return self.field_values[self._field(field).index]

    # Without it, Python would take a class with items for a sequence and ask for field 0.
    __iter__ = None

    def __getitem__(self, field: str) -> Any:
        return self.get(field)

    def __setitem__(self, field: str, value: Any) -> None:
        self.put(field, value)

    def get_int8(self, field: str) -> int | None:
        """The value of an INT8 field."""
        return self._get_typed(field, Type.INT8)  # type: ignore[no-any-return]

    def get_int16(self, field: str) -> int | None:
        """The value of an INT16 field."""
        return self._get_typed(field, Type.INT16)  # type: ignore[no-any-return]

    def get_int32(self, field: str) -> int | None:
        """The value of an INT32 field."""
        return self._get_typed(field, Type.INT32)  # type: ignore[no-any-return]

    def get_int64(self, field: str) -> int | None:
        """The value of an INT64 field."""
        return self._get_typed(field, Type.INT64)  # type: ignore[no-any-return]

    def get_float32(self, field: str) -> float | None:
        """The value of a FLOAT32 field."""
        return self._get_typed(field, Type.FLOAT32)  # type: ignore[no-any-return]

    def get_float64(self, field: str) -> float | None:
        """The value of a FLOAT64 field."""
        return self._get_typed(field, Type.FLOAT64)  # type: ignore[no-any-return]

    def get_boolean(self, field: str) -> bool | None:
        """The value of a BOOLEAN field."""
        return self._get_typed(field, Type.BOOLEAN)  # type: ignore[no-any-return]

    def get_string(self, field: str) -> str | None:
        """The value of a STRING field."""
        return self._get_typed(field, Type.STRING)  # type: ignore[no-any-return]

    def get_bytes(self, field: str) -> bytes | None:
        """The value of a BYTES field, as bytes whatever kind of buffer was put."""
        value = self._get_typed(field, Type.BYTES)
        return bytes(value) if isinstance(value, (bytearray, memoryview)) else value

    def get_array(self, field: str) -> list[Any] | None:
        """The value of an ARRAY field."""
        return self._get_typed(field, Type.ARRAY)  # type: ignore[no-any-return]

    def get_map(self, field: str) -> dict[Any, Any] | None:
        """The value of a MAP field."""
        return self._get_typed(field, Type.MAP)  # type: ignore[no-any-return]

    def get_struct(self, field: str) -> Struct | None:
        """The value of a STRUCT field."""
        return self._get_typed(field, Type.STRUCT)  # type: ignore[no-any-return]

    def validate(self) -> None:
        """Check all fields.

        Raises DataException when a required field without default is not set, or a value does not fit (a list in
        the struct may have changed since it was put).
        """
        for field, value in zip(self.schema.fields, self.field_values, strict=True):
            if value is None and field.schema.default_value is not None:
                continue
            validate_value(field.schema, value, field.name)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Struct):
            return NotImplemented
        return self.schema == other.schema and self.field_values == other.field_values

    def __hash__(self) -> int:
        return hash((self.schema, _hashable(self.field_values)))

    def __repr__(self) -> str:
        pairs = zip(self.schema.fields, self.field_values, strict=True)
        return f"Struct{{{','.join(f'{field.name}={value}' for field, value in pairs if value is not None)}}}"

    def _field(self, field: str | Field) -> Field:
        if isinstance(field, Field):
            return field
        found = self.schema.field(field)
        if found is None:
            raise DataException(f"{field} is not a valid field name")
        return found

    def _get_typed(self, name: str, type: Type) -> Any:
        field = self._field(name)
        if field.schema.type is not type:
            raise DataException(f"Field '{name}' is not of type {type}")
        return self.field_values[field.index]


def _hashable(value: Any) -> Hashable:
    if isinstance(value, list):
        return tuple(_hashable(element) for element in value)
    if isinstance(value, dict):
        return frozenset((_hashable(key), _hashable(element)) for key, element in value.items())
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    return value  # type: ignore[no-any-return]
