"""Topics that the worker creates for a source connector (KIP-158): the keys below `topic.creation.`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectd.config import NO_DEFAULT, ConfigDef, Importance, LambdaValidator, Type, Validator, Width, parse_type
from connectd.errors import ConfigException
from plugins.java_regex import compile_pattern, valid_patterns
from tasks.settings.aliases import aliases

PREFIX: Final = "topic.creation."
GROUPS: Final = "topic.creation.groups"
DEFAULT_GROUP: Final = "default"
GROUP_TITLE: Final = "Topic Creation"
_DECLARED: Final = ("include", "exclude", "replication.factor", "partitions")


@dataclass(frozen=True, kw_only=True)
class TopicCreationGroup:
    """How topics whose names match are created. `partitions` and `replication_factor` of -1 mean the broker's own."""

    name: str
    include: re.Pattern[str]
    exclude: re.Pattern[str]
    partitions: int
    replication_factor: int
    configs: Mapping[str, str]

    def matches(self, topic: str) -> bool:
        """Whether the group is for this topic; exclusion wins."""
        return not self.exclude.fullmatch(topic) and bool(self.include.fullmatch(topic))


def uses_topic_creation(props: Mapping[str, Any]) -> bool:
    """Whether the connector asks for topics to be created at all."""
    return any(key.startswith(PREFIX) for key in props)


def group_names(props: Mapping[str, Any]) -> list[str]:
    """The groups besides the default one, in the order in which topics are matched."""
    return [name for name in aliases(props, GROUPS) if name != DEFAULT_GROUP]


def define_topic_creation(definition: ConfigDef, props: Mapping[str, Any]) -> None:
    """Declare the keys of the default group, and those of each further group with the default group's numbers as its own."""
    _define_group(definition, DEFAULT_GROUP, ".*", NO_DEFAULT, NO_DEFAULT)
    replication_factor = _number(props, "replication.factor", Type.SHORT)
    partitions = _number(props, "partitions", Type.INT)
    for name in group_names(props):
        _define_group(definition, name, [], replication_factor, partitions)


def topic_creation_groups(props: Mapping[str, Any], parsed: Mapping[str, Any]) -> list[TopicCreationGroup]:
    """The groups in the order in which topics are matched, the default group last."""
    return [_group(name, props, parsed) for name in [*group_names(props), DEFAULT_GROUP]]


def _group(name: str, props: Mapping[str, Any], parsed: Mapping[str, Any]) -> TopicCreationGroup:
    prefix = f"{PREFIX}{name}."
    below = {key.removeprefix(prefix): value for key, value in props.items() if key.startswith(prefix)}
    # The default group takes what is left over: patterns of its own are ignored, as in Java.
    include = [".*"] if name == DEFAULT_GROUP else parsed[f"{prefix}include"]
    exclude = [] if name == DEFAULT_GROUP else parsed[f"{prefix}exclude"]
    return TopicCreationGroup(
        name=name,
        include=compile_pattern(f"{prefix}include", "|".join(include)),
        exclude=compile_pattern(f"{prefix}exclude", "|".join(exclude)),
        partitions=parsed[f"{prefix}partitions"],
        replication_factor=parsed[f"{prefix}replication.factor"],
        configs={key: value for key, value in below.items() if key not in _DECLARED},
    )


def _number(props: Mapping[str, Any], name: str, type: Type) -> int:
    """The default group's number; -1 where it is missing or wrong, which is an error of that key already."""
    key = f"{PREFIX}{DEFAULT_GROUP}.{name}"
    try:
        value = parse_type(key, props.get(key), type)
        positive_or_default().ensure_valid(key, value)
    except ConfigException:
        return -1
    return -1 if value is None else int(value)


def _define_group(definition: ConfigDef, name: str, include: Any, replication_factor: Any, partitions: Any) -> None:
    prefix = f"{PREFIX}{name}."
    group = f"{GROUP_TITLE}: {name}"
    low = Importance.LOW
    inherited = "" if name == DEFAULT_GROUP else " Left out, it is that of the default group."
    definition.define(
        f"{prefix}include",
        Type.LIST,
        include,
        valid_patterns(),
        low,
        "Regular expressions for the names of the topics that are created with the settings of this group.",
        group=group,
        width=Width.LONG,
        display_name=f"Inclusion Topic Pattern for {name}",
    ).define(
        f"{prefix}exclude",
        Type.LIST,
        [],
        valid_patterns(),
        low,
        "Regular expressions for the names of topics that are not, although `include` matches them.",
        group=group,
        width=Width.LONG,
        display_name=f"Exclusion Topic Pattern for {name}",
    ).define(
        f"{prefix}replication.factor",
        Type.SHORT,
        replication_factor,
        positive_or_default(),
        low,
        f"The replication factor of new topics; -1 for the broker's default.{inherited}",
        group=group,
        width=Width.LONG,
        display_name=f"Replication Factor for Topics in {name}",
    ).define(
        f"{prefix}partitions",
        Type.INT,
        partitions,
        positive_or_default(),
        low,
        f"The number of partitions of new topics; -1 for the broker's default.{inherited}",
        group=group,
        width=Width.LONG,
        display_name=f"Partition Count for Topics in {name}",
    )


def positive_or_default() -> Validator:
    def check(name: str, value: Any) -> None:
        if value is not None and value != -1 and value < 1:
            raise ConfigException(name, value, "Expected a positive number, or -1 for the broker's default")

    return LambdaValidator.with_(check, lambda: "a positive number, or -1 for the broker's default")
