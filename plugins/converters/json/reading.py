"""From JSON trees to values: the rules of `JsonConverter.convertToConnect`, one value at a time.

This is the reader that decides what is right and what is an error; `fast_reading` is for speed and falls back on it.
Like Java's it is lenient: numbers are narrowed to their type, and text where a number is wanted is 0.
"""

from __future__ import annotations

import base64
import decimal
import re
from collections.abc import Callable
from typing import Any, Final, TypeGuard

from connectd.errors import DataException
from connectd.javanumbers import to_double, to_float32, to_long, wrap
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.converters.json.grammar import MISSING, Missing

# Jackson allows blanks between groups of four, and more of them after padding.
_BASE64_GROUP = re.compile(r"[\0- ]*([A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==))")
_BASE64_BLANK = "".join(map(chr, range(0x21)))


class ValueReader:
    """Reads trees as `grammar.parse` returns them, by a schema, or without one by their own types.

    `replace_null_with_default`: where there is nothing, or null, the default value of the schema is taken.
    """

    def __init__(self, replace_null_with_default: bool = True) -> None:
        self.replace_null_with_default = replace_null_with_default

    def read(self, schema: Schema | None, node: Any) -> Any:
        """The value of `node`. Raises DataException when `schema` cannot take it."""
        if schema is None:
            return read_plain(node)
        if node is None:
            return self._read_null(schema)
        read_logical = _LOGICAL_READERS.get(schema.name or "")
        if read_logical is not None:
            return read_logical(schema, node)
        match schema.type:
            case Type.STRUCT:
                return self._read_struct(schema, node)
            case Type.MAP:
                return self._read_map(schema, node)
            case Type.ARRAY:
                return self._read_array(schema, node)
            case _:
                return _PRIMITIVE_READERS[schema.type](node)

    def _read_null(self, schema: Schema) -> Any:
        if schema.default_value is not None and self.replace_null_with_default:
            return schema.default_value
        if schema.is_optional:
            return None
        raise DataException(f"Invalid null value for required {schema.type} field")

    def _read_array(self, schema: Schema, node: Any) -> list[Any]:
        # As in Java, an object counts as the list of its values, and anything else as an empty list.
        nodes = node if isinstance(node, list) else node.values() if isinstance(node, dict) else ()
        return [self.read(schema.value_schema, each) for each in nodes]

    def _read_map(self, schema: Schema, node: Any) -> dict[Any, Any]:
        if schema.key_schema is None or schema.key_schema.type is Type.STRING:
            if not isinstance(node, dict):
                raise DataException(
                    f"Maps with string fields should be encoded as JSON objects, but found {node_type(node)}"
                )
            return {key: self.read(schema.value_schema, each) for key, each in node.items()}
        if not isinstance(node, list):
            raise DataException(
                f"Maps with non-string fields should be encoded as JSON array of tuples, but found {node_type(node)}"
            )
        entries = [self._read_entry(schema, entry) for entry in node]
        try:
            return dict(entries)
        except TypeError:
            raise DataException(f"A dict cannot have keys of {schema.key_schema}, expected a hashable type") from None

    def _read_entry(self, schema: Schema, node: Any) -> tuple[Any, Any]:
        if not isinstance(node, list):
            raise DataException(f"Found invalid map entry instead of array tuple: {node_type(node)}")
        if len(node) != 2:
            raise DataException(f"Found invalid map entry, expected length 2 but found: {len(node)}")
        return self.read(schema.key_schema, node[0]), self.read(schema.value_schema, node[1])

    def _read_struct(self, schema: Schema, node: Any) -> Struct:
        if not isinstance(node, dict):
            raise DataException(f"Structs should be encoded as JSON objects, but found {node_type(node)}")
        struct = Struct(schema)
        for field in schema.fields:
            try:
                value = self.read(field.schema, node.get(field.name))
            except DataException as error:
                raise DataException(f"{field.name}: {error}") from error.__cause__
            struct.put(field, value)
        return struct


def read_plain(node: Any) -> Any:
    """The value of a tree without a schema: integers are INT64, other numbers FLOAT64."""
    if isinstance(node, dict):
        return {key: read_plain(each) for key, each in node.items()}
    if isinstance(node, list):
        return [read_plain(each) for each in node]
    if isinstance(node, decimal.Decimal):
        return to_double(node)
    if is_int(node):
        return wrap(node, 64)
    return None if node is MISSING else node


def node_type(node: Any) -> str:
    """Jackson's name for the kind of a node."""
    return _NODE_TYPES[type(node)]


def is_int(node: Any) -> TypeGuard[int]:
    """Whether a node is an integer of any size."""
    return isinstance(node, int) and not isinstance(node, bool)


def decode_base64(text: str) -> bytes:
    """Bytes from base64 as Jackson reads it. Raises ValueError for anything else."""
    parts, end = [], 0
    while group := _BASE64_GROUP.match(text, end):
        parts.append(base64.b64decode(group[1]))
        end = group.end()
    if text[end:].strip(_BASE64_BLANK):
        raise ValueError(f"not base64 at character {end}")
    return b"".join(parts)


def _read_bytes(node: Any) -> bytes | None:
    if not isinstance(node, str):
        return None
    try:
        return decode_base64(node)
    except ValueError as error:
        raise DataException(f"Invalid bytes field: {error}") from None


def _read_integer(bits: int) -> Callable[[Any], int]:
    return lambda node: wrap(to_long(_number(node)), bits)


def _number(node: Any) -> int | decimal.Decimal:
    return node if is_int(node) or isinstance(node, decimal.Decimal) else 0


def _read_decimal(schema: Schema, node: Any) -> decimal.Decimal:
    if isinstance(node, decimal.Decimal):
        return node
    if is_int(node):
        return decimal.Decimal(node)
    if not isinstance(node, str):
        raise DataException(
            f"Invalid type for Decimal, underlying representation should be numeric or bytes but was {node_type(node)}"
        )
    try:
        return Decimal.to_logical(schema, decode_base64(node))
    except (DataException, ValueError) as error:
        raise DataException(f"Invalid bytes for Decimal field: {error}") from None


def _read_date(schema: Schema, node: Any) -> Any:
    _check_int32("Date", node)
    return Date.to_logical(schema, node)


def _read_time(schema: Schema, node: Any) -> Any:
    _check_int32("Time", node)
    return Time.to_logical(schema, node)


def _read_timestamp(schema: Schema, node: Any) -> Any:
    if not is_int(node):
        raise DataException(
            f"Invalid type for Timestamp, underlying representation should be integral but was {node_type(node)}"
        )
    return Timestamp.to_logical(schema, wrap(node, 64))


def _check_int32(kind: str, node: Any) -> None:
    if not is_int(node) or wrap(node, 32) != node:
        raise DataException(
            f"Invalid type for {kind}, underlying representation should be a 32 bit integer but was {node_type(node)}"
        )


_NODE_TYPES: Final = {
    type(None): "NULL",
    Missing: "MISSING",
    bool: "BOOLEAN",
    int: "NUMBER",
    decimal.Decimal: "NUMBER",
    str: "STRING",
    list: "ARRAY",
    dict: "OBJECT",
}

_PRIMITIVE_READERS: Final[dict[Type, Callable[[Any], Any]]] = {
    Type.BOOLEAN: lambda node: node is True,
    Type.INT8: _read_integer(8),
    Type.INT16: _read_integer(16),
    Type.INT32: _read_integer(32),
    Type.INT64: _read_integer(64),
    Type.FLOAT32: lambda node: to_float32(_number(node)),
    Type.FLOAT64: lambda node: to_double(_number(node)),
    Type.STRING: lambda node: node if isinstance(node, str) else None,
    Type.BYTES: _read_bytes,
}

_LOGICAL_READERS: Final[dict[str, Callable[[Schema, Any], Any]]] = {
    Decimal.LOGICAL_NAME: _read_decimal,
    Date.LOGICAL_NAME: _read_date,
    Time.LOGICAL_NAME: _read_time,
    Timestamp.LOGICAL_NAME: _read_timestamp,
}
