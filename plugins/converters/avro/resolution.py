"""Whether one Avro schema can read what another one writes ("Schema Resolution" in Avro's specification)."""

from __future__ import annotations

from typing import Final

from plugins.converters.avro.model import NO_DEFAULT, AvroSchema

_PROMOTIONS: Final = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}


def reasons_not_to_read(reader: AvroSchema, writer: AvroSchema) -> list[str]:
    """What keeps `reader` from reading data of `writer`; empty if nothing does."""
    return _reasons(reader, writer, "the value", [])


def _reasons(
    reader: AvroSchema, writer: AvroSchema, place: str, open: list[tuple[AvroSchema, AvroSchema]]
) -> list[str]:
    if any(reader is one and writer is other for one, other in open):
        return []
    if writer.type == "union":
        return [reason for each in writer.types for reason in _reasons(reader, each, place, open)]
    if reader.type == "union":
        if any(not _reasons(each, writer, place, open) for each in reader.types):
            return []
        return [f"{place}: no type of the union reads {writer.branch_name()}"]
    if reader.type != writer.type:
        is_promoted = reader.type in _PROMOTIONS.get(writer.type, ())
        return [] if is_promoted else [f"{place}: {reader.branch_name()} does not read {writer.branch_name()}"]
    match reader.type:
        case "array" | "map":
            assert reader.items is not None and writer.items is not None
            return _reasons(reader.items, writer.items, f"an element of {place}", open)
        case "record":
            return _reasons_of_records(reader, writer, place, open)
        case "enum":
            unknown = set(writer.symbols) - set(reader.symbols)
            is_covered = not unknown or reader.enum_default is not None
            return [] if is_covered else [f"{place}: the enum does not know {', '.join(sorted(unknown))}"]
        case "fixed":
            is_same = reader.size == writer.size and _short(reader) == _short(writer)
            return [] if is_same else [f"{place}: another fixed"]
    return []


def _reasons_of_records(
    reader: AvroSchema, writer: AvroSchema, place: str, open: list[tuple[AvroSchema, AvroSchema]]
) -> list[str]:
    if _short(reader) != _short(writer):
        return [f"{place}: a record {reader.name} does not read {writer.name}"]
    written = {each.name: each.schema for each in writer.fields}
    reasons: list[str] = []
    for field in reader.fields:
        here = f"field {field.name}"
        if field.name in written:
            reasons += _reasons(field.schema, written[field.name], here, [*open, (reader, writer)])
        elif field.default is NO_DEFAULT:
            reasons.append(f"{here}: it has no default value and is not written")
    return reasons


def _short(schema: AvroSchema) -> str:
    return (schema.name or "").rpartition(".")[2]
