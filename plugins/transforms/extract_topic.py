"""ExtractTopic: the topic from a field (`io.aiven.kafka.connect.transforms.ExtractTopic`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.config import ConfigDef, Importance
from connectd.config import Type as ConfigType
from connectd.errors import DataException
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.java_text import to_text
from plugins.transforms.base import KEY, VALUE, PartTransformation, R
from plugins.transforms.requirements import type_name

FIELD_CONFIG: Final = "field.name"
SKIP_CONFIG: Final = "skip.missing.or.null"

_TYPES: Final = frozenset(
    (Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.FLOAT32, Type.FLOAT64, Type.BOOLEAN, Type.STRING)
)


class ExtractTopic(PartTransformation[R]):
    """Makes the text of a field, or the whole, the topic of the record."""

    CONFIG = (
        ConfigDef()
        .define(
            FIELD_CONFIG,
            ConfigType.STRING,
            None,
            doc="The field with the name of the topic: a text, number or boolean. Without it the whole is taken.",
        )
        .define(
            SKIP_CONFIG,
            ConfigType.BOOLEAN,
            False,
            importance=Importance.LOW,
            doc="Whether records where it is missing, null or empty keep their topic. Otherwise they are errors.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._name: str | None = values[FIELD_CONFIG] or None
        self._skips: bool = values[SKIP_CONFIG]
        self._place = "key" if self.part is KEY else "value"

    def apply(self, record: R) -> R:
        schema, value = self.part.read(record)
        if self._name is not None:
            schema, value = self._field(self._name, schema, value)
        topic = self._text(schema, value)
        if topic:
            return record.new_record(topic=topic)
        if self._skips:
            return record
        raise DataException(f"{self._what()} can't be null or empty")

    def _field(self, name: str, schema: Schema | None, value: Any) -> tuple[Schema | None, Any]:
        """The schema and value of the field; no schema and None for a field that is not there and may be missing."""
        if schema is None:
            if not isinstance(value, dict):
                raise DataException(
                    f"{self._place} type must be Map if field name is specified, not {type_name(value)}"
                )
            return None, value.get(name)
        if schema.type is not Type.STRUCT:
            raise DataException(
                f"{self._place} schema type must be STRUCT if field name is specified, not {schema.type}"
            )
        if not isinstance(value, Struct):
            raise DataException(f"{self._place} can't be null if field name is specified")
        field = schema.field(name)
        if field is None:
            if self._skips:
                return None, None
            raise DataException(f"{self._what()} schema can't be missing")
        return field.schema, value.get(name)

    def _text(self, schema: Schema | None, value: Any) -> str | None:
        if schema is not None and schema.type not in _TYPES:
            raise DataException(f"{self._what()} schema type must be a number, boolean or text, not {schema.type}")
        if value is None:
            return None
        if schema is not None:
            return to_text(value, schema)
        if not isinstance(value, (int, float, str)):
            raise DataException(f"{self._what()} must be a number, boolean or text, not {type_name(value)}")
        # Without a schema blanks are no name either, as in Java.
        text = to_text(value)
        return None if text.isspace() else text

    def _what(self) -> str:
        return self._place if self._name is None else f"{self._name} in {self._place}"


class ExtractTopicKey(ExtractTopic[R]):
    """`ExtractTopic` from keys."""

    JAVA_NAME = "io.aiven.kafka.connect.transforms.ExtractTopic$Key"
    part = KEY


class ExtractTopicValue(ExtractTopic[R]):
    """`ExtractTopic` from values."""

    JAVA_NAME = "io.aiven.kafka.connect.transforms.ExtractTopic$Value"
    part = VALUE
