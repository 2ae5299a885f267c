"""Transformations and predicates: what changes or chooses single records between connector and Kafka."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from connectd.columns import NotInColumns, RecordColumns
from connectd.components import Configurable
from connectd.records import SinkRecord, SourceRecord

R = TypeVar("R", SourceRecord, SinkRecord)


class Transformation(Configurable, Generic[R]):
    """A single message transformation (`org.apache.kafka.connect.transforms.Transformation`)."""

    @abstractmethod
    def apply(self, record: R) -> R | None:
        """The changed record, which may be the same object, or None to drop it.

        Raises DataException for one that does not fit.
        """

    def apply_columns(self, columns: RecordColumns) -> None:
        """The same for many records of one schema at once; override it where speed counts.

        `columns` has afterwards what `apply` would have made of each record; `columns.keep` drops records. The records
        themselves, their values and lists stay as they are. If it raises anything, `apply` is called for each record.
        """
        raise NotInColumns


class Predicate(Configurable, Generic[R]):
    """Tells which records a transformation applies to (`org.apache.kafka.connect.transforms.predicates.Predicate`)."""

    @abstractmethod
    def test(self, record: R) -> bool:
        """Whether the record satisfies the predicate."""

    def test_columns(self, columns: RecordColumns) -> list[bool]:
        """The same for many records of one schema at once; override it where speed counts.

        If it raises anything, `test` is called for each record.
        """
        raise NotInColumns
