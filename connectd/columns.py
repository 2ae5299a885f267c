"""Records as columns: the fast form of what a transformation works on, one list a field instead of one object a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from operator import not_
from typing import Any, Literal

from connectd.schema import Schema
from connectd.struct import Struct

Part = Literal["key", "value"]


class NotInColumns(Exception):
    """Raised by `Transformation.apply_columns` for records that it can only change one by one: the worker then does that."""


class RecordColumns:
    """Records of one schema, for `Transformation.apply_columns`. No list in it may be changed in place, nor what is in a list.

    Columns are read when first asked for: what no transformation touches costs nothing. `column(name)` and
    `set_column(name, values)` are for `topic`, `partition`, `timestamp`, `headers` and, in sinks, `kafka_offset`; the methods
    with `part` are for `"key"` and `"value"`. Structs are also there as rows, the lists of their field values, which saves making
    the structs between two transformations: `rows` reads what `set_rows` or `set` has written, and so does `values`.
    """

    def __init__(
        self, count: int, key_schema: Schema | None, value_schema: Schema | None, read: Callable[[str], list[Any]]
    ) -> None:
        self._count = count
        self._read = read
        self._schemas: dict[str, Schema | None] = {"key": key_schema, "value": value_schema}
        self._columns: dict[str, list[Any]] = {}
        self._rows: dict[str, list[list[Any]]] = {}
        # Parts whose maps nobody else has.
        self._own: set[str] = set()
        # What differs from the records that were read.
        self.changed: set[str] = set()
        # Which of the records are left, by their places among those that were read; None while all are.
        self.left: list[int] | None = None

    def __len__(self) -> int:
        return self._count

    def column(self, name: str) -> list[Any]:
        """A column by the name of the record's field."""
        column = self._columns.get(name)
        if column is None:
            column = self._read(name)
            if self.left is not None:
                column = _picked(column, self.left)
            self._columns[name] = column
        return column

    def set_column(self, name: str, values: list[Any]) -> None:
        """Put another column in its place, with one entry a record."""
        self._columns[name] = values
        self.changed.add(name)

    def schema(self, part: Part) -> Schema | None:
        """The schema that all keys, or values, have; None if they have none."""
        return self._schemas[part]

    def values(self, part: Part) -> list[Any]:
        """The keys or values."""
        self._own.discard(part)
        rows = self._rows.get(part)
        if rows is not None and part not in self._columns:
            schema = self._schemas[part]
            assert schema is not None
            self._columns[part] = [Struct.of_checked(schema, row) for row in rows]
        return self.column(part)

    def set(self, part: Part, schema: Schema | None, values: list[Any]) -> None:
        """Put other keys or values in their place; all have that schema."""
        self._schemas[part] = schema
        self._columns[part] = values
        self._rows.pop(part, None)
        self._own.discard(part)
        self.changed.add(part)

    def own_maps(self, part: Part) -> list[Any]:
        """Keys or values without schema in a list, and maps, that the caller may change, to give them back to `set_own_maps`:
        one copy serves several transformations. Raises NotInColumns unless all are maps, or null.
        """
        if part in self._own:
            return self._columns[part]
        if self._schemas[part] is not None:
            raise NotInColumns
        return [None if each is None else _copy(each) for each in self.column(part)]

    def set_own_maps(self, part: Part, maps: list[Any]) -> None:
        """Put maps in the place of the keys or values that nobody else has."""
        self.set(part, None, maps)
        self._own.add(part)

    def rows(self, part: Part) -> list[list[Any]]:
        """The field values of structs, in the order of the schema's fields. Raises NotInColumns unless all are structs of it."""
        rows = self._rows.get(part)
        if rows is None:
            schema = self._schemas[part]
            try:
                structs = self.column(part)
                rows = [each.field_values for each in structs if each.schema is schema]
                if len(rows) != len(structs):
                    rows = [each.field_values for each in structs if each.schema == schema]
            except AttributeError:
                raise NotInColumns from None
            if len(rows) != len(structs):
                raise NotInColumns
            self._rows[part] = rows
        return rows

    def keep(self, flags: Sequence[bool]) -> None:
        """Drop the records whose flag is false; there is one flag a record."""
        self._columns = {name: list(compress(column, flags)) for name, column in self._columns.items()}
        self._rows = {part: list(compress(rows, flags)) for part, rows in self._rows.items()}
        self.left = list(compress(range(self._count) if self.left is None else self.left, flags))
        self._count = len(self.left)

    def change_some(self, flags: Sequence[bool], change: Callable[[RecordColumns], None]) -> None:
        """Let `change` work on the records whose flag is true. Raises NotInColumns if they have another schema then."""
        if not any(flags):
            return
        if all(flags):
            change(self)
            return
        places = list(compress(range(self._count), flags))
        some = RecordColumns(
            len(places),
            self._schemas["key"],
            self._schemas["value"],
            lambda name: _picked(self._whole(name), places),
        )
        change(some)
        if some.left is not None:
            places = _picked(places, some.left)
        for name in some.changed:
            self._put(name, places, some)
        if some.left is not None:
            kept = set(places)
            self.keep([place in kept or not_(flag) for place, flag in enumerate(flags)])

    def _whole(self, name: str) -> list[Any]:
        return self.values(name) if name in self._schemas else self.column(name)  # type: ignore[arg-type]

    def _put(self, name: str, places: Sequence[int], some: RecordColumns) -> None:
        """Take a column of some records over, which stand at these places."""
        if name in self._schemas and some._schemas[name] != self._schemas[name]:
            raise NotInColumns
        column = list(self._whole(name))
        for place, value in zip(places, some._whole(name), strict=True):
            column[place] = value
        if name in self._schemas:
            self.set(name, self._schemas[name], column)  # type: ignore[arg-type]
        else:
            self.set_column(name, column)

    def has_valid_rows(self, part: Part) -> bool:
        """Whether the rows were written by a transformation, and so fit their schema: none is null that must not be."""
        return part in self._rows and part in self.changed

    def set_rows(self, part: Part, schema: Schema, rows: list[list[Any]]) -> None:
        """Put other structs in their place, given by their field values, which fit the schema."""
        self._schemas[part] = schema
        self._rows[part] = rows
        self._columns.pop(part, None)
        self._own.discard(part)
        self.changed.add(part)


def _picked(column: list[Any], places: Sequence[int]) -> list[Any]:
    return [column[place] for place in places]


def _copy(value: Any) -> dict[Any, Any]:
    if type(value) is not dict:
        raise NotInColumns
    return value.copy()
