"""Writes structs as Avro's records with functions that are written for one schema and compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from connectd.errors import DataException
from connectd.schema import Field, Schema
from plugins.converters.avro.binary import (
    BEYOND_SMALL,
    BOOLEANS,
    SMALL,
    SMALLEST,
    Encode,
    encode_boolean,
    encode_long,
    encode_text,
)

EncodeAll = Callable[[Sequence[Any], bytes], list[bytes | None]]
"""The bytes of many values, none of them None, each behind the same beginning. Raises what it likes if one does not fit."""

# A call for each value would cost more than most of them take.
_WRITTEN_OUT: Final[dict[Encode, tuple[str, ...]]] = {
    encode_boolean: ("BOOLEANS[{0}]",),
    encode_long: (f"SMALL[{{0}}] if {SMALLEST} <= {{0}} < {BEYOND_SMALL} else encode_long({{0}})",),
    encode_text: (
        f"SMALL[size] if (size := len(text := {{0}}.encode())) < {BEYOND_SMALL} else encode_long(size)",
        "text",
    ),
}


class FieldWriting(NamedTuple):
    """How a field is written: with `default` in the place of null, with `null` for it or, if that is None, never without a value;
    `before` stands before each value."""

    field: Field
    default: Any
    encode: Encode
    null: bytes | None = None
    before: bytes = b""


class RecordEncoder(NamedTuple):
    """What writes structs of one schema, one or many. Raises DataException for one of another schema, or with a null too much."""

    encode: Encode
    encode_all: EncodeAll


def new_record_encoder(schema: Schema, fields: Sequence[FieldWriting]) -> RecordEncoder:
    """`fields` are all of the schema's, in their order."""

    def check(value: Any) -> None:
        if value.schema != schema:
            raise DataException(f"Expected a struct of {schema}, found one of {value.schema}")

    def explain(value: Any) -> None:
        check(value)
        for each in fields:
            if each.null is None and each.default is None and value.field_values[each.field.index] is None:
                raise DataException(f"Found null for the field {each.field.name}, which is not optional")

    # As with data classes, code is made of nothing but numbers.
    names: dict[str, Any] = {
        "BOOLEANS": BOOLEANS,
        "SMALL": SMALL,
        "encode_long": encode_long,
        "join": b"".join,
        "schema": schema,
        "check": check,
        "explain": explain,
    }
    statements, pieces = _code(fields, names)
    lines = [
        "def encode(value):",
        "    try:",
        *(f"        {each}" for each in statements),
        f"        return join(({pieces}))",
        "    except Exception:",
        "        explain(value)",
        "        raise",
        "def encode_all(values, before):",
        "    found = []",
        "    add = found.append",
        "    for value in values:",
        *(f"        {each}" for each in statements),
        f"        add(join((before, {pieces})))",
        "    return found",
    ]
    exec("\n".join(lines), names)  # noqa: S102  # the steps of one schema written out
    return RecordEncoder(names["encode"], names["encode_all"])


def _code(fields: Sequence[FieldWriting], names: dict[str, Any]) -> tuple[list[str], str]:
    """What takes the fields out of `value`, and the pieces that they are written as."""
    statements = [
        "if value.schema is not schema: check(value)",
        f"({''.join(f'v{number}, ' for number in range(len(fields)))}) = value.field_values",
    ]
    pieces: list[str] = []
    for number, each in enumerate(fields):
        value = f"v{number}"
        if each.default is not None:
            names[f"default{number}"] = each.default
            statements.append(f"if {value} is None: {value} = default{number}")
        elif each.null is None and each.encode not in _WRITTEN_OUT:
            statements.append(f"if {value} is None: explain(value)")
        names[f"encode{number}"] = each.encode
        parts = [part.format(value) for part in _WRITTEN_OUT.get(each.encode, (f"encode{number}({{0}})",))]
        if each.null is not None:
            names[f"null{number}"], names[f"before{number}"] = each.null, each.before
            parts = [
                f"null{number} if {value} is None else before{number} + {' + '.join(f'({part})' for part in parts)}"
            ]
        pieces += parts
    return statements, "".join(f"{piece}, " for piece in pieces)
