"""Under which subject of the registry a schema is kept (Confluent's `SubjectNameStrategy`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connectd.errors import DataException

TOPIC_NAME_STRATEGY: Final = "io.confluent.kafka.serializers.subject.TopicNameStrategy"
_RECORD_NAME_STRATEGY: Final = "io.confluent.kafka.serializers.subject.RecordNameStrategy"
_TOPIC_RECORD_NAME_STRATEGY: Final = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy"

SubjectOf = Callable[[str, bool, str | None], str]
"""The subject for a topic, whether it is for keys, and the schema's full name, which only records have."""


def _topic_name(topic: str, is_key: bool, record_name: str | None) -> str:
    return f"{topic}-key" if is_key else f"{topic}-value"


def _record_name(topic: str, is_key: bool, record_name: str | None) -> str:
    if record_name is None:
        part = "key" if is_key else "value"
        raise DataException(f"{part}.subject.name.strategy takes the name of the schema, but it has none: no record")
    return record_name


def _topic_record_name(topic: str, is_key: bool, record_name: str | None) -> str:
    return f"{topic}-{_record_name(topic, is_key, record_name)}"


STRATEGIES: Final[dict[str, SubjectOf]] = {
    TOPIC_NAME_STRATEGY: _topic_name,
    _RECORD_NAME_STRATEGY: _record_name,
    _TOPIC_RECORD_NAME_STRATEGY: _topic_record_name,
}
