"""TopicNameMatches: records of topics (`org.apache.kafka.connect.transforms.predicates.TopicNameMatches`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import CompositeValidator, ConfigDef, NonEmptyString, Type
from plugins.java_regex import compile_pattern, valid_pattern
from plugins.predicates.base import BuiltinPredicate, R

PATTERN_CONFIG: Final = "pattern"


class TopicNameMatches(BuiltinPredicate[R]):
    """True for records whose whole topic name matches a regular expression."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"
    CONFIG = ConfigDef().define(
        PATTERN_CONFIG,
        Type.STRING,
        validator=CompositeValidator.of(NonEmptyString(), valid_pattern()),
        doc="The regular expression, in Java's syntax.",
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._matches = compile_pattern(PATTERN_CONFIG, values[PATTERN_CONFIG]).fullmatch

    def test(self, record: R) -> bool:
        return self._matches(record.topic) is not None

    def test_columns(self, columns: RecordColumns) -> list[bool]:
        topics = columns.column("topic")
        matching = {topic for topic in set(topics) if self._matches(topic) is not None}
        return [topic in matching for topic in topics]
