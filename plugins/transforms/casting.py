"""Values as other types: the rules of `Cast`, which are those of Java's numbers and of their `parse` methods."""

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectd.errors import DataException
from connectd.javanumbers import to_double, to_float32, to_long, wrap
from connectd.logical import Date, Time, Timestamp
from connectd.schema import Schema, Type, schema_type_of
from connectd.values import Values
from plugins.transforms.requirements import type_name

# What Java's String.trim() removes.
_BLANKS: Final = "".join(map(chr, range(0x21)))
_INTEGER: Final = re.compile(r"[+-]?\d+")
_DECIMAL: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?", re.ASCII)
_HEXADECIMAL: Final = re.compile(
    r"([+-]?0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?\d+)[fFdD]?", re.ASCII
)
_NAMED: Final = re.compile(r"[+-]?(?:NaN|Infinity)")


def caster(schema: Schema | None, target: Type) -> Callable[[Any], Any]:
    """A function that turns values of the schema, or plain ones, into values of `target`; null stays null.

    It raises DataException for what cannot be cast.
    """
    if schema is None:
        return lambda value: None if value is None else _cast(_plain_type(value), None, value, target)
    if target is Type.STRING and schema.name is None and schema.type in _INTEGERS:
        return lambda value: None if value is None else str(value)
    return lambda value: None if value is None else _cast(schema.type, schema, value, target)


def _plain_type(value: Any) -> Type:
    type = schema_type_of(value)
    if type is None:
        raise DataException(
            f"Cast transformation was passed a value of type {type_name(value)} which is not supported by Connect's data API"
        )
    return type


def _cast(type: Type, schema: Schema | None, value: Any, target: Type) -> Any:
    if type not in INPUT_TYPES:
        supported = ", ".join(map(str, INPUT_TYPES))
        raise DataException(
            f"Cast transformation does not support casting from {type}; supported types are [{supported}]"
        )
    if target is Type.STRING:
        return Values.convert_to_string(schema, value)
    from_logical = _FROM_LOGICAL.get(schema.name) if schema is not None and schema.name is not None else None
    try:
        return CASTS[target](from_logical(schema, value) if from_logical else value)
    except ValueError as error:
        raise DataException(f"Value ({value}) was out of range for requested data type") from error


def _integer(bits: int) -> Callable[[Any], int]:
    limit = 1 << (bits - 1)

    def convert(value: Any) -> int:
        if isinstance(value, str):
            if not _INTEGER.fullmatch(value) or not -limit <= (number := int(value)) < limit:
                raise ValueError(value)
            return number
        if isinstance(value, float):
            # Java narrows to 32 bits first, where it stops at the limits, and cuts off what is left over.
            value = to_long(value) if bits == 64 else _saturated(value)
        elif not isinstance(value, (int, decimal.Decimal)):
            raise _unexpected(value)
        return wrap(to_long(value), bits)

    return convert


def _saturated(value: float) -> int:
    return 0 if math.isnan(value) else int(max(-(2.0**31), min(2.0**31 - 1, value)))


def _float(round_number: Callable[[Any], float]) -> Callable[[Any], float]:
    def convert(value: Any) -> float:
        if isinstance(value, str):
            return _parsed_float(value.strip(_BLANKS), round_number)
        if isinstance(value, (int, float, decimal.Decimal)):
            return round_number(value)
        raise _unexpected(value)

    return convert


def _parsed_float(text: str, round_number: Callable[[Any], float]) -> float:
    if match := _DECIMAL.fullmatch(text):
        number = float(match[1])
        # Rounded once, from the exact number.
        return round_number(decimal.Decimal(match[1])) if number and math.isfinite(number) else number
    if match := _HEXADECIMAL.fullmatch(text):
        try:
            return round_number(float.fromhex(match[1]))
        except OverflowError:
            return -math.inf if text.startswith("-") else math.inf
    if _NAMED.fullmatch(text):
        return float(text)
    raise ValueError(text)


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() == "true"
    if isinstance(value, (int, float, decimal.Decimal)):
        return to_long(value) != 0
    raise _unexpected(value)


def _unexpected(value: Any) -> DataException:
    return DataException(f"Unexpected type in Cast transformation: {type_name(value)}")


CASTS: Final[Mapping[Type, Callable[[Any], Any]]] = {
    Type.INT8: _integer(8),
    Type.INT16: _integer(16),
    Type.INT32: _integer(32),
    Type.INT64: _integer(64),
    Type.FLOAT32: _float(to_float32),
    Type.FLOAT64: _float(to_double),
    Type.BOOLEAN: _boolean,
}
OUTPUT_TYPES: Final = (*CASTS, Type.STRING)
INPUT_TYPES: Final = (*OUTPUT_TYPES, Type.BYTES)

_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)
_FROM_LOGICAL: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    Date.LOGICAL_NAME: Date.from_logical,
    Time.LOGICAL_NAME: Time.from_logical,
    Timestamp.LOGICAL_NAME: Timestamp.from_logical,
}
