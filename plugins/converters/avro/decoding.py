"""From Avro's bytes straight to values: a function written for one schema ("Binary Encoding" in Avro's specification).

fastavro reads any schema, but makes a dict a record and calls a reader for each value; that takes twice the time. What is made
here reads what is plainly right and refuses the rest, by any exception: fastavro then decides.
"""

from __future__ import annotations

import datetime
import struct
from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

from connectd.javanumbers import wrap
from connectd.logical import Date, Decimal, Time
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.converters.avro.codec import logical_type_of
from plugins.converters.avro.constants import KEY, SCALE, VALUE
from plugins.converters.avro.kinds import parameter
from plugins.converters.avro.model import AvroSchema
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.avro.to_connect import is_map_entry, only_branch

ReadAll = Callable[[Sequence[bytes], int], list[Any]]
"""The values of messages, each without so many bytes at its beginning. Raises what it likes for one that fastavro should read."""

_MOST_LINES: Final = 4000
_MOST_BRANCHES: Final = 64  # the index of a branch is then one byte
_BITS: Final = {Type.INT8: 8, Type.INT16: 16}
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_63_BITS: Final = (1 << 63) - 1


class _Refused(Exception):
    """Not for the fast way."""


def new_read_all(schema: Schema, avro: AvroSchema, settings: AvroSettings, fails_on_rest: bool) -> ReadAll | None:
    """What reads messages of `avro`, whose Connect schema is `schema`; None for recursive and for very large schemas."""
    code = _Code(settings)
    try:
        code.value(schema, avro, "value", 2)
        return code.compiled(fails_on_rest)
    except (_Refused, SyntaxError, RecursionError, MemoryError):
        return None


class _Code:
    """Lines of a loop over messages: `data` is one of them, `p` is where it is read. The code is made of numbers only; what
    has a name in the schema stands in `names`."""

    def __init__(self, settings: AvroSettings) -> None:
        self._settings = settings
        self._lines: list[str] = []
        self._open: list[AvroSchema] = []
        self._numbers = 0
        self._names: dict[str, Any] = {
            "LOW": _LOW,
            "SIZES": _SIZES,
            "known_high": _KNOWN_HIGH.get,
            "long_at": _long_at,
            "rest_of_long": _rest_of_long,
            "float_at": struct.Struct("<f").unpack_from,
            "double_at": struct.Struct("<d").unpack_from,
            "new": Struct.__new__,
            "Struct": Struct,
            "refuse": _refuse,
        }

    def compiled(self, fails_on_rest: bool) -> ReadAll:
        """The function that has the lines in it."""
        text = [
            "def read_all(messages, p0):",
            " values = []",
            " for data in messages:",
            "  p, length = p0, len(data)",
            *self._lines,
            f"  if p {'!=' if fails_on_rest else '>'} length: refuse()",
            "  values.append(value)",
            " return values",
        ]
        exec("\n".join(text), self._names)  # noqa: S102  # the steps of one schema written out
        read_all: ReadAll = self._names["read_all"]
        return read_all

    def value(self, schema: Schema, avro: AvroSchema, to: str, depth: int) -> None:
        """Lines that read a value into the variable `to`."""
        match avro.type:
            case "union":
                self._union(schema, avro, to, depth)
            case "record":
                self._record(schema, avro, to, depth)
            case "array":
                self._array(schema, avro, to, depth)
            case "map":
                self._map(schema, avro, to, depth)
            case _:
                self._plain(avro, to, depth)
                convert = _conversion(schema, avro)
                if convert is not None:
                    self._add(depth, f"{to} = {self._name(convert)}({to})")

    def _plain(self, avro: AvroSchema, to: str, depth: int) -> None:
        match avro.type:
            case "int" | "long":
                self._long(to, depth)
            case "boolean":
                self._add(depth, f"{to} = data[p] != 0", "p += 1")
            case "float" | "double":
                self._add(depth, f"({to},) = {avro.type}_at(data, p)", f"p += {4 if avro.type == 'float' else 8}")
            case "string":
                self._sized(f"{to} = data[p:end].decode()", depth)
            case "bytes":
                self._sized(f"{to} = data[p:end]", depth)
            case "fixed":
                self._add(depth, f"{to} = data[p : p + {avro.size}]", f"p += {avro.size}")
            case "enum":
                self._long("index", depth)
                self._add(depth, "if index < 0: refuse()", f"{to} = {self._name(tuple(avro.symbols))}[index]")
            case _:
                raise _Refused

    def _long(self, to: str, depth: int) -> None:
        self._add(
            depth,
            "byte = data[p]",
            "if byte < 128:",
            f" {to} = LOW[byte]",
            " p += 1",
            "else:",
            " second = data[p + 1]",
            f" {to} = LOW[byte + (second << 7)]",
            " p += 2",
            " if second > 127:",
            "  high = known_high(data[p : p + 4])",
            f"  if high is None: {to}, p = rest_of_long(data, p, {to})",
            f"  else: {to}, p = {to} + high if {to} >= 0 else {to} - high, p + 4",
        )

    def _sized(self, take: str, depth: int) -> None:
        """What has its length before it. A length below zero is an odd byte."""
        self._add(
            depth,
            "size = SIZES[data[p]]",
            "if size < 64:",
            " p += 1",
            " end = p + size",
            "else:",
            " size, p = long_at(data, p)",
            " if size < 0: refuse()",
            " end = p + size",
            take,
            "p = end",
        )

    def _union(self, schema: Schema, avro: AvroSchema, to: str, depth: int) -> None:
        if len(avro.types) > _MOST_BRANCHES:
            raise _Refused
        self._add(depth, "byte = data[p]", "p += 1")
        only, keyword = only_branch(avro, self._settings), "if"
        fields = iter(() if only is not None else schema.fields)
        for index, branch in enumerate(avro.types):
            self._add(depth, f"{keyword} byte == {index << 1}:")
            keyword = "elif"
            if branch.type == "null":
                self._add(depth + 1, f"{to} = None")
            elif branch is only:
                self.value(schema, branch, to, depth + 1)
            else:
                field = next(fields)
                self.value(field.schema, branch, to, depth + 1)
                found = ["None"] * len(schema.fields)
                found[field.index] = to
                self._struct(schema, found, to, depth + 1)
        self._add(depth, "else: refuse()")

    def _record(self, schema: Schema, avro: AvroSchema, to: str, depth: int) -> None:
        variables = self._fields([field.schema for field in schema.fields], avro, depth)
        self._struct(schema, variables, to, depth)

    def _fields(self, schemas: Sequence[Schema], avro: AvroSchema, depth: int) -> list[str]:
        """The variables of a record's fields."""
        if any(each is avro for each in self._open):
            raise _Refused
        self._open.append(avro)
        variables = []
        for schema, field in zip(schemas, avro.fields, strict=True):
            variables.append(self._variable())
            self.value(schema, field.schema, variables[-1], depth)
        self._open.pop()
        return variables

    def _struct(self, schema: Schema, values: Sequence[str], to: str, depth: int) -> None:
        struct = self._variable()
        self._add(
            depth,
            f"{struct} = new(Struct)",
            f"{struct}.schema = {self._name(schema)}",
            f"{struct}.field_values = [{', '.join(values)}]",
            f"{to} = {struct}",
        )

    def _array(self, schema: Schema, avro: AvroSchema, to: str, depth: int) -> None:
        items, found = _known(avro.items), self._variable()
        if is_map_entry(items):
            keys = {KEY: _known(schema.key_schema), VALUE: _known(schema.value_schema)}
            inner = self._blocks(found, "{}", depth)
            names = [field.name for field in items.fields]
            variables = dict(zip(names, self._fields([keys[name] for name in names], items, inner), strict=True))
            self._add(inner, f"{found}[{variables[KEY]}] = {variables[VALUE]}")
        else:
            inner, element = self._blocks(found, "[]", depth), self._variable()
            self.value(_known(schema.value_schema), items, element, inner)
            self._add(inner, f"{found}.append({element})")
        self._add(depth, f"{to} = {found}")

    def _map(self, schema: Schema, avro: AvroSchema, to: str, depth: int) -> None:
        found = self._variable()
        inner, key, element = self._blocks(found, "{}", depth), self._variable(), self._variable()
        self._sized(f"{key} = data[p:end].decode()", inner)
        self.value(_known(schema.value_schema), _known(avro.items), element, inner)
        self._add(inner, f"{found}[{key}] = {element}")
        self._add(depth, f"{to} = {found}")

    def _blocks(self, found: str, empty: str, depth: int) -> int:
        """A loop over blocks of elements; returns the depth of the lines that read one."""
        count = self._variable()
        self._add(depth, f"{found} = {empty}", "while True:")
        self._long(count, depth + 1)
        self._add(depth + 1, f"if not {count}: break", f"if {count} < 0:")
        self._long("size_of_block", depth + 2)
        self._add(depth + 2, f"{count} = -{count}")
        # A count that is wrong must not keep it going beyond the data.
        self._add(depth + 1, f"for _ in range({count}):", " if p >= length: refuse()")
        return depth + 2

    def _add(self, depth: int, *lines: str) -> None:
        self._lines += [" " * depth + line for line in lines]
        if len(self._lines) > _MOST_LINES:
            raise _Refused

    def _variable(self) -> str:
        self._numbers += 1
        return f"v{self._numbers}"

    def _name(self, value: Any) -> str:
        self._numbers += 1
        self._names[f"n{self._numbers}"] = value
        return f"n{self._numbers}"


def _conversion(schema: Schema, avro: AvroSchema) -> Callable[[Any], Any] | None:
    """From what Avro has to what Connect has; None where it is the same."""
    if avro.type in ("bytes", "fixed") and schema.name == Decimal.LOGICAL_NAME:
        scale = int(parameter(schema, SCALE) or 0)
        return lambda data: Decimal.of_unscaled_bytes(data, scale)
    match logical_type_of(avro):
        case "date":
            return lambda days: Date.to_logical(Date.SCHEMA, days)
        case "time-millis":
            return lambda ms: Time.to_logical(Time.SCHEMA, ms)
        case "timestamp-millis":
            return lambda ms: _EPOCH + datetime.timedelta(milliseconds=ms)
    bits = _BITS.get(schema.type)
    return None if bits is None else lambda number: wrap(number, bits)


def _known(schema: Any) -> Any:
    if schema is None:
        raise _Refused
    return schema


def _refuse() -> None:
    raise _Refused


def _new_low() -> array[int]:
    """The numbers that bytes below 128 are, and behind them those that two bytes are, at `first + (second << 7)`: the first says
    that there is more, and whether the second one does so too makes no difference."""
    pairs = array("h", bytes(1 << 15))
    pairs[::2], pairs[1::2] = array("h", range(1 << 13)), array("h", range(-1, -(1 << 13) - 1, -1))
    return pairs[:128] + pairs * 2


_LOW: Final = _new_low()
# What is no single byte for a length is beyond all of them.
_SIZES: Final = bytes(255 if n & 1 or n > 127 else n >> 1 for n in range(256))
# What four bytes add to the two before them: moments in milliseconds have six, of which the last four stay the same for eight
# seconds.
_KNOWN_HIGH: Final[dict[bytes, int]] = {}
_MOST_REMEMBERED: Final = 1000


def _long_at(data: bytes, p: int) -> tuple[int, int]:
    """A number, and where it ends: groups of seven bits, the lowest of all is the sign."""
    first = data[p]
    if first < 128:
        return _LOW[first], p + 1
    second = data[p + 1]
    low = _LOW[first + (second << 7)]
    return (low, p + 2) if second < 128 else _rest_of_long(data, p + 2, low)


def _rest_of_long(data: bytes, p: int, low: int) -> tuple[int, int]:
    """As `_long_at`, of a number that begins with two groups before `p`; these alone are `low`."""
    high, p = _high_bits(data, p)
    return low + high if low >= 0 else low - high, p


def _high_bits(data: bytes, start: int) -> tuple[int, int]:
    """What the bytes after the first two add to a number without its sign, and where they end."""
    high, shift, p = 0, 13, start
    while (byte := data[p]) > 127:
        high += byte - 128 << shift
        shift += 7
        p += 1
    high += byte << shift
    p += 1
    if shift > 62:
        raise _Refused
    if p == start + 4:
        if len(_KNOWN_HIGH) >= _MOST_REMEMBERED:
            _KNOWN_HIGH.clear()
        _KNOWN_HIGH[data[start:p]] = high
    return high & _63_BITS, p
