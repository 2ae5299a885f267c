"""Drop: a key or value of null (`io.confluent.connect.transforms.Drop`, after its documentation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.config import CaseInsensitiveValidString, ConfigDef, Type
from connectd.schema import Schema
from connectd.schema import Type as SchemaType
from plugins.transforms.base import KEY, VALUE, PartTransformation, R, per_schema

BEHAVIOR_CONFIG: Final = "schema.behavior"


class Drop(PartTransformation[R]):
    """Makes the key, or the value, null."""

    CONFIG = ConfigDef().define(
        BEHAVIOR_CONFIG,
        Type.STRING,
        "nullify",
        CaseInsensitiveValidString.in_("nullify", "retain", "force_optional"),
        doc="What becomes of its schema: none too, the same, or the same but optional.",
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._schema_for = {"nullify": _none, "retain": _same, "force_optional": per_schema(_optional)}[
            values[BEHAVIOR_CONFIG].lower()
        ]

    def apply(self, record: R) -> R:
        schema, _ = self.part.read(record)
        return self.part.changed(record, None if schema is None else self._schema_for(schema), None)


def _none(_: Schema) -> Schema | None:
    return None


def _same(schema: Schema) -> Schema | None:
    return schema


def _optional(schema: Schema) -> Schema | None:
    return Schema(
        schema.type,
        True,
        schema.default_value,
        schema.name,
        schema.version,
        schema.doc,
        schema.parameters,
        schema.fields if schema.type is SchemaType.STRUCT else (),
        schema.key_schema if schema.type is SchemaType.MAP else None,
        schema.value_schema if schema.type in (SchemaType.MAP, SchemaType.ARRAY) else None,
    )


class DropKey(Drop[R]):
    """`Drop` for keys."""

    JAVA_NAME = "io.confluent.connect.transforms.Drop$Key"
    part = KEY


class DropValue(Drop[R]):
    """`Drop` for values."""

    JAVA_NAME = "io.confluent.connect.transforms.Drop$Value"
    part = VALUE
