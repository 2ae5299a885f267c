"""HeaderFrom: fields become headers (`org.apache.kafka.connect.transforms.HeaderFrom`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import NotInColumns, RecordColumns
from connectd.config import ConfigDef, Importance, LambdaValidator, Type, ValidString
from connectd.errors import ConfigException, DataException
from connectd.headers import ConnectHeaders
from connectd.schema import Field, Schema, SchemaBuilder
from connectd.schema import Type as SchemaType
from plugins.transforms.base import (
    KEY,
    REPLACE_NULL_CONFIG,
    VALUE,
    PartTransformation,
    R,
    per_schema,
    with_replace_null,
)
from plugins.transforms.requirements import require_map, require_struct
from plugins.transforms.structs import StructCopy, builder_like, copy_of

FIELDS_CONFIG: Final = "fields"
HEADERS_CONFIG: Final = "headers"
OPERATION_CONFIG: Final = "operation"
MOVE: Final = "move"
COPY: Final = "copy"


def _not_empty(name: str, value: Any) -> None:
    if not value:
        raise ConfigException(name, value, "Empty list")


_NON_EMPTY_LIST: Final = LambdaValidator.with_(_not_empty, lambda: "non-empty list")


class HeaderFrom(PartTransformation[R]):
    """Copies or moves fields into headers of the record."""

    CONFIG = with_replace_null(
        ConfigDef()
        .define(
            FIELDS_CONFIG,
            Type.LIST,
            validator=_NON_EMPTY_LIST,
            importance=Importance.HIGH,
            doc="The fields to copy or move.",
        )
        .define(
            HEADERS_CONFIG,
            Type.LIST,
            validator=_NON_EMPTY_LIST,
            importance=Importance.HIGH,
            doc=f"The names of the headers, in the order of `{FIELDS_CONFIG}`.",
        )
        .define(
            OPERATION_CONFIG,
            Type.STRING,
            validator=ValidString.in_(MOVE, COPY),
            importance=Importance.HIGH,
            doc="`move` takes the fields away, `copy` leaves them where they are too.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        names, headers = values[FIELDS_CONFIG], values[HEADERS_CONFIG]
        if len(names) != len(headers):
            raise ConfigException(
                f"'{FIELDS_CONFIG}' config must have the same number of elements as '{HEADERS_CONFIG}' config."
            )
        self._headers_by_field: list[tuple[str, str]] = list(zip(names, headers, strict=True))
        self._moved = frozenset(names) if values[OPERATION_CONFIG] == MOVE else frozenset()
        self._purpose = f"header {values[OPERATION_CONFIG]}"
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        self._copy_for = per_schema(self._make_copy)
        self._fields_for = per_schema(self._find_fields)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        headers = record.headers.duplicate()
        if schema is None:
            fields = require_map(value, self._purpose)
            for name, header in self._headers_by_field:
                headers.add(header, fields.get(name))
            kept = {name: field for name, field in fields.items() if name not in self._moved}
            changed = self.part.changed(record, None, kept)
        else:
            struct = require_struct(value, self._purpose)
            changed = record.new_record()
            if self._moved:
                copy = self._copy_for(struct.schema)
                changed = self.part.changed(record, copy.target, copy.struct(struct))
            get = struct.get if self._with_defaults else struct.get_without_default
            for (name, header), field in zip(self._headers_by_field, self._fields_for(struct.schema), strict=True):
                if field is None:
                    raise DataException(f"Field does not exist: {name}")
                headers.add(header, get(field), field.schema)
        changed.headers = headers
        return changed

    def apply_columns(self, columns: RecordColumns) -> None:
        part, schema = self.part.name, columns.schema(self.part.name)
        headers = [each.duplicate() for each in columns.column("headers")]
        if schema is None:
            maps = columns.own_maps(part)
            for name, header in self._headers_by_field:
                for fields, own in zip(maps, headers, strict=True):
                    own.add(header, fields.get(name))
            for fields in maps:
                for name in self._moved:
                    fields.pop(name, None)
            columns.set_own_maps(part, maps)
        else:
            self._rows_to_headers(columns, schema, headers)
        columns.set_column("headers", headers)

    def _rows_to_headers(self, columns: RecordColumns, schema: Schema, headers: list[ConnectHeaders]) -> None:
        part = self.part.name
        if schema.type is not SchemaType.STRUCT:
            raise NotInColumns
        rows = columns.rows(part)
        for (_, header), field in zip(self._headers_by_field, self._fields_for(schema), strict=True):
            if field is None:
                raise NotInColumns
            index, default = field.index, field.schema.default_value if self._with_defaults else None
            for row, own in zip(rows, headers, strict=True):
                own.add(header, default if row[index] is None else row[index], field.schema)
        if self._moved:
            copy = self._copy_for(schema)
            columns.set_rows(part, copy.target, copy.rows(rows, are_valid=columns.has_valid_rows(part)))

    def _make_copy(self, schema: Schema) -> StructCopy:
        builder = builder_like(schema, SchemaBuilder.struct())
        for field in schema.fields:
            if field.name not in self._moved:
                builder.field(field.name, field.schema)
        return copy_of(schema, builder.build(), self._with_defaults)

    def _find_fields(self, schema: Schema) -> list[Field | None]:
        return [schema.field(name) for name, _ in self._headers_by_field]


class HeaderFromKey(HeaderFrom[R]):
    """`HeaderFrom` for fields of keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.HeaderFrom$Key"
    part = KEY


class HeaderFromValue(HeaderFrom[R]):
    """`HeaderFrom` for fields of values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.HeaderFrom$Value"
    part = VALUE
