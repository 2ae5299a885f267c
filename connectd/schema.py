"""Schemas: what a value is made of, how one is built, and the check that a value fits.

Follows `org.apache.kafka.connect.data.Schema`, `ConnectSchema`, `SchemaBuilder`, `Field` and `SchemaAndValue`.

Which Python value belongs to which type:

| type | Python value |
|---|---|
| INT8, INT16, INT32, INT64 | `int` within the range of the type (`bool` is no int here) |
| FLOAT32, FLOAT64 | `float` |
| BOOLEAN, STRING | `bool`, `str` |
| BYTES | `bytes`, `bytearray`, `memoryview` |
| ARRAY, MAP, STRUCT | `list`, `dict`, `connectd.struct.Struct` |
| logical Decimal, Date | `decimal.Decimal`, `datetime.date` |
| logical Time, Timestamp | `datetime.time`, aware `datetime.datetime` |
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Final, NoReturn

import msgspec

from connectd.errors import DataException, SchemaBuilderException

DECIMAL_LOGICAL_NAME: Final = "org.apache.kafka.connect.data.Decimal"
DATE_LOGICAL_NAME: Final = "org.apache.kafka.connect.data.Date"
TIME_LOGICAL_NAME: Final = "org.apache.kafka.connect.data.Time"
TIMESTAMP_LOGICAL_NAME: Final = "org.apache.kafka.connect.data.Timestamp"

# The first magnitude that no longer rounds to a finite 32 bit float.
_FLOAT32_LIMIT = (2 - 2**-24) * 2.0**127


class Type(Enum):
    """The types of schemas. `value` is the lower-case name that converters write, `str()` the upper-case one."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BOOLEAN = "boolean"
    STRING = "string"
    BYTES = "bytes"
    ARRAY = "array"
    MAP = "map"
    STRUCT = "struct"

    # Members are singletons; Enum's own hash is a Python function and shows in every dict lookup of the converters.
    __hash__ = object.__hash__

    def __str__(self) -> str:
        return self.name

    @property
    def is_primitive(self) -> bool:
        """True for all types but ARRAY, MAP and STRUCT."""
        return self not in (Type.ARRAY, Type.MAP, Type.STRUCT)


class Field:
    """A named field of a struct schema; `index` is its position, from 0. Immutable."""

    __slots__ = ("index", "name", "schema")

    name: str
    index: int
    schema: Schema

    def __init__(self, name: str, index: int, schema: Schema | SchemaBuilder) -> None:
        set_slot = object.__setattr__
        set_slot(self, "name", name)
        set_slot(self, "index", index)
        set_slot(self, "schema", as_schema(schema))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Field is immutable, cannot set {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Field is immutable, cannot delete {name}")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Field):
            return NotImplemented
        return self.index == other.index and self.name == other.name and self.schema == other.schema

    def __hash__(self) -> int:
        return hash((self.name, self.index, self.schema))

    def __reduce__(self) -> tuple[type[Field], tuple[object, ...]]:
        return Field, (self.name, self.index, self.schema)

    def __repr__(self) -> str:
        return f"Field{{name={self.name}, index={self.index}, schema={self.schema}}}"


class Schema:
    """An immutable schema; usually made by `SchemaBuilder` or taken from the constants, such as `Schema.INT32_SCHEMA`.

    Two schemas are equal when everything about them is equal, documentation and default value included
    (`ConnectSchema.equals`). Comparing a schema with itself is free and the hash is computed once.
    """

    __slots__ = (
        "_accepts",
        "_fields",
        "_fields_by_name",
        "_hash",
        "_is_leaf",
        "_key_schema",
        "_value_schema",
        "default_value",
        "doc",
        "is_optional",
        "name",
        "parameters",
        "type",
        "version",
    )

    type: Type
    is_optional: bool
    default_value: Any
    name: str | None
    version: int | None
    doc: str | None
    parameters: Mapping[str, str] | None

    _accepts: Callable[[Any], bool]
    _fields: tuple[Field, ...]
    _fields_by_name: dict[str, Field]
    _hash: int | None
    _is_leaf: bool
    _key_schema: Schema | None
    _value_schema: Schema | None

    INT8_SCHEMA: ClassVar[Schema]
    INT16_SCHEMA: ClassVar[Schema]
    INT32_SCHEMA: ClassVar[Schema]
    INT64_SCHEMA: ClassVar[Schema]
    FLOAT32_SCHEMA: ClassVar[Schema]
    FLOAT64_SCHEMA: ClassVar[Schema]
    BOOLEAN_SCHEMA: ClassVar[Schema]
    STRING_SCHEMA: ClassVar[Schema]
    BYTES_SCHEMA: ClassVar[Schema]
    OPTIONAL_INT8_SCHEMA: ClassVar[Schema]
    OPTIONAL_INT16_SCHEMA: ClassVar[Schema]
    OPTIONAL_INT32_SCHEMA: ClassVar[Schema]
    OPTIONAL_INT64_SCHEMA: ClassVar[Schema]
    OPTIONAL_FLOAT32_SCHEMA: ClassVar[Schema]
    OPTIONAL_FLOAT64_SCHEMA: ClassVar[Schema]
    OPTIONAL_BOOLEAN_SCHEMA: ClassVar[Schema]
    OPTIONAL_STRING_SCHEMA: ClassVar[Schema]
    OPTIONAL_BYTES_SCHEMA: ClassVar[Schema]

    def __init__(
        self,
        type: Type,
        is_optional: bool = False,
        default_value: Any = None,
        name: str | None = None,
        version: int | None = None,
        doc: str | None = None,
        parameters: Mapping[str, str] | None = None,
        fields: Iterable[Field] = (),
        key_schema: Schema | None = None,
        value_schema: Schema | None = None,
    ) -> None:
        """Take the parts as they are; `SchemaBuilder` is the way that checks them."""
        set_slot = object.__setattr__
        set_slot(self, "type", type)
        set_slot(self, "is_optional", is_optional)
        set_slot(self, "default_value", _default_of(self, type, default_value))
        set_slot(self, "name", name)
        set_slot(self, "version", version)
        set_slot(self, "doc", doc)
        set_slot(self, "parameters", None if parameters is None else MappingProxyType(dict(parameters)))
        set_slot(self, "_fields", tuple(fields))
        set_slot(self, "_fields_by_name", {field.name: field for field in self._fields})
        set_slot(self, "_key_schema", key_schema)
        set_slot(self, "_value_schema", value_schema)
        set_slot(self, "_hash", None)
        set_slot(self, "_is_leaf", type.is_primitive or name in _LOGICAL_CHECKS)
        set_slot(self, "_accepts", _LOGICAL_CHECKS.get(name or "", _CHECKS[type]))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of a struct in order.

        Raises DataException when this is no struct schema.
        """
        if self.type is not Type.STRUCT:
            raise DataException("Cannot list fields on non-struct type")
        return self._fields

    def field(self, name: str) -> Field | None:
        """The field of that name, or None.

        Raises DataException when this is no struct schema.
        """
        if self.type is not Type.STRUCT:
            raise DataException("Cannot look up fields on non-struct type")
        return self._fields_by_name.get(name)

    @property
    def key_schema(self) -> Schema | None:
        """The schema of a map's keys; None only where nothing is known of them (`Values.parse_string("{}")`).

        Raises DataException when this is no map schema.
        """
        if self.type is not Type.MAP:
            raise DataException("Cannot look up key schema on non-map type")
        return self._key_schema

    @property
    def value_schema(self) -> Schema | None:
        """The schema of a map's values or an array's elements; None only where nothing is known of them.

        Raises DataException when this is neither map nor array.
        """
        if self.type is not Type.MAP and self.type is not Type.ARRAY:
            raise DataException("Cannot look up value schema on non-array and non-map type")
        return self._value_schema

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Schema is immutable, cannot set {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Schema is immutable, cannot delete {name}")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Schema):
            return NotImplemented
        return hash(self) == hash(other) and self._parts() == other._parts()

    def __hash__(self) -> int:
        known = self._hash
        if known is not None:
            return known
        # Without the default value, which may be a list, a dict or a struct.
        computed = hash(
            (
                self.type,
                self.is_optional,
                self.name,
                self.version,
                self.doc,
                None if self.parameters is None else frozenset(self.parameters.items()),
                self._fields,
                self._key_schema,
                self._value_schema,
            )
        )
        object.__setattr__(self, "_hash", computed)
        return computed

    def __reduce__(self) -> tuple[Callable[..., Schema], tuple[object, ...]]:
        return Schema, self._parts()

    def __repr__(self) -> str:
        return f"Schema{{{self.name}:{self.type}}}" if self.name is not None else f"Schema{{{self.type}}}"

    def _parts(self) -> tuple[object, ...]:
        return (
            self.type,
            self.is_optional,
            # A struct has this very schema: comparing and pickling it would never end.
            self.default_value.field_values if self.type is Type.STRUCT and self.default_value else self.default_value,
            self.name,
            self.version,
            self.doc,
            None if self.parameters is None else dict(self.parameters),
            self._fields,
            self._key_schema,
            self._value_schema,
        )


class SchemaBuilder:
    """Builds a schema step by step: `SchemaBuilder.struct().name("user").field("id", Schema.INT64_SCHEMA).build()`.

    Every step returns the builder. A builder may stand wherever a schema is taken, and is then built on the spot.
    Steps raise SchemaBuilderException when something is set twice to different values or does not fit the type.
    """

    __slots__ = (
        "_default_value",
        "_doc",
        "_fields",
        "_key_schema",
        "_name",
        "_optional",
        "_parameters",
        "_type",
        "_value_schema",
        "_version",
    )

    def __init__(self, type: Type) -> None:
        if not isinstance(type, Type):
            raise SchemaBuilderException(f"type must be one of Type, not {type!r}")
        self._type = type
        self._optional: object = None
        self._default_value: Any = None
        self._name: str | None = None
        self._version: int | None = None
        self._doc: str | None = None
        self._parameters: dict[str, str] | None = None
        self._fields: dict[str, Field] = {}
        self._key_schema: Schema | None = None
        self._value_schema: Schema | None = None

    @classmethod
    def int8(cls) -> SchemaBuilder:
        """A builder of type INT8."""
        return cls(Type.INT8)

    @classmethod
    def int16(cls) -> SchemaBuilder:
        """A builder of type INT16."""
        return cls(Type.INT16)

    @classmethod
    def int32(cls) -> SchemaBuilder:
        """A builder of type INT32."""
        return cls(Type.INT32)

    @classmethod
    def int64(cls) -> SchemaBuilder:
        """A builder of type INT64."""
        return cls(Type.INT64)

    @classmethod
    def float32(cls) -> SchemaBuilder:
        """A builder of type FLOAT32."""
        return cls(Type.FLOAT32)

    @classmethod
    def float64(cls) -> SchemaBuilder:
        """A builder of type FLOAT64."""
        return cls(Type.FLOAT64)

    @classmethod
    def bool(cls) -> SchemaBuilder:
        """A builder of type BOOLEAN."""
        return cls(Type.BOOLEAN)

    @classmethod
    def string(cls) -> SchemaBuilder:
        """A builder of type STRING."""
        return cls(Type.STRING)

    @classmethod
    def bytes(cls) -> SchemaBuilder:
        """A builder of type BYTES."""
        return cls(Type.BYTES)

    @classmethod
    def struct(cls) -> SchemaBuilder:
        """A builder of type STRUCT; add its fields with `field`."""
        return cls(Type.STRUCT)

    @classmethod
    def array(cls, value_schema: Schema | SchemaBuilder) -> SchemaBuilder:
        """A builder of an array whose elements have `value_schema`."""
        builder = cls(Type.ARRAY)
        builder._value_schema = _given("valueSchema", value_schema)
        return builder

    @classmethod
    def map(cls, key_schema: Schema | SchemaBuilder, value_schema: Schema | SchemaBuilder) -> SchemaBuilder:
        """A builder of a map from `key_schema` to `value_schema`."""
        builder = cls(Type.MAP)
        builder._key_schema = _given("keySchema", key_schema)
        builder._value_schema = _given("valueSchema", value_schema)
        return builder

    def optional(self) -> SchemaBuilder:
        """Allow None as a value."""
        _check_can_set("optional", self._optional, True)
        self._optional = True
        return self

    def required(self) -> SchemaBuilder:
        """Forbid None as a value, which is so unless `optional` is called."""
        _check_can_set("optional", self._optional, False)
        self._optional = False
        return self

    def default_value(self, value: Any) -> SchemaBuilder:
        """Set the value to take where none is given.

        It is checked now, so it comes after `optional`, `name` and the fields.
        """
        _check_can_set("default", self._default_value, value)
        try:
            validate_value(self.build(), value)
        except DataException as error:
            raise SchemaBuilderException(f"Invalid default value: {error}") from error
        self._default_value = value
        return self

    def name(self, name: str) -> SchemaBuilder:
        """Name the schema, usually with a namespace: `com.example.User`."""
        _check_can_set("name", self._name, name)
        self._name = name
        return self

    def version(self, version: int) -> SchemaBuilder:
        """Set the version of the schema."""
        _check_can_set("version", self._version, version)
        self._version = version
        return self

    def doc(self, doc: str) -> SchemaBuilder:
        """Describe the schema for people."""
        _check_can_set("doc", self._doc, doc)
        self._doc = doc
        return self

    def parameter(self, name: str, value: str) -> SchemaBuilder:
        """Set one parameter, replacing an earlier one of that name."""
        self._parameters = {**(self._parameters or {}), name: value}
        return self

    def parameters(self, parameters: Mapping[str, str]) -> SchemaBuilder:
        """Set several parameters. An empty mapping changes nothing."""
        if parameters:
            self._parameters = {**(self._parameters or {}), **parameters}
        return self

    def field(self, name: str, schema: Schema | SchemaBuilder) -> SchemaBuilder:
        """Add a field to a struct."""
        if self._type is not Type.STRUCT:
            raise SchemaBuilderException(f"Cannot create fields on type {self._type}")
        if not name:
            raise SchemaBuilderException("fieldName cannot be null.")
        if name in self._fields:
            raise SchemaBuilderException(f"Cannot create field because of field name duplication {name}")
        if self._default_value is not None:
            raise SchemaBuilderException(f"Cannot create field {name} after the default value of the struct")
        self._fields[name] = Field(name, len(self._fields), _given(f"fieldSchema for field {name}", schema))
        return self

    def build(self) -> Schema:
        """The schema as it stands; the builder can be used further and does not change it."""
        return Schema(
            self._type,
            self._optional is True,
            self._default_value,
            self._name,
            self._version,
            self._doc,
            self._parameters,
            self._fields.values(),
            self._key_schema,
            self._value_schema,
        )


class SchemaAndValue(msgspec.Struct, frozen=True):
    """A value with its schema; the schema is None for data without one."""

    schema: Schema | None
    value: Any

    NULL: ClassVar[SchemaAndValue]


def as_schema(schema: Schema | SchemaBuilder) -> Schema:
    """The schema itself, or what a builder builds.

    Raises DataException for anything else.
    """
    if isinstance(schema, Schema):
        return schema
    if isinstance(schema, SchemaBuilder):
        return schema.build()
    raise DataException(f"Expected a Schema or SchemaBuilder, not {schema!r}")


def validate_value(schema: Schema, value: Any, name: str | None = None) -> None:
    """Check that `value` fits `schema`; `name` is the field it is meant for and appears in the error.

    Raises DataException with the place (field, element, key or value of a map), the type and what was expected.
    Follows `ConnectSchema.validateValue`, and also checks the ranges that Java's types enforce by themselves.
    """
    if value is None and schema.is_optional:
        return
    # Most values end here; the name of the place is only put together for those that may need it.
    if schema._is_leaf and value is not None and schema._accepts(value):
        return
    _validate(schema, value, "value" if name is None else f'field: "{name}"')


def value_fits(schema: Schema, value: Any) -> bool:
    """Whether the value is of the schema's type: for a logical type also the plain value it is stored as.

    Looks neither into lists, dicts and structs nor at None.
    """
    return schema._accepts(value) or _CHECKS[schema.type](value)


def schema_type_of(value: Any) -> Type | None:
    """The type of a value without a schema, or None when there is none (`ConnectSchema.schemaType`).

    Python's numbers are wider than Java's smaller types: an int is INT64, a float FLOAT64. Values of logical types
    have no type here, since several logical types could be meant.
    """
    for type, check in _CHECKS_BY_LIKELIHOOD:
        if check(value):
            return type
    return None


def _validate(schema: Schema, value: Any, location: str) -> None:
    if value is None:
        if schema.is_optional:
            return
        raise DataException(f"Invalid value: null used for required {location}, schema type: {schema.type}")
    if not schema._accepts(value):
        raise DataException(_mismatch(schema, value, location))
    if schema._is_leaf:
        return
    if schema.type is Type.STRUCT:
        if value.schema != schema:
            raise DataException(f"Struct schemas do not match for {location}.")
        value.validate()
    elif schema.type is Type.ARRAY:
        location = f"element of array {location}"
        element_schema = _known(schema.value_schema, location)
        for element in value:
            _validate(element_schema, element, location)
    elif schema.type is Type.MAP:
        _validate_map(schema, value, location)


def _validate_map(schema: Schema, value: dict[Any, Any], location: str) -> None:
    key_location = f"key of map {location}"
    value_location = f"value of map {location}"
    key_schema = _known(schema.key_schema, key_location)
    value_schema = _known(schema.value_schema, value_location)
    for key, element in value.items():
        _validate(key_schema, key, key_location)
        _validate(value_schema, element, value_location)


def _known(schema: Schema | None, location: str) -> Schema:
    if schema is None:
        raise DataException(f"No schema defined for {location}")
    return schema


def _mismatch(schema: Schema, value: Any, location: str) -> str:
    name = f' "{schema.name}"' if schema.name is not None else ""
    # Of the value only a number is shown: what is wrong with it is then its size. Other data stays out of the logs.
    got = type(value).__qualname__
    if type(value) in (int, float) and schema.name not in _LOGICAL_CHECKS:
        got += f" {value}"
    expected = _LOGICAL_EXPECTED.get(schema.name or "", _EXPECTED[schema.type])
    return f"Invalid value for schema{name} with type {schema.type}: {got} for {location}, expected {expected}"


def _check_can_set(what: str, current: object, value: object) -> None:
    if current is not None and current != value:
        raise SchemaBuilderException(f"Invalid SchemaBuilder call: {what} has already been set.")


def _default_of(schema: Schema, type: Type, value: Any) -> Any:
    """The default value, where it is a struct (or, from a pickle, its values) one of this schema.

    It was made with the schema as it was before it had a default.
    """
    if type is not Type.STRUCT or value is None:
        return value
    from connectd.struct import Struct  # that module needs this one

    return Struct.of_checked(schema, value.field_values if isinstance(value, Struct) else value)


def _given(what: str, schema: Schema | SchemaBuilder | None) -> Schema:
    if schema is None:
        raise SchemaBuilderException(f"{what} cannot be null.")
    return as_schema(schema)


def _int_check(bits: int) -> Callable[[Any], bool]:
    lowest, highest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def check(value: Any) -> bool:
        if type(value) is int:
            return lowest <= value <= highest
        return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest

    return check


def _is_float(value: Any) -> bool:
    return isinstance(value, float)


def _is_float32(value: Any) -> bool:
    # Infinity and NaN have a 32 bit form, a finite number beyond its range has none.
    return isinstance(value, float) and (-_FLOAT32_LIMIT < value < _FLOAT32_LIMIT or value - value != 0)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_str(value: Any) -> bool:
    return isinstance(value, str)


def _is_bytes(value: Any) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _is_struct(value: Any) -> bool:
    from connectd.struct import Struct  # that module needs this one

    return isinstance(value, Struct)


def _is_decimal(value: Any) -> bool:
    return isinstance(value, decimal.Decimal)


def _is_date(value: Any) -> bool:
    return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)


def _is_time(value: Any) -> bool:
    return isinstance(value, datetime.time) and value.tzinfo is None


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, datetime.datetime) and value.utcoffset() is not None


_CHECKS: dict[Type, Callable[[Any], bool]] = {
    Type.INT8: _int_check(8),
    Type.INT16: _int_check(16),
    Type.INT32: _int_check(32),
    Type.INT64: _int_check(64),
    Type.FLOAT32: _is_float32,
    Type.FLOAT64: _is_float,
    Type.BOOLEAN: _is_bool,
    Type.STRING: _is_str,
    Type.BYTES: _is_bytes,
    Type.ARRAY: _is_list,
    Type.MAP: _is_dict,
    Type.STRUCT: _is_struct,
}

_LOGICAL_CHECKS: dict[str, Callable[[Any], bool]] = {
    DECIMAL_LOGICAL_NAME: _is_decimal,
    DATE_LOGICAL_NAME: _is_date,
    TIME_LOGICAL_NAME: _is_time,
    TIMESTAMP_LOGICAL_NAME: _is_timestamp,
}

_CHECKS_BY_LIKELIHOOD = [
    (type, _CHECKS[type])
    for type in (
        Type.STRING,
        Type.INT64,
        Type.MAP,
        Type.STRUCT,
        Type.FLOAT64,
        Type.BOOLEAN,
        Type.BYTES,
        Type.ARRAY,
    )
]

_EXPECTED: dict[Type, str] = {
    Type.INT8: "int from -128 to 127",
    Type.INT16: "int from -32768 to 32767",
    Type.INT32: "int from -2147483648 to 2147483647",
    Type.INT64: "int from -9223372036854775808 to 9223372036854775807",
    Type.FLOAT32: "float within the range of 32 bits",
    Type.FLOAT64: "float",
    Type.BOOLEAN: "bool",
    Type.STRING: "str",
    Type.BYTES: "bytes, bytearray or memoryview",
    Type.ARRAY: "list",
    Type.MAP: "dict",
    Type.STRUCT: "Struct",
}

_LOGICAL_EXPECTED: dict[str, str] = {
    DECIMAL_LOGICAL_NAME: "decimal.Decimal",
    DATE_LOGICAL_NAME: "datetime.date without a time",
    TIME_LOGICAL_NAME: "datetime.time without a time zone",
    TIMESTAMP_LOGICAL_NAME: "datetime.datetime with a time zone",
}

SchemaAndValue.NULL = SchemaAndValue(None, None)

for _type in Type:
    if _type.is_primitive:
        setattr(Schema, f"{_type}_SCHEMA", Schema(_type))
        setattr(Schema, f"OPTIONAL_{_type}_SCHEMA", Schema(_type, is_optional=True))
