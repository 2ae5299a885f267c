"""SinkConnectorConfig: the framework's settings of a sink connector (`...runtime.SinkConnectorConfig`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from connectd.config import ConfigDef, Importance, Type, ValidList, Width, parse_type
from connectd.errors import ConfigException
from plugins.java_regex import compile_pattern, valid_pattern
from tasks.settings.connector import COMMON_GROUP, ConnectorConfig
from tasks.settings.dead_letters import (
    DLQ_TOPIC_NAME,
    ERRORS_BATCH_BISECT,
    DeadLetterConfig,
    define_bisect,
    define_dead_letters,
)

TOPICS: Final = "topics"
TOPICS_REGEX: Final = "topics.regex"


class SinkConnectorConfig(DeadLetterConfig):
    """The keys that every sink connector has."""

    @classmethod
    def base_config_def(cls) -> ConfigDef:
        return _sink_config_def()

    @classmethod
    def cross_field_errors(cls, props: Mapping[str, Any]) -> list[ConfigException]:
        """Exactly one of `topics` and `topics.regex`, and no dead letter queue among the topics that are read."""
        return super().cross_field_errors(props) + cls._topic_errors(props)

    @staticmethod
    def _topic_errors(props: Mapping[str, Any]) -> list[ConfigException]:
        topics = _topics(props)
        regex = _text(props, TOPICS_REGEX)
        if topics and regex:
            message = f"{TOPICS} and {TOPICS_REGEX} are mutually exclusive options, but both are set."
            return [_error(TOPICS, props, message), _error(TOPICS_REGEX, props, message)]
        if not topics and not regex:
            message = f"Must configure one of {TOPICS} or {TOPICS_REGEX}"
            return [_error(TOPICS, props, message), _error(TOPICS_REGEX, props, message)]
        return _dlq_errors(props, topics, regex)

    @property
    def topics(self) -> list[str]:
        """The topics to read; empty if they are given by `topics_regex`."""
        return cast("list[str]", self.get(TOPICS))

    @property
    def topics_regex(self) -> re.Pattern[str] | None:
        """Topics whose whole name matches are read; None if they are listed."""
        text = self.get(TOPICS_REGEX)
        return compile_pattern(TOPICS_REGEX, text) if text else None

    @property
    def errors_batch_bisect(self) -> bool:
        """Whether a batch that fails is narrowed to the records that cannot be written."""
        return cast(bool, self.get(ERRORS_BATCH_BISECT))

    @property
    def errant_record_reporter_enabled(self) -> bool:
        """Whether a sink task may report records (KIP-610): there is a dead letter queue, or errors are logged."""
        return self.dlq_topic_name is not None or self.errors_log_enable


@cache
def _sink_config_def() -> ConfigDef:
    return define_bisect(define_dead_letters(_with_topics(ConfigDef(ConnectorConfig.base_config_def())), of_sink=True))


def _with_topics(definition: ConfigDef) -> ConfigDef:
    return definition.define(
        TOPICS,
        Type.LIST,
        [],
        ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False),
        Importance.HIGH,
        "The topics to read, separated by commas. Either this or `topics.regex` is set.",
        group=COMMON_GROUP,
        order=4,
        width=Width.LONG,
        display_name="Topics",
    ).define(
        TOPICS_REGEX,
        Type.STRING,
        "",
        valid_pattern(),
        Importance.HIGH,
        "A regular expression for the whole names of the topics to read.",
        group=COMMON_GROUP,
        order=4,
        width=Width.LONG,
        display_name="Topics regex",
    )


def _dlq_errors(props: Mapping[str, Any], topics: list[str], regex: str) -> list[ConfigException]:
    dlq_topic = _text(props, DLQ_TOPIC_NAME)
    if dlq_topic and dlq_topic in topics:
        return [
            _error(TOPICS, props, f"The dead letter queue '{dlq_topic}' must not be one of the topics that are read")
        ]
    if dlq_topic and regex and _matches(regex, dlq_topic):
        return [_error(TOPICS_REGEX, props, f"The dead letter queue '{dlq_topic}' must not be matched by the regex")]
    return []


def _matches(regex: str, topic: str) -> bool:
    try:
        return compile_pattern(TOPICS_REGEX, regex).fullmatch(topic) is not None
    except ConfigException:
        return False  # the key's validator reports it


def _topics(props: Mapping[str, Any]) -> list[str]:
    return [topic for topic in parse_type(TOPICS, props.get(TOPICS), Type.LIST) or [] if topic]


def _text(props: Mapping[str, Any], name: str) -> str:
    return str(props.get(name) or "").strip()


def _error(name: str, props: Mapping[str, Any], message: str) -> ConfigException:
    return ConfigException(name, props.get(name), message)
