"""ReplaceField: leaves out or renames fields (`org.apache.kafka.connect.transforms.ReplaceField`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Importance, LambdaValidator, Type, ValidList
from connectd.errors import ConfigException, DataException
from connectd.schema import Field, Schema, SchemaBuilder
from plugins.transforms.base import (
    KEY,
    REMEMBERED_SCHEMAS,
    REPLACE_NULL_CONFIG,
    VALUE,
    FieldTransformation,
    R,
    per_schema,
    with_replace_null,
)
from plugins.transforms.pairs import split_pair
from plugins.transforms.requirements import require_map, require_struct
from plugins.transforms.structs import StructCopy, builder_like

EXCLUDE_CONFIG: Final = "exclude"
INCLUDE_CONFIG: Final = "include"
RENAMES_CONFIG: Final = "renames"
PURPOSE: Final = "field replacement"


def parse_renames(mappings: Sequence[str]) -> dict[str, str]:
    """New names by old ones, from `old:new`. Raises ConfigException."""
    renames = {}
    for mapping in mappings:
        parts = split_pair(mapping)
        if len(parts) != 2:
            raise ConfigException(RENAMES_CONFIG, mappings, f"Invalid rename mapping: {mapping}")
        renames[parts[0]] = parts[1]
    return renames


class ReplaceField(FieldTransformation[R]):
    """Leaves out fields, keeps only some, or gives them other names."""

    CONFIG = with_replace_null(
        ConfigDef()
        .define(
            EXCLUDE_CONFIG,
            Type.LIST,
            [],
            ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False),
            Importance.MEDIUM,
            "Fields to leave out. It wins over `include`.",
        )
        .define(
            INCLUDE_CONFIG,
            Type.LIST,
            [],
            ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False),
            Importance.MEDIUM,
            "Fields to keep; if empty, all.",
        )
        .define(
            RENAMES_CONFIG,
            Type.LIST,
            [],
            LambdaValidator.with_(
                lambda _, value: parse_renames(value), lambda: "list of colon-delimited pairs, e.g. `foo:bar,abc:xyz`"
            ),
            Importance.MEDIUM,
            "Fields to rename, each as `old:new`.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._exclude = frozenset(values[EXCLUDE_CONFIG])
        self._include = frozenset(values[INCLUDE_CONFIG])
        self._renames = parse_renames(values[RENAMES_CONFIG])
        new_names = set(self._renames.values())
        is_clear = len(new_names) == len(self._renames) and new_names.isdisjoint(self._renames)
        self._changes_few = is_clear and not self._include
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        self._copy_for = per_schema(self._make_copy)
        self._plan_for = lru_cache(maxsize=REMEMBERED_SCHEMAS)(self._plan)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if value is None:
            return record
        if schema is None:
            renames = self._renames
            fields = require_map(value, PURPOSE).items()
            kept = {renames.get(name, name): field for name, field in fields if self._is_kept(name)}
            return self.part.changed(record, None, kept)
        copy = self._copy_for(require_struct(value, PURPOSE).schema)
        return self.part.changed(record, copy.target, copy.struct(value))

    def change_maps(self, maps: list[Any], columns: RecordColumns) -> list[Any]:
        given = list(filter(None, maps))
        if not self._changes_few or any(name in fields for name in self._renames.values() for fields in given):
            # Where a new name is there already the order counts.
            return list(map(self._map_changed, maps))
        for name in self._exclude:
            for fields in given:
                fields.pop(name, None)
        for old, new in self._renames.items():
            for fields in given:
                if old in fields:
                    fields[new] = fields.pop(old)
        return maps

    def _map_changed(self, fields: Any) -> Any:
        if fields is None:
            return None
        names, take = self._plan_for(tuple(fields))
        return dict(zip(names, take(fields), strict=True))

    def _plan(self, names: tuple[str, ...]) -> tuple[list[str], Callable[[dict[str, Any]], Sequence[Any]]]:
        """For maps with these names: the names of what is kept, and how to take it."""
        kept = [name for name in names if self._is_kept(name)]
        take = itemgetter(*kept) if len(kept) > 1 else (lambda fields: [fields[name] for name in kept])
        return [self._renames.get(name, name) for name in kept], take

    def _is_kept(self, name: str) -> bool:
        return name not in self._exclude and (not self._include or name in self._include)

    def _make_copy(self, schema: Schema) -> StructCopy:
        builder = builder_like(schema, SchemaBuilder.struct())
        for field in schema.fields:
            if self._is_kept(field.name):
                builder.field(self._renames.get(field.name, field.name), field.schema)
        target = builder.build()
        # As in Java a field is looked up by its old name, also one that has had the new name from the beginning. Of
        # several that get the same name, Java takes any; here it is one that exists.
        renames = sorted(self._renames.items(), key=lambda rename: schema.field(rename[0]) is not None)
        old_names = {new: old for old, new in renames}
        pairs = [(_field(schema, old_names.get(field.name, field.name)), field) for field in target.fields]
        return StructCopy(schema, target, pairs, self._with_defaults)


def _field(schema: Schema, name: str) -> Field:
    field = schema.field(name)
    if field is None:
        raise DataException(f"{name} is not a valid field name")
    return field


class ReplaceFieldKey(ReplaceField[R]):
    """`ReplaceField` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.ReplaceField$Key"
    part = KEY


class ReplaceFieldValue(ReplaceField[R]):
    """`ReplaceField` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.ReplaceField$Value"
    part = VALUE
