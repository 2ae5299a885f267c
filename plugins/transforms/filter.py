"""Filter: drops records (`org.apache.kafka.connect.transforms.Filter`)."""

from __future__ import annotations

from connectd.columns import RecordColumns
from plugins.transforms.base import BuiltinTransformation, R


class Filter(BuiltinTransformation[R]):
    """Drops every record: those that its predicate chooses."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.Filter"

    def apply(self, record: R) -> None:
        return None

    def apply_columns(self, columns: RecordColumns) -> None:
        columns.keep([False] * len(columns))
