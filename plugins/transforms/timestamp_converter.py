"""TimestampConverter: timestamps in other forms (`org.apache.kafka.connect.transforms.TimestampConverter`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from connectd.columns import NotInColumns, RecordColumns
from connectd.config import ConfigDef, Importance, ValidString
from connectd.config import Type as ConfigType
from connectd.errors import ConfigException, ConnectException
from connectd.schema import Schema, SchemaBuilder
from plugins.java_date_format import SimpleDateFormat
from plugins.transforms.base import (
    KEY,
    REPLACE_NULL_CONFIG,
    VALUE,
    FieldTransformation,
    R,
    per_schema,
    with_replace_null,
)
from plugins.transforms.requirements import require_map, require_struct
from plugins.transforms.structs import StructCopy, builder_like, copy_of
from plugins.transforms.timestamps import (
    STRING,
    TARGETS,
    UNITS_PER_MS,
    Forms,
    form_of_schema,
    form_of_value,
    target_schema,
)

FIELD_CONFIG: Final = "field"
TARGET_TYPE_CONFIG: Final = "target.type"
FORMAT_CONFIG: Final = "format"
PRECISION_CONFIG: Final = "unix.precision"
PURPOSE: Final = "converting timestamp formats"


class TimestampConverter(FieldTransformation[R]):
    """Converts a field, or the whole, between texts, numbers since 1970, and Connect's dates, times and timestamps."""

    CONFIG = with_replace_null(
        ConfigDef()
        .define(
            FIELD_CONFIG,
            ConfigType.STRING,
            "",
            importance=Importance.HIGH,
            doc="The field with the timestamp; empty if the whole is one.",
        )
        .define(
            TARGET_TYPE_CONFIG,
            ConfigType.STRING,
            validator=ValidString.in_(*TARGETS),
            importance=Importance.HIGH,
            doc="What it becomes: a text, a number since 1970, or one of Connect's types.",
        )
        .define(
            FORMAT_CONFIG,
            ConfigType.STRING,
            "",
            doc="How texts are written and read, in UTC: a pattern of Java's SimpleDateFormat. Required for texts.",
        )
        .define(
            PRECISION_CONFIG,
            ConfigType.STRING,
            "milliseconds",
            ValidString.in_(*UNITS_PER_MS),
            Importance.LOW,
            "The unit of numbers since 1970. What is finer than a millisecond is lost.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._field: str = values[FIELD_CONFIG]
        self._target: str = values[TARGET_TYPE_CONFIG]
        self._with_defaults: bool = values[REPLACE_NULL_CONFIG]
        self._forms = Forms(_format(self._target, values[FORMAT_CONFIG]), values[PRECISION_CONFIG])
        self._schema_for = per_schema(self._make_schema)
        self._copy_for = per_schema(self._make_copy)
        self._converter_for = per_schema(self._converter)

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if schema is None:
            return self.part.changed(record, None, self._plain(value))
        if not self._field:
            target = target_schema(self._target, schema.is_optional)
            return self.part.changed(record, target, self._converter_for(schema)(value))
        if value is None:
            return self.part.changed(record, self._schema_for(schema), None)
        copy = self._copy_for(require_struct(value, PURPOSE).schema)
        return self.part.changed(record, copy.target, copy.struct(value))

    def apply_columns(self, columns: RecordColumns) -> None:
        if not self._field:
            raise NotInColumns
        super().apply_columns(columns)

    def change_maps(self, maps: list[Any], columns: RecordColumns) -> list[Any]:
        for fields in maps:
            if fields is not None:
                fields[self._field] = self._plain_timestamp(fields.get(self._field))
        return maps

    def _plain(self, value: Any) -> Any:
        if value is None:
            return None
        if not self._field:
            return self._plain_timestamp(value)
        fields = require_map(value, PURPOSE)
        return {**fields, self._field: self._plain_timestamp(fields.get(self._field))}

    def _plain_timestamp(self, value: Any) -> Any:
        return None if value is None else self._forms.convert(form_of_value(value), self._target, value)

    def _converter(self, schema: Schema) -> Callable[[Any], Any]:
        target, convert = self._target, self._forms.convert
        try:
            form = form_of_schema(schema)
        except ConnectException as error:
            return _raising(error)
        return lambda value: None if value is None else convert(form, target, value)

    def _make_schema(self, schema: Schema) -> Schema:
        if schema.default_value is not None:
            return self._copy_for(schema).target
        return self._schema_builder(schema).build()

    def _schema_builder(self, schema: Schema) -> SchemaBuilder:
        builder = builder_like(schema, SchemaBuilder.struct())
        for field in schema.fields:
            is_optional = field.schema.is_optional
            is_target = field.name == self._field
            builder.field(field.name, target_schema(self._target, is_optional) if is_target else field.schema)
        return builder.optional() if schema.is_optional else builder

    def _make_copy(self, schema: Schema) -> StructCopy:
        builder = self._schema_builder(schema)
        field = schema.field(self._field)
        changes = {} if field is None else {self._field: self._converter(field.schema)}
        copy = copy_of(schema, builder.build(), self._with_defaults, changes)
        if schema.default_value is None:
            return copy
        builder.default_value(copy.struct(schema.default_value))
        return copy_of(schema, builder.build(), self._with_defaults, changes)


def _raising(error: ConnectException) -> Callable[[Any], Any]:
    """A conversion that fails: that it would is not to be said before the fields in front are looked at."""

    def fail(_: Any) -> Any:
        raise ConnectException(*error.args)

    return fail


def _format(target: str, pattern: str) -> SimpleDateFormat | None:
    if not pattern.strip():
        if target == STRING:
            raise ConfigException(
                "TimestampConverter requires format option to be specified when using string timestamps"
            )
        return None
    try:
        return SimpleDateFormat(pattern)
    except ValueError as error:
        raise ConfigException(
            f"TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
        ) from error


class TimestampConverterKey(TimestampConverter[R]):
    """`TimestampConverter` for keys."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.TimestampConverter$Key"
    part = KEY


class TimestampConverterValue(TimestampConverter[R]):
    """`TimestampConverter` for values."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.TimestampConverter$Value"
    part = VALUE
