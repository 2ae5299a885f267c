"""InsertHeader: adds a header (`org.apache.kafka.connect.transforms.InsertHeader`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Importance, NonNullValidator, Type
from connectd.headers import Header
from connectd.values import Values
from plugins.transforms.base import BuiltinTransformation, R

HEADER_CONFIG: Final = "header"
VALUE_CONFIG: Final = "value.literal"


class InsertHeader(BuiltinTransformation[R]):
    """Adds a header with a fixed value to every record."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.InsertHeader"
    CONFIG = (
        ConfigDef()
        .define(
            HEADER_CONFIG,
            Type.STRING,
            validator=NonNullValidator(),
            importance=Importance.HIGH,
            doc="The name of the header.",
        )
        .define(
            VALUE_CONFIG,
            Type.STRING,
            validator=NonNullValidator(),
            importance=Importance.HIGH,
            doc="The value of the header. Numbers, booleans, dates, lists and maps are recognized as such.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        literal = Values.parse_string(values[VALUE_CONFIG])
        self._header = Header(values[HEADER_CONFIG], literal.schema, literal.value)

    def apply(self, record: R) -> R:
        return record.new_record(headers=record.headers.duplicate().add_header(self._header))

    def apply_columns(self, columns: RecordColumns) -> None:
        header = self._header
        columns.set_column("headers", [each.duplicate().add_header(header) for each in columns.column("headers")])
