"""MaskField: hides what fields hold (`org.apache.kafka.connect.transforms.MaskField`)."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Importance, NonEmptyString, Type, ValidList
from connectd.errors import DataException
from connectd.javanumbers import parse_decimal
from connectd.schema import Field, Schema, validate_value
from connectd.schema import Type as SchemaType
from connectd.values import Values
from plugins.transforms.base import (
    KEY,
    REPLACE_NULL_CONFIG,
    VALUE,
    FieldTransformation,
    R,
    per_schema,
    with_replace_null,
)
from plugins.transforms.requirements import require_map, require_struct, type_name
from plugins.transforms.structs import StructCopy, copy_of

FIELDS_CONFIG: Final = "fields"
REPLACEMENT_CONFIG: Final = "replacement"
PURPOSE: Final = "mask fields"

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

# A bool is an int and a datetime a date: they come before these.
_EMPTY: Final[tuple[tuple[type, Callable[[], Any]], ...]] = (
    (bool, lambda: False),
    (str, lambda: ""),
    (int, lambda: 0),
    (float, lambda: 0.0),
    (decimal.Decimal, lambda: decimal.Decimal(0)),
    (datetime.datetime, lambda: _EPOCH),
    (datetime.date, _EPOCH.date),
    (datetime.time, _EPOCH.time),
    (list, list),
    (dict, dict),
)

_CONVERSIONS: Final[Mapping[SchemaType, Callable[[Schema | None, Any], Any]]] = {
    SchemaType.INT8: Values.convert_to_byte,
    SchemaType.INT16: Values.convert_to_short,
    SchemaType.INT32: Values.convert_to_integer,
    SchemaType.INT64: Values.convert_to_long,
    SchemaType.FLOAT32: Values.convert_to_float,
    SchemaType.FLOAT64: Values.convert_to_double,
}


class MaskField(FieldTransformation[R]):
    """Replaces what fields hold by something of the same type: 0, false, an empty text, list or map, or `replacement`.

    Null stays null.
    """

    CONFIG = with_replace_null(
        ConfigDef()
        .define(
            FIELDS_CONFIG,
            Type.LIST,
            validator=ValidList.any_non_duplicate_values(is_empty_allowed=False, is_null_allowed=False),
            importance=Importance.HIGH,
            doc="The fields to mask.",
        )
        .define(
            REPLACEMENT_CONFIG,
            Type.STRING,
            None,
            NonEmptyString(),
            Importance.LOW,
            "What to put into the fields, which must be numbers or texts.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._names: list[str] = values[FIELDS_CONFIG]
        self._replacement: str | None = values[REPLACEMENT_CONFIG]
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        self._copy_for = per_schema(self._make_copy)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if schema is None:
            fields = require_map(value, PURPOSE)
            masked = {name: self._masked(fields.get(name), None) for name in self._names}
            return self.part.changed(record, None, {**fields, **masked})
        copy = self._copy_for(require_struct(value, PURPOSE).schema)
        return self.part.changed(record, schema, copy.struct(value))

    def change_maps(self, maps: list[Any], columns: RecordColumns) -> list[Any]:
        # Most of what is masked is text.
        text = "" if self._replacement is None else self._replacement
        for name in self._names:
            for each in maps:
                value = each.get(name)
                each[name] = text if type(value) is str else self._masked(value, None)
        return maps

    def _masked(self, value: Any, schema: Schema | None) -> Any:
        if value is None:
            return None
        return _emptied(value) if self._replacement is None else _replaced(value, schema, self._replacement)

    def _make_copy(self, schema: Schema) -> StructCopy:
        masks = {field.name: self._mask(field) for field in schema.fields if field.name in self._names}
        return copy_of(schema, schema, self._with_defaults, masks)

    def _mask(self, field: Field) -> Callable[[Any], Any]:
        if self._replacement is None and field.schema.type is SchemaType.STRING:
            return lambda value: None if value is None else ""

        def mask(value: Any) -> Any:
            masked = self._masked(value, field.schema)
            if self._replacement is not None:
                validate_value(field.schema, masked, field.name)
            return masked

        return mask


def _emptied(value: Any) -> Any:
    for kind, empty in _EMPTY:
        if isinstance(value, kind):
            return empty()
    raise DataException(f"Cannot mask value of type: {type_name(value)}")


def _replaced(value: Any, schema: Schema | None, replacement: str) -> Any:
    if isinstance(value, str):
        return replacement
    if isinstance(value, decimal.Decimal):
        try:
            return parse_decimal(replacement)
        except ValueError as error:
            raise DataException(f"Unable to convert {replacement} (str) to number") from error
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        plain = SchemaType.INT64 if isinstance(value, int) else SchemaType.FLOAT64
        return _CONVERSIONS[plain if schema is None else schema.type](None, replacement)
    raise DataException(f"Cannot mask value of type {type_name(value)} with custom replacement.")


class MaskFieldKey(MaskField[R]):
    """`MaskField` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.MaskField$Key"
    part = KEY


class MaskFieldValue(MaskField[R]):
    """`MaskField` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.MaskField$Value"
    part = VALUE
