"""Headers of a record, as `org.apache.kafka.connect.header.ConnectHeaders`."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder, Type, as_schema, value_fits
from connectd.struct import Struct


class Header(msgspec.Struct, frozen=True):
    """A key with a value; without a schema for plain data. A struct's schema is filled in when it is not given."""

    key: str
    schema: Schema | None
    value: Any

    def __post_init__(self) -> None:
        if not isinstance(self.key, str):
            raise TypeError(f"Header key must be a str, not {type(self.key).__qualname__}")
        if self.schema is None and isinstance(self.value, Struct):
            msgspec.structs.force_setattr(self, "schema", self.value.schema)

    def rename(self, key: str) -> Header:
        """The same value under another key."""
        return Header(key, self.schema, self.value)

    def with_value(self, schema: Schema | None, value: Any) -> Header:
        """Another value under the same key."""
        return Header(self.key, schema, value)


HeaderTransform = Callable[[Header], Header | None]


class ConnectHeaders(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """The headers of one record in order; a key may occur several times. Methods that change them return them.

    `ConnectHeaders()` is empty and costs next to nothing; `ConnectHeaders.of(headers)` copies. Empty headers are false.
    """

    # Most records have no headers, so there is no list before the first one.
    _headers: list[Header] | None = None

    @classmethod
    def of(cls, headers: Iterable[Header]) -> ConnectHeaders:
        """New headers that hold these."""
        return cls(_headers=list(headers))

    def __len__(self) -> int:
        return len(self._headers) if self._headers is not None else 0

    def __iter__(self) -> Iterator[Header]:
        return iter(self._headers or ())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConnectHeaders):
            return NotImplemented
        return (self._headers or []) == (other._headers or [])

    def __repr__(self) -> str:
        return f"ConnectHeaders(headers={self._headers or []})"

    def add(self, key: str, value: Any, schema: Schema | SchemaBuilder | None = None) -> ConnectHeaders:
        """Add a header at the end.

        Raises DataException when the value does not fit the schema, as far as its type goes.
        """
        if schema is not None:
            schema = as_schema(schema)
            _check_fits(schema, value)
        return self.add_header(Header(key, schema, value))

    def add_header(self, header: Header) -> ConnectHeaders:
        """Add a header at the end."""
        if self._headers is None:
            self._headers = [header]
        else:
            self._headers.append(header)
        return self

    def add_string(self, key: str, value: str | None) -> ConnectHeaders:
        """Add a STRING."""
        return self.add(key, value, Schema.OPTIONAL_STRING_SCHEMA if value is None else Schema.STRING_SCHEMA)

    def add_bytes(self, key: str, value: bytes | bytearray | memoryview | None) -> ConnectHeaders:
        """Add BYTES."""
        return self.add(key, value, Schema.OPTIONAL_BYTES_SCHEMA if value is None else Schema.BYTES_SCHEMA)

    def add_boolean(self, key: str, value: bool) -> ConnectHeaders:
        """Add a BOOLEAN."""
        return self.add(key, value, Schema.BOOLEAN_SCHEMA)

    def add_byte(self, key: str, value: int) -> ConnectHeaders:
        """Add an INT8."""
        return self.add(key, value, Schema.INT8_SCHEMA)

    def add_short(self, key: str, value: int) -> ConnectHeaders:
        """Add an INT16."""
        return self.add(key, value, Schema.INT16_SCHEMA)

    def add_int(self, key: str, value: int) -> ConnectHeaders:
        """Add an INT32."""
        return self.add(key, value, Schema.INT32_SCHEMA)

    def add_long(self, key: str, value: int) -> ConnectHeaders:
        """Add an INT64."""
        return self.add(key, value, Schema.INT64_SCHEMA)

    def add_float(self, key: str, value: float) -> ConnectHeaders:
        """Add a FLOAT32."""
        return self.add(key, value, Schema.FLOAT32_SCHEMA)

    def add_double(self, key: str, value: float) -> ConnectHeaders:
        """Add a FLOAT64."""
        return self.add(key, value, Schema.FLOAT64_SCHEMA)

    def add_list(self, key: str, value: list[Any] | None, schema: Schema | SchemaBuilder | None) -> ConnectHeaders:
        """Add a list; the schema must be of type ARRAY and is dropped when there is no list."""
        return self._add_of_type(key, value, schema, Type.ARRAY)

    def add_map(self, key: str, value: dict[Any, Any] | None, schema: Schema | SchemaBuilder | None) -> ConnectHeaders:
        """Add a dict; the schema must be of type MAP and is dropped when there is no dict."""
        return self._add_of_type(key, value, schema, Type.MAP)

    def add_struct(self, key: str, value: Struct | None) -> ConnectHeaders:
        """Add a struct with its own schema."""
        return self.add(key, value, None if value is None else value.schema)

    def add_decimal(self, key: str, value: decimal.Decimal | None) -> ConnectHeaders:
        """Add a Decimal with the scale that the value has."""
        if value is None:
            return self.add(key, None)
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):
            raise DataException(f"Decimal value {value} cannot be represented, expected a finite number")
        return self.add(key, value, Decimal.schema(-exponent))

    def add_date(self, key: str, value: datetime.date | None) -> ConnectHeaders:
        """Add a Date."""
        return self._add_or_null(key, value, Date.SCHEMA)

    def add_time(self, key: str, value: datetime.time | None) -> ConnectHeaders:
        """Add a Time."""
        return self._add_or_null(key, value, Time.SCHEMA)

    def add_timestamp(self, key: str, value: datetime.datetime | None) -> ConnectHeaders:
        """Add a Timestamp."""
        return self._add_or_null(key, value, Timestamp.SCHEMA)

    def last_with_name(self, key: str) -> Header | None:
        """The last header with that key, or None."""
        return next((header for header in reversed(self._headers or ()) if header.key == key), None)

    def all_with_name(self, key: str) -> Iterator[Header]:
        """All headers with that key, in order."""
        return (header for header in self if header.key == key)

    def remove(self, key: str) -> ConnectHeaders:
        """Remove all headers with that key."""
        if self._headers:
            self._headers = [header for header in self._headers if header.key != key]
        return self

    def retain_latest(self, key: str | None = None) -> ConnectHeaders:
        """Of several headers with that key (of every key, when none is given) keep the last only."""
        if self._headers:
            last = {header.key: index for index, header in enumerate(self._headers)}
            self._headers = [
                header
                for index, header in enumerate(self._headers)
                if last[header.key] == index or (key is not None and header.key != key)
            ]
        return self

    def clear(self) -> ConnectHeaders:
        """Remove all headers."""
        self._headers = None
        return self

    def apply(self, transform: HeaderTransform, key: str | None = None) -> ConnectHeaders:
        """Replace each header (each with that key, when given) by what `transform` makes of it; None removes it."""
        if self._headers:
            changed = (header if key not in (None, header.key) else transform(header) for header in self._headers)
            self._headers = [header for header in changed if header is not None]
        return self

    def duplicate(self) -> ConnectHeaders:
        """A copy that changes by itself; the headers, which are immutable, are shared."""
        return ConnectHeaders(_headers=list(self._headers)) if self._headers else ConnectHeaders()

    def _add_of_type(self, key: str, value: Any, schema: Schema | SchemaBuilder | None, type: Type) -> ConnectHeaders:
        if value is None:
            return self.add(key, None)
        schema = None if schema is None else as_schema(schema)
        if schema is None or schema.type is not type:
            raise DataException(f"Expecting {type} but instead found {None if schema is None else schema.type}")
        return self.add(key, value, schema)

    def _add_or_null(self, key: str, value: Any, schema: Schema) -> ConnectHeaders:
        # Java keeps the required schema even where the value is null.
        return self.add_header(Header(key, schema, None)) if value is None else self.add(key, value, schema)


Headers = ConnectHeaders


def _check_fits(schema: Schema, value: Any) -> None:
    if value is None:
        if not schema.is_optional:
            raise DataException(f"A null value requires an optional schema but was {schema}")
    elif not value_fits(schema, value):
        raise DataException(f"The value of type {type(value).__qualname__} is not compatible with the schema {schema}")
