"""Logical types: decimals, dates, times and timestamps, and the plain values they are stored as.

Follows `org.apache.kafka.connect.data.Decimal`, `Date`, `Time` and `Timestamp`. Each class has `builder` and a schema
for field definitions, and `from_logical` and `to_logical`, which converters use. All arithmetic is on integers.
"""

from __future__ import annotations

import datetime
import decimal
from typing import ClassVar, Final

from connectd.errors import DataException
from connectd.schema import (
    DATE_LOGICAL_NAME,
    DECIMAL_LOGICAL_NAME,
    TIME_LOGICAL_NAME,
    TIMESTAMP_LOGICAL_NAME,
    Schema,
    SchemaBuilder,
)

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_MS_PER_DAY = 24 * 60 * 60 * 1000
_ONE_MS = datetime.timedelta(milliseconds=1)
# Decimals are only moved by powers of ten here, which never rounds.
_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX)


class Decimal:
    """An exact number with a fixed number of digits after the point; stored as the bytes of its unscaled value."""

    LOGICAL_NAME: Final = DECIMAL_LOGICAL_NAME
    SCALE_FIELD: Final = "scale"

    @staticmethod
    def builder(scale: int) -> SchemaBuilder:
        """A builder for decimals with `scale` digits after the point; a negative scale counts zeros before it."""
        return SchemaBuilder.bytes().name(Decimal.LOGICAL_NAME).parameter(Decimal.SCALE_FIELD, str(scale)).version(1)

    @staticmethod
    def schema(scale: int) -> Schema:
        """The schema of required decimals with `scale` digits after the point."""
        return Decimal.builder(scale).build()

    @staticmethod
    def from_logical(schema: Schema, value: decimal.Decimal) -> bytes:
        """The unscaled value as the shortest two's complement, big-endian, as Java's `BigInteger.toByteArray`.

        Raises DataException when the value has another scale than the schema, or is no finite number.
        """
        scale = Decimal._scale(schema)
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):
            raise DataException(f"Decimal value {value} cannot be represented, expected a finite number")
        if scale != -exponent:
            raise DataException(
                "Decimal value has mismatching scale for given Decimal schema. "
                f"Schema has scale {scale}, value has scale {-exponent}."
            )
        return Decimal.to_unscaled_bytes(value, scale)

    @staticmethod
    def to_unscaled_bytes(value: decimal.Decimal, scale: int) -> bytes:
        """As `from_logical`, for a value that is known to be finite and of that scale."""
        unscaled = int(value.scaleb(scale, _EXACT))
        # Java keeps one bit for the sign: -128 fits one byte, 128 needs two.
        magnitude = unscaled if unscaled >= 0 else ~unscaled
        return unscaled.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)

    @staticmethod
    def to_logical(schema: Schema, value: bytes | bytearray | memoryview) -> decimal.Decimal:
        """The number that these bytes stand for.

        Raises DataException when there are no bytes.
        """
        return Decimal.of_unscaled_bytes(value, Decimal._scale(schema))

    @staticmethod
    def of_unscaled_bytes(value: bytes | bytearray | memoryview, scale: int) -> decimal.Decimal:
        """As `to_logical`, where the scale is known."""
        if not len(value):
            raise DataException("Zero length bytes are no Decimal, expected at least one byte")
        unscaled = decimal.Decimal(int.from_bytes(value, "big", signed=True))
        return unscaled.scaleb(-scale, _EXACT)

    @staticmethod
    def _scale(schema: Schema) -> int:
        text = (schema.parameters or {}).get(Decimal.SCALE_FIELD)
        if text is None:
            raise DataException("Invalid Decimal schema: scale parameter not found.")
        try:
            return int(text)
        except ValueError:
            raise DataException(f"Invalid scale parameter {text!r} found in Decimal schema, expected an int") from None


class Date:
    """A calendar day without a time zone, `datetime.date`; stored as days since 1970-01-01."""

    LOGICAL_NAME: Final = DATE_LOGICAL_NAME
    SCHEMA: ClassVar[Schema]

    @staticmethod
    def builder() -> SchemaBuilder:
        """A builder for dates."""
        return SchemaBuilder.int32().name(Date.LOGICAL_NAME).version(1)

    @staticmethod
    def from_logical(schema: Schema, value: datetime.date) -> int:
        """Days since 1970-01-01, negative before it. A datetime is taken when it is midnight, as in Java.

        Raises DataException for a datetime with a time.
        """
        _check_name(schema, Date.LOGICAL_NAME)
        if isinstance(value, datetime.datetime):
            if value.utcoffset() is not None:
                value = value.astimezone(datetime.UTC)
            if value.time() != datetime.time():
                raise DataException("Kafka Connect Date type should not have any time fields set to non-zero values.")
        return value.toordinal() - _EPOCH_DAY

    @staticmethod
    def to_logical(schema: Schema, value: int) -> datetime.date:
        """The day; raises DataException outside the years 1 to 9999, which Python's dates cover."""
        _check_name(schema, Date.LOGICAL_NAME)
        try:
            return datetime.date.fromordinal(value + _EPOCH_DAY)
        except (ValueError, OverflowError):
            raise _beyond_years(f"Date {value} days") from None


class Time:
    """A time of day without a time zone, `datetime.time`; stored as milliseconds since midnight."""

    LOGICAL_NAME: Final = TIME_LOGICAL_NAME
    SCHEMA: ClassVar[Schema]

    @staticmethod
    def builder() -> SchemaBuilder:
        """A builder for times."""
        return SchemaBuilder.int32().name(Time.LOGICAL_NAME).version(1)

    @staticmethod
    def from_logical(schema: Schema, value: datetime.time) -> int:
        """Milliseconds since midnight; what is finer is cut off."""
        _check_name(schema, Time.LOGICAL_NAME)
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000

    @staticmethod
    def to_logical(schema: Schema, value: int) -> datetime.time:
        """The time; raises DataException when it is not within one day.

        Java takes 86400000, the midnight at the end, too; Python has no such time.
        """
        _check_name(schema, Time.LOGICAL_NAME)
        if not 0 <= value < _MS_PER_DAY:
            raise DataException(f"Time values must be from 0 to 86399999 milliseconds, not {value}")
        seconds, ms = divmod(value, 1000)
        return datetime.time(seconds // 3600, seconds // 60 % 60, seconds % 60, ms * 1000)


class Timestamp:
    """An instant, an aware `datetime.datetime`; stored as milliseconds since 1970-01-01T00:00:00Z."""

    LOGICAL_NAME: Final = TIMESTAMP_LOGICAL_NAME
    SCHEMA: ClassVar[Schema]

    @staticmethod
    def builder() -> SchemaBuilder:
        """A builder for timestamps."""
        return SchemaBuilder.int64().name(Timestamp.LOGICAL_NAME).version(1)

    @staticmethod
    def from_logical(schema: Schema, value: datetime.datetime) -> int:
        """Milliseconds since the epoch, negative before it; what is finer is rounded down, as `Instant.toEpochMilli`.

        Raises DataException for a datetime without a time zone.
        """
        _check_name(schema, Timestamp.LOGICAL_NAME)
        if value.utcoffset() is None:
            raise DataException("Timestamp value has no time zone, expected an aware datetime")
        return (value - _EPOCH) // _ONE_MS

    @staticmethod
    def to_logical(schema: Schema, value: int) -> datetime.datetime:
        """The instant, in UTC; raises DataException outside the years 1 to 9999, which Python's datetimes cover."""
        _check_name(schema, Timestamp.LOGICAL_NAME)
        try:
            return _EPOCH + datetime.timedelta(milliseconds=value)
        except OverflowError:
            raise _beyond_years(f"Timestamp {value} ms") from None


def _check_name(schema: Schema, name: str) -> None:
    if schema.name != name:
        kind = name.rpartition(".")[2]
        raise DataException(f"Requested conversion of {kind} object but the schema does not match: {schema}")


def _beyond_years(what: str) -> DataException:
    return DataException(f"{what} since 1970-01-01 is not within the years 1 to 9999")


Date.SCHEMA = Date.builder().build()
Time.SCHEMA = Time.builder().build()
Timestamp.SCHEMA = Timestamp.builder().build()
