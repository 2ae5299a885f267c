"""SinkConnectorConfig: the framework's settings of a sink connector (`...runtime.SinkConnectorConfig`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from connectd.config import ConfigDef, Importance, Type, ValidList, Width, parse_type
from connectd.errors import ConfigException
from plugins.java_regex import compile_pattern, valid_pattern
from tasks.settings.connector import COMMON_GROUP, ERROR_GROUP, ConnectorConfig

TOPICS: Final = "topics"
TOPICS_REGEX: Final = "topics.regex"
DLQ_TOPIC_NAME: Final = "errors.deadletterqueue.topic.name"
DLQ_TOPIC_REPLICATION_FACTOR: Final = "errors.deadletterqueue.topic.replication.factor"
DLQ_CONTEXT_HEADERS_ENABLE: Final = "errors.deadletterqueue.context.headers.enable"


class SinkConnectorConfig(ConnectorConfig):
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
    def dlq_topic_name(self) -> str | None:
        """The dead letter queue, None if there is none."""
        return cast(str, self.get(DLQ_TOPIC_NAME)) or None

    @property
    def dlq_topic_replication_factor(self) -> int:
        """For creating the dead letter queue."""
        return cast(int, self.get(DLQ_TOPIC_REPLICATION_FACTOR))

    @property
    def dlq_context_headers_enable(self) -> bool:
        """Whether records in the dead letter queue get headers that tell what went wrong."""
        return cast(bool, self.get(DLQ_CONTEXT_HEADERS_ENABLE))

    @property
    def errant_record_reporter_enabled(self) -> bool:
        """Whether a sink task may report records (KIP-610): there is a dead letter queue, or errors are logged."""
        return self.dlq_topic_name is not None or self.errors_log_enable


@cache
def _sink_config_def() -> ConfigDef:
    return (
        ConfigDef(ConnectorConfig.base_config_def())
        .define(
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
        )
        .define(
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
        .define(
            DLQ_TOPIC_NAME,
            Type.STRING,
            "",
            doc="The dead letter queue: the topic to which records are written that the connector, its transformations "
            "or converters could not process. Empty means none.",
            group=ERROR_GROUP,
            width=Width.MEDIUM,
            display_name="Dead Letter Queue Topic Name",
        )
        .define(
            DLQ_TOPIC_REPLICATION_FACTOR,
            Type.SHORT,
            3,
            doc="The replication factor with which the dead letter queue is created if it does not exist.",
            group=ERROR_GROUP,
            width=Width.MEDIUM,
            display_name="Dead Letter Queue Topic Replication Factor",
        )
        .define(
            DLQ_CONTEXT_HEADERS_ENABLE,
            Type.BOOLEAN,
            False,
            doc="Whether records in the dead letter queue get headers that tell what went wrong, all below "
            "`__connect.errors.`.",
            group=ERROR_GROUP,
            width=Width.MEDIUM,
            display_name="Enable Error Context Headers",
        )
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
