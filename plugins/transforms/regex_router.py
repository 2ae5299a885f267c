"""RegexRouter: other topics by a regular expression (`org.apache.kafka.connect.transforms.RegexRouter`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from connectd.config import ConfigDef, Importance, Type
from connectd.errors import ConfigException
from plugins.java_regex import Replacement, compile_pattern, valid_pattern
from plugins.transforms.base import BuiltinTransformation, R

REGEX_CONFIG: Final = "regex"
REPLACEMENT_CONFIG: Final = "replacement"


class RegexRouter(BuiltinTransformation[R]):
    """Gives records of topics whose whole name matches a regular expression another topic; all others stay."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.RegexRouter"
    CONFIG = (
        ConfigDef()
        .define(
            REGEX_CONFIG,
            Type.STRING,
            validator=valid_pattern(),
            importance=Importance.HIGH,
            doc="The regular expression, in Java's syntax.",
        )
        .define(
            REPLACEMENT_CONFIG,
            Type.STRING,
            importance=Importance.HIGH,
            doc="What replaces the first match in the name. `$1` is what the first group matched, `${name}` a named one.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._pattern = compile_pattern(REGEX_CONFIG, values[REGEX_CONFIG])
        try:
            self._replacement = Replacement(self._pattern, values[REPLACEMENT_CONFIG])
        except re.error as error:
            raise ConfigException(REPLACEMENT_CONFIG, values[REPLACEMENT_CONFIG], str(error)) from error

    def apply(self, record: R) -> R:
        if not self._pattern.fullmatch(record.topic):
            return record
        # As in Java, what is replaced is not the match of the whole but the first one, which may be shorter.
        first = self._pattern.search(record.topic)
        assert first is not None
        return record.new_record(topic=self._replacement.replace_first(first))
