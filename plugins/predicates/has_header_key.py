"""HasHeaderKey: records with a header (`org.apache.kafka.connect.transforms.predicates.HasHeaderKey`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, NonEmptyString, Type
from plugins.predicates.base import BuiltinPredicate, R

NAME_CONFIG: Final = "name"


class HasHeaderKey(BuiltinPredicate[R]):
    """True for records that have a header of that name."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.predicates.HasHeaderKey"
    CONFIG = ConfigDef().define(NAME_CONFIG, Type.STRING, validator=NonEmptyString(), doc="The name of the header.")

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._name: str = values[NAME_CONFIG]

    def test(self, record: R) -> bool:
        return record.headers.last_with_name(self._name) is not None

    def test_columns(self, columns: RecordColumns) -> list[bool]:
        name = self._name
        return [bool(each) and each.last_with_name(name) is not None for each in columns.column("headers")]
