"""CyclicSchema: a struct schema within itself, for recursive types (Confluent's `CyclicSchemaWrapper`, `SchemaWrapper`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectd.errors import DataException
from connectd.schema import Field, Schema, Type


class CyclicSchema(Schema):
    """Has the name and the fields of a schema that is not built yet; equal to another one of that name.

    `complete` must be called before anybody looks at the fields. Values of it are structs with this very schema.
    """

    __slots__ = ("_of",)

    _of: Schema

    def __init__(self, name: str | None, is_optional: bool) -> None:
        super().__init__(Type.STRUCT, is_optional, name=name)

    def complete(self, of: Schema) -> None:
        """Tell which schema this stands for."""
        object.__setattr__(self, "_of", of)
        object.__setattr__(self, "version", of.version)
        object.__setattr__(self, "doc", of.doc)
        object.__setattr__(self, "parameters", of.parameters)

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._of.fields

    def field(self, name: str) -> Field | None:
        return self._of.field(name)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, CyclicSchema):
            return False
        return self.name == other.name and self.is_optional == other.is_optional

    def __hash__(self) -> int:
        return hash((self.name, self.is_optional))

    def __reduce__(self) -> tuple[Callable[..., Schema], tuple[Any, ...]]:
        raise DataException(f"A recursive schema cannot be pickled: {self}")
