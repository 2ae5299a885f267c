"""RecordIsTombstone: records without a value (`org.apache.kafka.connect.transforms.predicates.RecordIsTombstone`)."""

from __future__ import annotations

from connectd.columns import RecordColumns
from plugins.predicates.base import BuiltinPredicate, R


class RecordIsTombstone(BuiltinPredicate[R]):
    """True for tombstones: records whose value is null."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"

    def test(self, record: R) -> bool:
        return record.value is None

    def test_columns(self, columns: RecordColumns) -> list[bool]:
        if columns.has_valid_rows("value"):
            return [False] * len(columns)
        return [value is None for value in columns.column("value")]
