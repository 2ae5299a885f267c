"""TombstoneHandler: drops or refuses tombstones (`io.aiven.kafka.connect.transforms.TombstoneHandler`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from connectd.config import CaseInsensitiveValidString, ConfigDef, Type
from connectd.errors import DataException
from plugins.transforms.base import BuiltinTransformation, R

logger = logging.getLogger(__name__)

BEHAVIOR_CONFIG: Final = "behavior"
_LEVELS: Final = {"drop_silent": logging.DEBUG, "drop_warn": logging.WARNING}


class TombstoneHandler(BuiltinTransformation[R]):
    """Drops tombstones, records whose value is null, or takes them for errors. All others pass unchanged."""

    JAVA_NAME = "io.aiven.kafka.connect.transforms.TombstoneHandler"
    CONFIG = ConfigDef().define(
        BEHAVIOR_CONFIG,
        Type.STRING,
        validator=CaseInsensitiveValidString.in_("drop_silent", "drop_warn", "fail"),
        doc="What becomes of a tombstone: dropped, dropped with a warning in the log, or an error.",
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._behavior: str = values[BEHAVIOR_CONFIG].lower()

    def apply(self, record: R) -> R | None:
        if record.value is not None:
            return record
        if self._behavior == "fail":
            raise DataException("Tombstone record encountered, failing due to configured 'fail' behavior")
        logger.log(_LEVELS[self._behavior], "Tombstone dropped in topic %s", record.topic)
        return None
