"""FilterByFieldValue: keeps or drops by what a field holds (`io.aiven.kafka.connect.transforms.FilterByFieldValue`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from connectd.config import ConfigDef, Importance
from connectd.config import Type as ConfigType
from connectd.errors import ConfigException, DataException
from connectd.schema import Schema
from connectd.values import Values
from plugins.java_regex import compile_pattern
from plugins.transforms.base import KEY, VALUE, PartTransformation, R
from plugins.transforms.requirements import require_map, require_struct

FIELD_CONFIG: Final = "field.name"
VALUE_CONFIG: Final = "field.value"
PATTERN_CONFIG: Final = "field.value.pattern"
MATCHES_CONFIG: Final = "field.value.matches"
PURPOSE: Final = "filtering by a field"

Condition = Callable[[Schema | None, Any], bool]


class FilterByFieldValue(PartTransformation[R]):
    """Keeps the records where a field has a value or matches a regular expression, or all others. Null stays."""

    CONFIG = (
        ConfigDef()
        .define(
            FIELD_CONFIG, ConfigType.STRING, None, importance=Importance.HIGH, doc="The field; if empty, the whole."
        )
        .define(
            VALUE_CONFIG,
            ConfigType.STRING,
            None,
            importance=Importance.HIGH,
            doc="The value; numbers, booleans and dates are recognized as such.",
        )
        .define(
            PATTERN_CONFIG,
            ConfigType.STRING,
            None,
            lambda name, value: compile_pattern(name, value or ""),
            Importance.HIGH,
            f"An expression, in Java's syntax, for a part of the field's text; instead of `{VALUE_CONFIG}`.",
        )
        .define(MATCHES_CONFIG, ConfigType.BOOLEAN, True, doc="Whether records that match are kept, or all others.")
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        expected, pattern = values[VALUE_CONFIG], values[PATTERN_CONFIG]
        if (expected is not None) == bool(pattern):
            raise ConfigException("Either field.value or field.value.pattern have to be set to apply filter transform")
        self._name: str | None = values[FIELD_CONFIG] or None
        self._keeps_matches: bool = values[MATCHES_CONFIG]
        self._matches = _equals(expected) if expected is not None else _contains(pattern)

    def apply(self, record: R) -> R | None:
        schema, value = self.part.read(record)
        if value is None:
            return record
        if self._name is not None:
            schema, value = _field(self._name, schema, value)
        is_match = value is not None and self._matches(schema, value)
        return record if is_match == self._keeps_matches else None


def _field(name: str, schema: Schema | None, value: Any) -> tuple[Schema | None, Any]:
    if schema is None:
        return None, require_map(value, PURPOSE).get(name)
    struct = require_struct(value, PURPOSE)
    field = struct.schema.field(name)
    if field is None:
        raise DataException(f"{name} is not a valid field name")
    return field.schema, struct.get(field)


def _equals(text: str) -> Condition:
    expected = Values.parse_string(text).value
    # In Python True is 1.
    return lambda _, value: bool(value == expected) and isinstance(value, bool) == isinstance(expected, bool)


def _contains(pattern: str) -> Condition:
    search = compile_pattern(PATTERN_CONFIG, pattern).search
    return lambda schema, value: search(Values.convert_to_string(schema, value) or "") is not None


class FilterByFieldValueKey(FilterByFieldValue[R]):
    """`FilterByFieldValue` for keys."""

    JAVA_NAME = "io.aiven.kafka.connect.transforms.FilterByFieldValue$Key"
    part = KEY


class FilterByFieldValueValue(FilterByFieldValue[R]):
    """`FilterByFieldValue` for values."""

    JAVA_NAME = "io.aiven.kafka.connect.transforms.FilterByFieldValue$Value"
    part = VALUE
