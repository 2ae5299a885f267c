"""The chain of transformations of a task, put together once: on columns as far as possible, otherwise on single records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import not_
from typing import Any, NamedTuple

from connectd.columns import RecordColumns
from connectd.schema import Schema
from connectd.transforms import Predicate, Transformation

# Runs of records with the same schemas that are shorter are not worth columns.
LEAST_RUN = 8
# Where columns fail they are not tried again for so many batches, twice as many each time.
MOST_SKIPPED = 64


class Step(NamedTuple):
    """One transformation with the predicate that decides which records it applies to."""

    transformation: Transformation[Any]
    predicate: Predicate[Any] | None = None
    negate: bool = False

    def apply(self, record: Any) -> Any | None:
        """The record after this step; None drops it."""
        if self.predicate is not None and bool(self.predicate.test(record)) is self.negate:
            return record
        return self.transformation.apply(record)

    def apply_columns(self, columns: RecordColumns) -> None:
        """The same for columns; raises anything if it cannot be done."""
        if self.predicate is None:
            self.transformation.apply_columns(columns)
            return
        flags = self.predicate.test_columns(columns)
        if self.negate:
            flags = list(map(not_, flags))
        columns.change_some(flags, self.transformation.apply_columns)

    @property
    def takes_columns(self) -> bool:
        """Whether it may be applied to columns."""
        if self.predicate is not None and type(self.predicate).test_columns is Predicate.test_columns:
            return False
        return type(self.transformation).apply_columns is not Transformation.apply_columns


class Run(NamedTuple):
    """Neighbouring records with the same schemas."""

    start: int
    end: int
    key_schema: Schema | None
    value_schema: Schema | None


class Chain:
    """`in_columns` is how many steps at the beginning can be applied to columns."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.in_columns = 0
        while self.in_columns < len(steps) and steps[self.in_columns].takes_columns:
            self.in_columns += 1
        self.is_all_columns = bool(steps) and self.in_columns == len(steps)
        self._steps = steps[: self.in_columns]
        self._skip = self._skipped = 0

    @property
    def wants_columns(self) -> bool:
        """Whether columns are worth a try for the next batch."""
        if self._skip:
            self._skip -= 1
            return False
        return self.in_columns > 0

    def apply(self, columns: RecordColumns) -> bool:
        """Apply the steps that take columns; False if one of them cannot, and nothing has been changed then but `columns`."""
        try:
            for step in self._steps:
                if not len(columns):
                    break
                step.apply_columns(columns)
        except Exception:
            # Whatever it was: the records say it one by one.
            self._skip = self._skipped = min(2 * self._skipped + 1, MOST_SKIPPED)
            return False
        self._skipped = 0
        return True


def runs_of(key_schemas: Sequence[Schema | None], value_schemas: Sequence[Schema | None]) -> list[Run] | None:
    """Runs of records with the same schemas; None if these are too short for columns to be worth while."""
    found = list(one_by_one(key_schemas, value_schemas))
    return None if len(found) > 1 and len(key_schemas) < LEAST_RUN * len(found) else found


def one_by_one(key_schemas: Sequence[Schema | None], value_schemas: Sequence[Schema | None]) -> Iterator[Run]:
    """Runs of records with the same schemas, however short."""
    start = 0
    for index in range(1, len(key_schemas) + 1):
        if (
            index == len(key_schemas)
            or value_schemas[index] is not value_schemas[start]
            or key_schemas[index] is not key_schemas[start]
        ):
            yield Run(start, index, key_schemas[start], value_schemas[start])
            start = index
