"""Structs made from others field by field: what to take is worked out once per schema, not once per record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from connectd.errors import ConnectException
from connectd.schema import Field, Schema, SchemaBuilder, Type, validate_value
from connectd.struct import Struct
from plugins.transforms.rows import Change, ChangeRows, Rows, Taking, row_changer

NO_CHANGES: Final[Mapping[str, Change]] = MappingProxyType({})


class StructCopy:
    """Fills structs of `target` with fields of other structs, which have the schema `source`.

    `pairs` says which field of the other goes into which of the target; all others of the target stay unset. With
    `with_defaults` a null is replaced by the default value of the field it comes from, if that has one. `changes` gives,
    by names of the target, functions that change values, null too; what they return is trusted to fit, unless it is null.
    """

    __slots__ = (
        "_by_field",
        "_changes",
        "_checks",
        "_defaults",
        "_indices",
        "_pairs",
        "_required",
        "_rows",
        "_unset",
        "source",
        "target",
    )

    def __init__(
        self,
        source: Schema,
        target: Schema,
        pairs: Iterable[tuple[Field, Field]],
        with_defaults: bool,
        changes: Mapping[str, Change] = NO_CHANGES,
    ) -> None:
        pairs = list(pairs)
        self.source = source
        self.target = target
        self._pairs = pairs
        # Made when first asked for: for rows that are known to fit the source's schema, and for others.
        self._rows: dict[bool, ChangeRows] = {}
        self._by_field = [(source, target, [pair], with_defaults, changes) for pair in pairs] if len(pairs) > 1 else []
        # What is not taken comes from behind the end, where `values` puts a None.
        indices = [-1] * len(target.fields)
        for taken, field in pairs:
            indices[field.index] = taken.index
        # Most take all fields in their order, and then may have some more: None for these instead of `_indices`.
        count = len(source.fields)
        takes_all = indices[:count] == list(range(count)) and set(indices[count:]) <= {-1}
        self._indices = None if takes_all else indices
        self._unset = [None] * (len(indices) - count)
        self._defaults = [
            (field.index, taken.schema.default_value)
            for taken, field in pairs
            if with_defaults and taken.schema.default_value is not None
        ]
        self._changes = [(field.index, changes[field.name]) for _, field in pairs if field.name in changes]
        self._required = [(field.index, field) for _, field in pairs if not field.schema.is_optional]
        self._checks = [field for taken, field in pairs if field.name not in changes and field.schema != taken.schema]

    def values(self, struct: Struct) -> list[Any]:
        """The values for a struct of the target, one a field.

        Raises DataException where a required field would be null, or a value does not fit a field of another schema, and
        what the changes raise; if there are several, for the first of the fields.
        """
        if self._indices is None:
            values = [*struct.field_values, *self._unset]
        else:
            source = [*struct.field_values, None]
            values = [source[index] for index in self._indices]
        for index, default in self._defaults:
            if values[index] is None:
                values[index] = default
        try:
            for index, change in self._changes:
                values[index] = change(values[index])
            for index, field in self._required:
                if values[index] is None:
                    validate_value(field.schema, None, field.name)
            for field in self._checks:
                validate_value(field.schema, values[field.index], field.name)
        except ConnectException:
            for only in self._by_field:
                StructCopy(*only).values(struct)
            raise
        return values

    def rows(self, rows: Rows, *, are_valid: bool) -> Rows:
        """The same for many structs, given and returned as their field values; `are_valid` if none is null that must not be.

        Raises anything where `values` raises for one of them.
        """
        change = self._rows.get(are_valid)
        if change is None:
            change = self._rows[are_valid] = self._row_changer(are_valid)
        return change(rows)

    def _row_changer(self, are_valid: bool) -> ChangeRows:
        changes = dict(self._changes)
        defaults = dict(self._defaults)
        takings = [
            Taking(
                field,
                taken.index,
                defaults.get(field.index),
                changes.get(field.index),
                must_not_be_null=not field.schema.is_optional
                and (not are_valid or taken.schema.is_optional or field.index in changes),
                must_be_checked=field in self._checks,
            )
            for taken, field in self._pairs
        ]
        return row_changer(len(self.source.fields), len(self.target.fields), takings)

    def struct(self, struct: Struct) -> Struct:
        """A struct of the target; errors as of `values`."""
        return Struct.of_checked(self.target, self.values(struct))


def copy_of(
    source: Schema, target: Schema, with_defaults: bool, changes: Mapping[str, Change] = NO_CHANGES
) -> StructCopy:
    """Takes every field of `source` that `target` has by that name."""
    pairs = [(field, same) for field in source.fields if (same := target.field(field.name)) is not None]
    return StructCopy(source, target, pairs, with_defaults, changes)


def builder_like(source: Schema, builder: SchemaBuilder | None = None) -> SchemaBuilder:
    """A builder with name, version, doc and parameters of `source`, and its type unless `builder` is given.

    Neither fields nor whether it is optional are taken over, as `SchemaUtil.copySchemaBasics` in Kafka.
    """
    if builder is None:
        elements = source.value_schema if source.type is Type.ARRAY else None
        builder = SchemaBuilder(source.type) if elements is None else SchemaBuilder.array(elements)
    if source.name is not None:
        builder.name(source.name)
    if source.version is not None:
        builder.version(source.version)
    if source.doc is not None:
        builder.doc(source.doc)
    return builder.parameters(source.parameters or {})
