"""Transformations and predicates: what changes or chooses single records between connector and Kafka."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

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


class Predicate(Configurable, Generic[R]):
    """Tells which records a transformation applies to (`org.apache.kafka.connect.transforms.predicates.Predicate`)."""

    @abstractmethod
    def test(self, record: R) -> bool:
        """Whether the record satisfies the predicate."""
