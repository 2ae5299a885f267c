"""What the built-in predicates share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import connectd
from connectd.config import ConfigDef
from connectd.records import SinkRecord, SourceRecord
from connectd.transforms import Predicate

R = TypeVar("R", SourceRecord, SinkRecord)


class BuiltinPredicate(Predicate[R]):
    """A predicate with a declared configuration."""

    version = connectd.__version__
    CONFIG: ClassVar[ConfigDef] = ConfigDef()

    def config(self) -> ConfigDef:
        return self.CONFIG

    def configure(self, configs: Mapping[str, Any]) -> None:
        self.apply_config(self.CONFIG.parse(configs))

    def apply_config(self, values: dict[str, Any]) -> None:
        """Take the parsed values of `CONFIG`."""
