"""The parser behind `Values.parse_string`: text to the schema and value it most likely stands for.

Follows the parser in `org.apache.kafka.connect.data.Values` of Kafka 4.3 token by token, quirks included.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from connectd.errors import DataException
from connectd.javanumbers import parse_decimal, scale_of, to_double, to_float32
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaAndValue, Type

Converter = Callable[[Schema, Any], Any]
"""Converts an element to the schema that all elements of its list or map share, or raises DataException."""

# What String.trim takes off.
_BLANKS = "".join(map(chr, range(33)))
_TOKEN = re.compile(r'(?:[^\\:,{}\[\]"]+|\\.?)+|[:,{}\[\]"]', re.DOTALL)
_LITERALS = {
    "null": None,
    "true": SchemaAndValue(Schema.BOOLEAN_SCHEMA, True),
    "false": SchemaAndValue(Schema.BOOLEAN_SCHEMA, False),
}
_NUMBERS_BY_WIDTH = (Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.FLOAT32, Type.FLOAT64)
_INTEGERS = (
    (Schema.INT8_SCHEMA, 8),
    (Schema.INT16_SCHEMA, 16),
    (Schema.INT32_SCHEMA, 32),
    (Schema.INT64_SCHEMA, 64),
)

# java.text.SimpleDateFormat, lenient as Connect uses it: blanks before a number, any number of digits, a sign, and
# text after the match. Only the lengths of the texts are fixed.
_NUMBER = r"[ \t]*(-?\d+)"
_DATE_PATTERN = "-".join([_NUMBER] * 3)
_TIME_PATTERN = ":".join([_NUMBER] * 3) + rf"\.{_NUMBER}Z"
_TEMPORALS = {
    len("yyyy-MM-dd"): (Date.SCHEMA, re.compile(_DATE_PATTERN)),
    len("HH:mm:ss.SSSZ"): (Time.SCHEMA, re.compile(_TIME_PATTERN)),
    len("yyyy-MM-ddTHH:mm:ss.SSSZ"): (Timestamp.SCHEMA, re.compile(f"{_DATE_PATTERN}T{_TIME_PATTERN}")),
}
_TEMPORAL_NAMES = {schema.name for schema, _ in _TEMPORALS.values()}


class _Unrepresentable(DataException):
    """A value that Java can hold and Python cannot, such as a year beyond 9999; the text stays text then."""


def parse(text: str, convert: Converter) -> SchemaAndValue:
    """The schema and value of a text that is not empty; text that looks like nothing else is a STRING."""
    try:
        return _ValueParser(text, convert).parse(embedded=False) or SchemaAndValue.NULL
    except (_Unrepresentable, RecursionError):
        return SchemaAndValue(Schema.STRING_SCHEMA, text)


class _Tokens:
    """The text cut into delimiters and what is between them; a backslash keeps a delimiter from being one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._position = 0
        self._ahead: str | None = None

    def mark(self) -> int:
        return self._position - len(self._ahead or "")

    def rewind_to(self, position: int) -> None:
        self._position = position
        self._ahead = None

    def has_next(self) -> bool:
        return self._ahead is not None or self._position < len(self.text)

    def next(self) -> str:
        token = self._ahead if self._ahead is not None else self._cut()
        self._ahead = None
        return token

    def next_joined(self, count: int) -> str | None:
        """That many tokens as one text; None, with nothing taken, when there are not as many."""
        start = self.mark()
        for _ in range(count):
            if not self.has_next():
                self.rewind_to(start)
                return None
            self.next()
        return self.text[start : self._position]

    def take(self, expected: str) -> bool:
        """Take the next token if it is the expected one, blanks aside."""
        found = self.peek() == expected
        if found:
            self._ahead = None
        return found

    def peek(self) -> str:
        """The next token, blanks aside, without taking it; tokens of blanks alone before it are lost."""
        if not self.has_next():
            return ""
        token = self._ahead if self._ahead is not None else self._cut()
        while not token.strip(_BLANKS) and self._position < len(self.text):
            token = self._cut()
        self._ahead = token
        return token.strip(_BLANKS)

    def _cut(self) -> str:
        match = _TOKEN.match(self.text, self._position)
        token = match[0] if match else ""
        self._position += len(token)
        return token


class _ValueParser:
    def __init__(self, text: str, convert: Converter) -> None:
        self._tokens = _Tokens(text)
        self._convert = convert

    def parse(self, embedded: bool) -> SchemaAndValue | None:
        """The next value, None for null or the end of the text; `embedded` means within a list or map."""
        tokens = self._tokens
        if not tokens.has_next():
            return None
        start = tokens.mark()
        ahead = tokens.peek()
        if ahead == '"' and embedded:
            tokens.next()
            return self._quoted()
        if ahead in _LITERALS:
            tokens.next()
            # At the top "true}" is two tokens and yet no literal but a string.
            is_literal = embedded or not tokens.has_next()
            return _LITERALS[ahead] if is_literal else SchemaAndValue(Schema.STRING_SCHEMA, tokens.text)
        if ahead in ("[", "{"):
            tokens.next()
            try:
                return self._array() if ahead == "[" else self._map()
            except _Unrepresentable:
                raise
            except DataException:
                # Neither a list nor a map after all. Java goes on before the blanks that it had skipped.
                tokens.rewind_to(start)
        raw = tokens.next()
        token = raw.strip(_BLANKS)
        if not token:
            return SchemaAndValue(Schema.STRING_SCHEMA, raw)
        return self._scalar(token, embedded)

    def _scalar(self, token: str, embedded: bool) -> SchemaAndValue:
        if token[0].isdecimal():
            temporal = self._temporal_over_tokens(token)
            if temporal is not None:
                return temporal
        if token[0].isdecimal() or token[0] in "+-":
            try:
                return _number(token)
            except ValueError:
                pass
        if embedded:
            raise DataException("Failed to parse embedded value")
        return SchemaAndValue(Schema.STRING_SCHEMA, self._tokens.text)

    def _temporal_over_tokens(self, token: str) -> SchemaAndValue | None:
        # The two colons of a time, when not escaped, are delimiters: the time is five tokens.
        start = self._tokens.mark()
        rest = self._tokens.next_joined(4)
        if rest is not None:
            temporal = _temporal(token + rest)
            if temporal is not None:
                return temporal
        self._tokens.rewind_to(start)
        return _temporal(token)

    def _quoted(self) -> SchemaAndValue:
        parts = []
        while self._tokens.has_next() and not self._tokens.take('"'):
            parts.append(self._tokens.next())
        content = "".join(parts)
        return _temporal(content) or SchemaAndValue(Schema.STRING_SCHEMA, content)

    def _array(self) -> SchemaAndValue:
        tokens = self._tokens
        elements: list[Any] = []
        common = _CommonSchema()
        while tokens.has_next():
            if tokens.take("]"):
                elements = [self._fitted(common.schema, element) for element in elements]
                return SchemaAndValue(Schema(Type.ARRAY, value_schema=common.schema), elements)
            if tokens.take(","):
                raise DataException("Unable to parse an empty array element")
            element = self.parse(embedded=True)
            common.merge(element)
            elements.append(None if element is None else element.value)
            before = tokens.mark()
            if tokens.take("]"):
                tokens.rewind_to(before)
            elif not tokens.take(","):
                raise DataException("Array elements missing ',' delimiter")
        raise DataException("Array is missing terminating ']'")

    def _map(self) -> SchemaAndValue:
        tokens = self._tokens
        entries: dict[tuple[type, Any], tuple[Any, Any]] = {}
        keys, values = _CommonSchema(), _CommonSchema()
        while tokens.has_next():
            if tokens.take("}"):
                return self._finished_map(list(entries.values()), keys.schema, values.schema)
            if tokens.take(","):
                raise DataException("Unable to parse a map entry with no key or value")
            key = self.parse(embedded=True)
            if key is None or key.value is None:
                raise DataException("Map entry may not have a null key")
            if key.value.__hash__ is None:
                raise DataException("Map entry may not have a list or map as its key")
            if not tokens.take(":"):
                raise DataException("Map entry is missing ':'")
            value = self.parse(embedded=True)
            # With the type, since in Python True and 1 are the same key.
            entries[type(key.value), key.value] = key.value, None if value is None else value.value
            tokens.take(",")
            keys.merge(key)
            values.merge(value)
        raise DataException("Map is missing terminating '}'")

    def _finished_map(
        self, entries: list[tuple[Any, Any]], key_schema: Schema | None, value_schema: Schema | None
    ) -> SchemaAndValue:
        if key_schema is None:
            value_schema = None
        result = {self._fitted(key_schema, key): self._fitted(value_schema, value) for key, value in entries}
        if key_schema is None and len(result) < len(entries):
            raise _Unrepresentable("Java tells keys such as true, 1 and 1.0 apart, and Python does not")
        return SchemaAndValue(Schema(Type.MAP, key_schema=key_schema, value_schema=value_schema), result)

    def _fitted(self, schema: Schema | None, value: Any) -> Any:
        if schema is None:
            return value
        try:
            return self._convert(schema, value)
        except DataException as error:
            # Java's one class of dates holds any day and time, whatever the schema says.
            if schema.name in _TEMPORAL_NAMES and value is not None:
                raise _Unrepresentable(str(error)) from None
            raise


class _CommonSchema:
    """The schema that all values seen fit, None when there is none: the widest of numbers, else all of one type."""

    def __init__(self) -> None:
        self.schema: Schema | None = None
        self._compatible = True

    def merge(self, latest: SchemaAndValue | None) -> None:
        if latest is None or latest.schema is None or not self._compatible:
            return
        self.schema = latest.schema if self.schema is None else _merged(self.schema, latest.schema)
        self._compatible = self.schema is not None


def _merged(previous: Schema, latest: Schema) -> Schema | None:
    if previous.type is latest.type:
        return latest
    if previous.type in _NUMBERS_BY_WIDTH and latest.type in _NUMBERS_BY_WIDTH:
        return max(previous, latest, key=lambda schema: _NUMBERS_BY_WIDTH.index(schema.type))
    return None


def _number(token: str) -> SchemaAndValue:
    """The smallest type that holds the number, as Java chooses it: fractions are FLOAT32 unless beyond its range."""
    number = parse_decimal(token)
    magnitude = number.copy_abs()
    if (1 <= magnitude <= 10**19 or not number) and number == number.to_integral_value():
        integer = int(number)
        for schema, bits in _INTEGERS:
            if -(1 << (bits - 1)) <= integer < 1 << (bits - 1):
                return SchemaAndValue(schema, integer)
    scale = scale_of(number)
    if scale != 0:
        for schema, value in ((Schema.FLOAT32_SCHEMA, to_float32(number)), (Schema.FLOAT64_SCHEMA, to_double(number))):
            if value - value == 0:
                return SchemaAndValue(schema, value)
    return SchemaAndValue(Decimal.schema(scale), number)


def _temporal(text: str) -> SchemaAndValue | None:
    """The date, time or timestamp in a text of the right length, in UTC; None when it is none.

    Numbers out of range roll over, as in Java: month 13 is January of the next year.
    """
    text = text.replace("\\:", ":")
    schema, pattern = _TEMPORALS.get(len(text), (None, None))
    match = pattern.match(text) if pattern else None
    if match is None or schema is None:
        return None
    numbers = [int(group) for group in match.groups()]
    try:
        if schema is Date.SCHEMA:
            return SchemaAndValue(schema, Date.to_logical(schema, _days(*numbers)))
        if schema is Time.SCHEMA:
            return SchemaAndValue(schema, Time.to_logical(schema, _ms(*numbers)))
        days, ms = _days(*numbers[:3]), _ms(*numbers[3:])
        return SchemaAndValue(schema, Timestamp.to_logical(schema, days * _ms(24) + ms))
    except (DataException, ValueError, OverflowError):
        raise _Unrepresentable(f"{text} is not within the years 1 to 9999, or not within a day") from None


def _days(year: int, month: int, day: int) -> int:
    year += (month - 1) // 12
    return datetime.date(year, (month - 1) % 12 + 1, 1).toordinal() + day - datetime.date(1970, 1, 2).toordinal()


def _ms(hours: int, minutes: int = 0, seconds: int = 0, ms: int = 0) -> int:
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
