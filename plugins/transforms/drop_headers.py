"""DropHeaders: removes headers (`org.apache.kafka.connect.transforms.DropHeaders`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Importance, Type, ValidList
from connectd.headers import ConnectHeaders
from plugins.transforms.base import BuiltinTransformation, R

HEADERS_CONFIG: Final = "headers"


class DropHeaders(BuiltinTransformation[R]):
    """Removes headers by their names."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.DropHeaders"
    CONFIG = ConfigDef().define(
        HEADERS_CONFIG,
        Type.LIST,
        validator=ValidList.any_non_duplicate_values(is_empty_allowed=False, is_null_allowed=False),
        importance=Importance.HIGH,
        doc="The names of the headers to remove.",
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._names = frozenset(values[HEADERS_CONFIG])

    def apply(self, record: R) -> R:
        kept = ConnectHeaders.of(header for header in record.headers if header.key not in self._names)
        return record.new_record(headers=kept)

    def apply_columns(self, columns: RecordColumns) -> None:
        names = self._names
        columns.set_column(
            "headers",
            [
                ConnectHeaders.of(each for each in headers if each.key not in names)
                for headers in columns.column("headers")
            ],
        )
