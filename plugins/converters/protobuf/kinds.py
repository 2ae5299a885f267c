"""What a Connect schema stands for in Protobuf beyond its type: unions, enums, and the names of things."""

from __future__ import annotations

from connectd.schema import Schema, Type
from plugins.converters.protobuf.constants import DEFAULT_NAME, ENTRY, ENUM, GENERAL_ENUM, GENERAL_UNION, UNION, WRAPPER
from plugins.converters.protobuf.settings import ProtobufSettings


def parameter(schema: Schema, name: str) -> str | None:
    """A parameter of the schema."""
    return schema.parameters.get(name) if schema.parameters else None


def is_union(schema: Schema) -> bool:
    """Whether a struct schema is a oneof."""
    is_named_so = schema.name is not None and schema.name.startswith(UNION)
    return schema.type is Type.STRUCT and (is_named_so or parameter(schema, GENERAL_UNION) is not None)


def enum_marker(schema: Schema, settings: ProtobufSettings) -> str | None:
    """The parameter that makes the schema an enum, if it is one."""
    if schema.type is Type.STRING and (parameter(schema, GENERAL_ENUM) or parameter(schema, ENUM)) is not None:
        return GENERAL_ENUM if settings.generalized_sum_types else ENUM
    return ENUM if schema.type is Type.INT32 and parameter(schema, ENUM) is not None else None


def is_wrapped(schema: Schema, is_of_union: bool, settings: ProtobufSettings) -> bool:
    """Whether an optional value is put into a wrapper message. A oneof needs none, unless it was read with one."""
    if not settings.wrapper_for_nullables or not schema.is_optional:
        return False
    return not is_of_union or parameter(schema, WRAPPER) == "true"


def entry_name(name: str) -> str:
    """The message of a map's entries: `some_map` has `SomeMapEntry`."""
    camel = "".join(part[:1].upper() + part[1:].lower() for part in name.split("_")) if "_" in name else name
    return camel + ENTRY


def map_name(entry: str) -> str:
    """The name of a map of these entries; the reverse of `entry_name`, if it can be."""
    package, dot, short = entry.rpartition(".")
    if short.endswith(ENTRY):
        short = short.removesuffix(ENTRY)
        short = "".join(
            f"_{each.lower()}" if each.isupper() and index else each.lower() for index, each in enumerate(short)
        )
    return f"{package}{dot}{short}"


def default_name(number: int) -> str:
    """The name of what has none."""
    return f"{DEFAULT_NAME}{number}"
