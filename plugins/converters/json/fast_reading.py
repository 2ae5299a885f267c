"""From JSON to values at speed: a function made once for each schema, with msgspec doing the reading and the checking.

What is made here reads what is plainly right and refuses the rest, by any exception. `reading` then decides; so nothing
here needs to know how Java bends a value that does not fit, and the results are the same.
"""

from __future__ import annotations

import binascii
import datetime
import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.converters.json.grammar import parse_number

Read = Callable[[bytes], Any]
Finish = Callable[[Any], Any]


class Refused(Exception):
    """Not for the fast way."""


class _Form(NamedTuple):
    """What msgspec reads, what is then to be done with it (None: nothing), and what a null becomes."""

    kind: Any
    finish: Finish | None
    is_nullable: bool
    null: Any


def fast_reader(schema: Schema | None, replace_null_with_default: bool) -> Read:
    """A function from JSON in UTF-8 to a value; it raises whatever it likes for JSON that `reading` should look at."""
    if schema is None:
        return _read_plain
    try:
        form = _form(schema, replace_null_with_default)
    except Exception:
        # A name that msgspec does not read.
        return _refuse
    decode: Read = msgspec.json.Decoder(form.kind).decode
    finish = form.finish or _as_it_is

    def read(data: bytes) -> Any:
        if not data.isascii():
            # msgspec does not look into text that it skips.
            data.decode()
        value = decode(data)
        if value is None:
            raise Refused
        return finish(value)

    return read


def _refuse(data: bytes) -> Any:
    raise Refused


def _int(bits: int) -> Any:
    return Annotated[int, msgspec.Meta(ge=-(1 << (bits - 1)), le=(1 << (bits - 1)) - 1)]


def _plain_kind(depth: int) -> Any:
    """Any JSON of up to `depth` levels with integers of 64 bits; msgspec knows no type that refers to itself."""
    kind = None | bool | _int(64) | float | str
    for _ in range(depth):
        kind = None | bool | _int(64) | float | str | list[kind] | dict[str, kind]  # type: ignore[valid-type]
    return kind


_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_PLAIN: Final = msgspec.json.Decoder(_plain_kind(6))
# Begins with what it looks for, since Python searches for that at speed; then looks back.
_NEGATIVE_ZERO: Final = re.compile(rb"-0(?:(?<=[\[:,\s]-0)|(?<=\A-0))(?:\.0+)?(?:[eE][+-]?[0-9]+)?(?![.0-9])")


def _read_plain(data: bytes) -> Any:
    # Java has no negative zero here.
    if _NEGATIVE_ZERO.search(data):
        raise Refused
    return _PLAIN.decode(data)


def read_all_plain(messages: Sequence[bytes | None]) -> list[Any]:
    """The values of messages without a schema; raises whatever it likes if `reading` should look at one of them."""
    text = b"\n".join(messages)  # type: ignore[arg-type]  # it raises for None
    # Python finds two bytes thirty times as fast as the expression that begins with them.
    if b"-0" in text and _NEGATIVE_ZERO.search(text):
        raise Refused
    return list(map(_PLAIN.decode, messages))  # type: ignore[arg-type]


def _form(schema: Schema, replace: bool) -> _Form:
    """The form of a value that may be null where the schema allows it."""
    null = schema.default_value if replace else None
    is_nullable = schema.is_optional or null is not None
    kind, finish = _logical_form(schema, is_nullable, null) or _type_form(schema, replace)
    if is_nullable and kind is not msgspec.Raw:
        kind = kind | None
    return _Form(kind, finish, is_nullable, null)


def _logical_form(schema: Schema, is_nullable: bool, null: Any) -> tuple[Any, Finish | None] | None:
    match schema.name:
        case Decimal.LOGICAL_NAME:
            return msgspec.Raw, _decimal_finish(schema, is_nullable, null)
        case Date.LOGICAL_NAME:
            return _int(32), lambda days: Date.to_logical(schema, days)
        case Time.LOGICAL_NAME:
            return _int(32), lambda ms: Time.to_logical(schema, ms)
        case Timestamp.LOGICAL_NAME:
            return _int(64), lambda ms: _EPOCH + datetime.timedelta(milliseconds=ms)
    return None


def _type_form(schema: Schema, replace: bool) -> tuple[Any, Finish | None]:
    match schema.type:
        case Type.STRUCT:
            return _struct_form(schema, replace)
        case Type.MAP:
            return _map_form(schema, replace)
        case Type.ARRAY:
            return _array_form(schema, replace)
    return _PRIMITIVE_FORMS[schema.type]


def _array_form(schema: Schema, replace: bool) -> tuple[Any, Finish | None]:
    element = _form(_known(schema.value_schema), replace)
    finish, null = _finish_of(element), element.null
    if finish is None:
        return list[element.kind], None  # type: ignore[name-defined]
    return list[element.kind], lambda elements: [null if each is None else finish(each) for each in elements]  # type: ignore[name-defined]


def _map_form(schema: Schema, replace: bool) -> tuple[Any, Finish | None]:
    value = _form(_known(schema.value_schema), replace)
    finish, null = _finish_of(value), value.null
    key_schema = _known(schema.key_schema)
    if key_schema.type is Type.STRING:
        if finish is None:
            return dict[str, value.kind], None  # type: ignore[name-defined]
        return dict[str, value.kind], lambda entries: {  # type: ignore[name-defined]
            key: null if each is None else finish(each) for key, each in entries.items()
        }
    key = _form(key_schema, replace)
    key_finish, key_null = key.finish or _as_it_is, key.null
    finish = value.finish or _as_it_is
    return list[tuple[key.kind, value.kind]], lambda entries: {  # type: ignore[name-defined]
        key_null if key is None else key_finish(key): null if each is None else finish(each) for key, each in entries
    }


def _struct_form(schema: Schema, replace: bool) -> tuple[Any, Finish]:
    forms = [_form(field.schema, replace) for field in schema.fields]
    row = msgspec.defstruct(
        "Row",
        [
            (f"f{index}", form.kind, None) if form.is_nullable else (f"f{index}", form.kind)
            for index, form in enumerate(forms)
        ],
        rename={f"f{field.index}": field.name for field in schema.fields},
        kw_only=True,
        gc=False,
    )
    doubles = [index for index, form in enumerate(forms) if form.finish is _finish_double]
    finishes = [(index, form.finish) for index, form in enumerate(forms) if form.finish not in (None, _finish_double)]
    defaults = [(index, form.null) for index, form in enumerate(forms) if form.null is not None]
    values_of, struct_of = msgspec.structs.astuple, Struct.of_checked

    def finish_struct(row: Any) -> Struct:
        values = list(values_of(row))
        for index in doubles:
            # A zero may be a negative one; most numbers are spared the call.
            if not values[index] and values[index] is not None:
                _finish_double(values[index])
        for index, finish in finishes:
            if (each := values[index]) is not None:
                values[index] = finish(each)
        for index, default in defaults:
            if values[index] is None:
                values[index] = default
        return struct_of(schema, values)

    return row, finish_struct


def _known(schema: Schema | None) -> Schema:
    if schema is None:
        raise Refused
    return schema


def _finish_of(form: _Form) -> Finish | None:
    return form.finish or (None if form.null is None else _as_it_is)


def _as_it_is(value: Any) -> Any:
    return value


def _finish_double(value: float) -> float:
    if not value and math.copysign(1, value) < 0:
        raise Refused
    return value


_SINGLE, _DOUBLE, _BITS = struct.Struct("<f"), struct.Struct("<d"), struct.Struct("<Q")
_SINGLE_MIN_NORMAL: Final = 2.0**-126
_BEYOND_SINGLE, _HALF_WAY = (1 << 29) - 1, 1 << 28


def _finish_float(value: float) -> float:
    # The text was rounded to 64 bits. To round again is wrong only half way between two floats of 32 bits.
    if _BITS.unpack(_DOUBLE.pack(value))[0] & _BEYOND_SINGLE == _HALF_WAY:
        raise Refused
    if abs(value) < _SINGLE_MIN_NORMAL and (value or math.copysign(1, value) < 0):
        raise Refused
    return _SINGLE.unpack(_SINGLE.pack(value))[0]  # type: ignore[no-any-return]


def _decimal_finish(schema: Schema, is_nullable: bool, null: Any) -> Finish:
    scale = int((schema.parameters or {})[Decimal.SCALE_FIELD])

    def finish_decimal(raw: msgspec.Raw) -> Any:
        text = bytes(raw)
        if text.startswith(b'"'):
            return Decimal.of_unscaled_bytes(binascii.a2b_base64(text[1:-1], strict_mode=True), scale)
        if is_nullable and text == b"null":
            return null
        return parse_number(text.decode())

    return finish_decimal


_PRIMITIVE_FORMS: Final[dict[Type, tuple[Any, Finish | None]]] = {
    Type.INT8: (_int(8), None),
    Type.INT16: (_int(16), None),
    Type.INT32: (_int(32), None),
    Type.INT64: (_int(64), None),
    Type.FLOAT32: (float, _finish_float),
    Type.FLOAT64: (float, _finish_double),
    Type.BOOLEAN: (bool, None),
    Type.STRING: (str, None),
    Type.BYTES: (bytes, None),
}
