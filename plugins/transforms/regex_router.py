"""RegexRouter: other topics by a regular expression (`org.apache.kafka.connect.transforms.RegexRouter`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Importance, Type
from connectd.errors import ConfigException
from plugins.java_regex import Replacement, compile_pattern, valid_pattern
from plugins.transforms.base import BuiltinTransformation, R

REGEX_CONFIG: Final = "regex"
REPLACEMENT_CONFIG: Final = "replacement"
REMEMBERED_TOPICS: Final = 1000


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

        # There are few topics and many records.
        self._route = lru_cache(maxsize=REMEMBERED_TOPICS)(self._routed)

    def apply(self, record: R) -> R:
        topic = self._route(record.topic)
        return record if topic is None else record.new_record(topic=topic)

    def apply_columns(self, columns: RecordColumns) -> None:
        topics = columns.column("topic")
        others = {topic: self._route(topic) for topic in set(topics)}
        if any(other is not None for other in others.values()):
            columns.set_column("topic", [others[topic] or topic for topic in topics])

    def _routed(self, topic: str) -> str | None:
        """The new topic, None for one that does not match."""
        if not self._pattern.fullmatch(topic):
            return None
        # As in Java, what is replaced is not the match of the whole but the first one, which may be shorter.
        first = self._pattern.search(topic)
        assert first is not None
        return self._replacement.replace_first(first)
