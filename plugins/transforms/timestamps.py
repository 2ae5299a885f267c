"""The forms of timestamps that `TimestampConverter` knows, all by way of milliseconds since 1970."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final

from connectd.errors import ConnectException, DataException
from connectd.logical import Date, Time, Timestamp
from connectd.schema import Schema, Type
from plugins.java_date_format import SimpleDateFormat
from plugins.transforms.requirements import type_name

STRING: Final = "string"
UNIX: Final = "unix"
DATE: Final = "Date"
TIME: Final = "Time"
TIMESTAMP: Final = "Timestamp"
TARGETS: Final = (STRING, UNIX, DATE, TIME, TIMESTAMP)

UNITS_PER_MS: Final[Mapping[str, Fraction]] = {
    "nanoseconds": Fraction(1_000_000),
    "microseconds": Fraction(1000),
    "milliseconds": Fraction(1),
    "seconds": Fraction(1, 1000),
}

_MS_PER_DAY: Final = 86_400_000
_LONG_LIMIT: Final = 2**63

_SCHEMAS: Final[Mapping[str, tuple[Schema, Schema]]] = {
    STRING: (Schema.STRING_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA),
    UNIX: (Schema.INT64_SCHEMA, Schema.OPTIONAL_INT64_SCHEMA),
    DATE: (Date.SCHEMA, Date.builder().optional().build()),
    TIME: (Time.SCHEMA, Time.builder().optional().build()),
    TIMESTAMP: (Timestamp.SCHEMA, Timestamp.builder().optional().build()),
}
_LOGICAL: Final = {Date.LOGICAL_NAME: DATE, Time.LOGICAL_NAME: TIME, Timestamp.LOGICAL_NAME: TIMESTAMP}
_PLAIN: Final = {Type.STRING: STRING, Type.INT64: UNIX}


def target_schema(form: str, is_optional: bool) -> Schema:
    """The schema of timestamps of a form."""
    return _SCHEMAS[form][is_optional]


def form_of_schema(schema: Schema) -> str:
    """The form of values of the schema. Raises ConnectException for one that is of no timestamp."""
    form = _LOGICAL.get(schema.name or "") or _PLAIN.get(schema.type)
    if form is None:
        raise ConnectException(f"Schema {schema} does not correspond to a known timestamp type format")
    return form


def form_of_value(value: Any) -> str:
    """The form of a value without a schema. Raises DataException for one that is no timestamp."""
    match value:
        case datetime.date() | datetime.time():
            return TIMESTAMP
        case bool():
            pass
        case int():
            return UNIX
        case str():
            return STRING
    raise DataException(f"TimestampConverter does not support {type_name(value)} objects as timestamps")


class Forms:
    """Conversions with one format for texts, None if there is none, and one unit of numbers since 1970."""

    def __init__(self, text_format: SimpleDateFormat | None, precision: str) -> None:
        self._format = text_format
        self._units_per_ms = UNITS_PER_MS[precision]
        self._readers: Mapping[str, Callable[[Any], int]] = {STRING: self._from_text, UNIX: self._from_number}
        self._writers: Mapping[str, Callable[[int], Any]] = {
            STRING: self._to_text,
            UNIX: lambda ms: _scaled(ms, self._units_per_ms),
            DATE: lambda ms: Date.to_logical(Date.SCHEMA, ms // _MS_PER_DAY),
            TIME: lambda ms: Time.to_logical(Time.SCHEMA, ms % _MS_PER_DAY),
            TIMESTAMP: lambda ms: Timestamp.to_logical(Timestamp.SCHEMA, ms),
        }

    def convert(self, form: str, target: str, value: Any) -> Any:
        """The value, which is of `form`, as one of `target`. Raises DataException when it cannot be."""
        if target == TIMESTAMP and isinstance(value, datetime.datetime):
            return value
        return self._writers[target](self._readers.get(form, _from_logical)(value))

    def _from_text(self, value: Any) -> int:
        if not isinstance(value, str):
            raise DataException(f"Expected string timestamp to be a String, but found {type_name(value)}")
        if self._format is None:
            raise DataException("Could not parse timestamp: no format is configured")
        try:
            return self._format.parse(value)
        except ValueError as error:
            raise DataException(
                f"Could not parse timestamp: value ({value}) does not match pattern ({self._format.pattern})"
            ) from error

    def _to_text(self, ms: int) -> str:
        assert self._format is not None
        return self._format.format(ms)

    def _from_number(self, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise DataException(f"Expected Unix timestamp to be a Long, but found {type_name(value)}")
        return _scaled(value, 1 / self._units_per_ms)


def _scaled(number: int, factor: Fraction) -> int:
    """The product without its fraction; as Java's TimeUnit it stops at the limits of 64 bits."""
    scaled = number * factor.numerator
    whole = abs(scaled) // factor.denominator
    return max(-_LONG_LIMIT, min(_LONG_LIMIT - 1, whole if scaled >= 0 else -whole))


def _from_logical(value: Any) -> int:
    match value:
        case datetime.datetime():
            return Timestamp.from_logical(Timestamp.SCHEMA, value)
        case datetime.date():
            return Date.from_logical(Date.SCHEMA, value) * _MS_PER_DAY
        case datetime.time():
            return Time.from_logical(Time.SCHEMA, value)
    raise DataException(f"Expected Timestamp to be a java.util.Date, but found {type_name(value)}")
