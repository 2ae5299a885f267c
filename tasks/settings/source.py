"""SourceConnectorConfig: the framework's settings of a source connector (`...runtime.SourceConnectorConfig`)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from connectd.config import (
    CaseInsensitiveValidString,
    ConfigDef,
    Importance,
    LambdaValidator,
    NonEmptyString,
    Range,
    Type,
    Width,
)
from tasks.settings.aliases import PluginKeys, unique_aliases
from tasks.settings.connector import ConnectorConfig
from tasks.settings.dead_letters import DeadLetterConfig, define_dead_letters
from tasks.settings.topic_creation import (
    DEFAULT_GROUP,
    GROUP_TITLE,
    GROUPS,
    PREFIX,
    TopicCreationGroup,
    define_topic_creation,
    group_names,
    topic_creation_groups,
    uses_topic_creation,
)

EXACTLY_ONCE_SUPPORT: Final = "exactly.once.support"
TRANSACTION_BOUNDARY: Final = "transaction.boundary"
TRANSACTION_BOUNDARY_INTERVAL_MS: Final = "transaction.boundary.interval.ms"
OFFSETS_STORAGE_TOPIC: Final = "offsets.storage.topic"

_EXACTLY_ONCE_GROUP: Final = "Exactly Once Support"


class ExactlyOnceSupportLevel(enum.StrEnum):
    """Whether a source connector must be able to deliver exactly once, or should if it can."""

    REQUESTED = "requested"
    REQUIRED = "required"


class TransactionBoundary(enum.StrEnum):
    """Where a source task's transactions end: with each poll, after a time, or where the connector says."""

    POLL = "poll"
    INTERVAL = "interval"
    CONNECTOR = "connector"


class SourceConnectorConfig(DeadLetterConfig):
    """The keys that every source connector has."""

    @classmethod
    def base_config_def(cls) -> ConfigDef:
        return _source_config_def()

    @classmethod
    def config_def(cls, props: Mapping[str, Any], plugin_keys: PluginKeys | None = None) -> ConfigDef:
        definition = super().config_def(props, plugin_keys)
        if uses_topic_creation(props):
            define_topic_creation(definition, props)
        return definition

    @classmethod
    def known_prefixes(cls, props: Mapping[str, Any]) -> list[str]:
        # Below a group's prefix stand the topic's own settings, which only the broker knows.
        groups = [f"{PREFIX}{name}." for name in [*group_names(props), DEFAULT_GROUP]]
        return super().known_prefixes(props) + groups

    @property
    def exactly_once_support(self) -> ExactlyOnceSupportLevel:
        """Whether the connector must be able to deliver exactly once (KIP-618)."""
        return ExactlyOnceSupportLevel(self.get(EXACTLY_ONCE_SUPPORT).lower())

    @property
    def transaction_boundary(self) -> TransactionBoundary:
        """Where transactions end."""
        return TransactionBoundary(self.get(TRANSACTION_BOUNDARY).lower())

    @property
    def transaction_boundary_interval_ms(self) -> int | None:
        """The time between commits under the boundary `interval`; None means the worker's offset flush interval."""
        return cast("int | None", self.get(TRANSACTION_BOUNDARY_INTERVAL_MS))

    @property
    def uses_topic_creation(self) -> bool:
        """Whether missing topics are to be created, if the worker's `topic.creation.enable` allows it."""
        return uses_topic_creation(self.originals())

    @property
    def topic_creation_groups(self) -> list[TopicCreationGroup]:
        """How missing topics are created: the first group that matches counts, the last one matches all; or empty."""
        return topic_creation_groups(self.originals(), self.values()) if self.uses_topic_creation else []


def own_offsets_topic(connector_config: Mapping[str, str], shared: str) -> str | None:
    """The topic that a source has for its offsets alone: None if it names none, or that of all, which is `shared`."""
    topic = connector_config.get(OFFSETS_STORAGE_TOPIC, "").strip()
    return topic if topic not in ("", shared) else None


@cache
def _source_config_def() -> ConfigDef:
    at_least_zero = Range.at_least(0)
    return (
        define_dead_letters(ConfigDef(ConnectorConfig.base_config_def()), of_sink=False)
        .define(
            GROUPS,
            Type.LIST,
            [],
            unique_aliases("topic creation group"),
            Importance.LOW,
            "Names of groups of topics that are created alike, besides the group `default`, which takes the others. "
            "Each has keys below `topic.creation.NAME.`: `include` and `exclude` (regular expressions for topic names), "
            "`replication.factor`, `partitions`, and any setting of a topic. Topics are created only if the connector "
            "has `topic.creation.default.replication.factor` and `topic.creation.default.partitions`.",
            group=GROUP_TITLE,
            width=Width.LONG,
            display_name="Topic Creation Groups",
        )
        .define(
            EXACTLY_ONCE_SUPPORT,
            Type.STRING,
            "requested",
            CaseInsensitiveValidString.in_("required", "requested"),
            doc="`required` refuses a connector that does not say it can deliver exactly once with its configuration, or "
            "a worker on which exactly-once delivery of sources is off. `requested` runs it all the same.",
            group=_EXACTLY_ONCE_GROUP,
            order=2,
            width=Width.SHORT,
            display_name="Exactly once support",
        )
        .define(
            TRANSACTION_BOUNDARY,
            Type.STRING,
            "poll",
            CaseInsensitiveValidString.in_("interval", "poll", "connector"),
            doc="Where the transactions of an exactly-once source end: `poll` with every batch, `interval` after "
            "`transaction.boundary.interval.ms`, `connector` where the connector says, if it can.",
            group=_EXACTLY_ONCE_GROUP,
            order=3,
            width=Width.SHORT,
            display_name="Transaction Boundary",
        )
        .define(
            TRANSACTION_BOUNDARY_INTERVAL_MS,
            Type.LONG,
            None,
            LambdaValidator.with_(
                lambda name, value: None if value is None else at_least_zero.ensure_valid(name, value),
                at_least_zero.__str__,
            ),
            Importance.LOW,
            "The time between transaction commits if `transaction.boundary` is `interval`. Left out, it is the "
            "worker's `offset.flush.interval.ms`.",
            group=_EXACTLY_ONCE_GROUP,
            order=4,
            width=Width.SHORT,
            display_name="Transaction boundary interval",
        )
        .define(
            OFFSETS_STORAGE_TOPIC,
            Type.STRING,
            None,
            NonEmptyString(),
            Importance.LOW,
            "An offsets topic of this connector's own; it is created if it is missing. Left out, it is the worker's. It "
            "has no effect in standalone mode.",
            group="offsets.topic",
            width=Width.LONG,
            display_name="Offsets topic",
        )
    )
