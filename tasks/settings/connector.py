"""ConnectorConfig: the framework's settings of a connector (`org.apache.kafka.connect.runtime.ConnectorConfig`)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

from connectd.config import (
    AbstractConfig,
    ConfigDef,
    Importance,
    NonEmptyStringWithoutControlChars,
    Range,
    Type,
    ValidString,
    Width,
)
from connectd.errors import ConfigException
from tasks.settings.aliases import (
    PREDICATES,
    TRANSFORMS,
    PluginKeys,
    TransformationSettings,
    alias_errors,
    aliases,
    define_aliases,
    transformation_settings,
    unique_aliases,
)
from tasks.settings.java import define_java
from tasks.settings.limits import define_connector_limits
from tasks.settings.python import define_connector_python
from tasks.settings.worker import (
    HEADER_CONVERTER,
    KEY_CONVERTER,
    PLUGIN_VERSION_DOC,
    VALUE_CONVERTER,
    WorkerConfig,
)

NAME: Final = "name"
CONNECTOR_CLASS: Final = "connector.class"
CONNECTOR_VERSION: Final = "connector.plugin.version"
TASKS_MAX: Final = "tasks.max"
TASKS_MAX_ENFORCE: Final = "tasks.max.enforce"
CONFIG_ACTION_RELOAD: Final = "config.action.reload"
ERRORS_RETRY_TIMEOUT: Final = "errors.retry.timeout"
ERRORS_RETRY_DELAY_MAX_MS: Final = "errors.retry.delay.max.ms"
ERRORS_TOLERANCE: Final = "errors.tolerance"
ERRORS_LOG_ENABLE: Final = "errors.log.enable"
ERRORS_LOG_INCLUDE_MESSAGES: Final = "errors.log.include.messages"
PRODUCER_OVERRIDE: Final = "producer.override."
CONSUMER_OVERRIDE: Final = "consumer.override."
ADMIN_OVERRIDE: Final = "admin.override."

COMMON_GROUP: Final = "Common"
ERROR_GROUP: Final = "Error Handling"


class ToleranceType(enum.StrEnum):
    """What happens to a record that fails: `NONE` fails the task, `ALL` skips the record."""

    NONE = "none"
    ALL = "all"


class ConfigReloadAction(enum.StrEnum):
    """What happens to a connector when a config provider has a new value for it."""

    NONE = "none"
    RESTART = "restart"


@dataclass(frozen=True, kw_only=True)
class ConverterSettings:
    """A converter: its class as it was written, and its own keys with the prefix taken off."""

    type: str
    configs: Mapping[str, Any]


class ConnectorConfig(AbstractConfig):
    """The keys that every connector has. References to config providers must have been resolved.

    The keys of transformations and predicates that the worker defines are included, those of their classes are not: no
    plugin is loaded. Raises ConfigException for the first wrong key or combination; `errors` gives them all.
    """

    def __init__(self, props: Mapping[str, str]) -> None:
        super().__init__(self.config_def(props), props)
        for error in self.cross_field_errors(props):
            raise error

    @classmethod
    def base_config_def(cls) -> ConfigDef:
        """The keys that do not depend on others; not to be changed by the caller."""
        return _base_config_def()

    @classmethod
    def config_def(cls, props: Mapping[str, Any], plugin_keys: PluginKeys | None = None) -> ConfigDef:
        """All keys that a connector with these properties has; with `plugin_keys` those of its transformations too."""
        definition = ConfigDef(cls.base_config_def())
        define_aliases(definition, props, plugin_keys)
        return definition

    @classmethod
    def cross_field_errors(cls, props: Mapping[str, Any]) -> list[ConfigException]:
        """What is wrong with the combination of keys that are right one by one."""
        return alias_errors(props)

    @classmethod
    def errors(cls, props: Mapping[str, Any]) -> list[ConfigException]:
        """Everything that is wrong with the properties, empty if the constructor accepts them."""
        return cls.config_def(props).errors(props) + cls.cross_field_errors(props)

    @classmethod
    def known_prefixes(cls, props: Mapping[str, Any]) -> list[str]:
        """Prefixes below which keys belong to somebody else: clients, converters, transformations, the supervisor."""
        found = [PRODUCER_OVERRIDE, CONSUMER_OVERRIDE, ADMIN_OVERRIDE, "task.restart."]
        found += [f"{converter}." for converter in (KEY_CONVERTER, VALUE_CONVERTER, HEADER_CONVERTER)]
        return found + [f"{kind}.{alias}." for kind in (TRANSFORMS, PREDICATES) for alias in aliases(props, kind)]

    @property
    def name(self) -> str:
        """The connector's name."""
        return cast(str, self.get(NAME))

    @property
    def connector_class(self) -> str:
        """The connector's class as it was written."""
        return cast(str, self.get(CONNECTOR_CLASS))

    @property
    def tasks_max(self) -> int:
        """At most so many tasks."""
        return cast(int, self.get(TASKS_MAX))

    @property
    def tasks_max_enforce(self) -> bool:
        """Whether a connector that plans more tasks fails."""
        return cast(bool, self.get(TASKS_MAX_ENFORCE))

    @property
    def config_action_reload(self) -> ConfigReloadAction:
        """What to do when a config provider has a new value."""
        return ConfigReloadAction(self.get(CONFIG_ACTION_RELOAD))

    @property
    def errors_retry_timeout_ms(self) -> int:
        """For how long a failed operation is tried again; 0 means never, -1 for ever."""
        return cast(int, self.get(ERRORS_RETRY_TIMEOUT))

    @property
    def errors_retry_delay_max_ms(self) -> int:
        """The longest wait between two tries."""
        return cast(int, self.get(ERRORS_RETRY_DELAY_MAX_MS))

    @property
    def errors_tolerance(self) -> ToleranceType:
        """What happens to a record that fails."""
        return ToleranceType(self.get(ERRORS_TOLERANCE))

    @property
    def errors_log_enable(self) -> bool:
        """Whether errors are logged although they are tolerated."""
        return cast(bool, self.get(ERRORS_LOG_ENABLE))

    @property
    def errors_log_include_messages(self) -> bool:
        """Whether the record is logged with its error."""
        return cast(bool, self.get(ERRORS_LOG_INCLUDE_MESSAGES))

    @property
    def transformations(self) -> list[TransformationSettings]:
        """The transformations, in the order in which they apply."""
        return transformation_settings(self.originals(), self.values()) if self.get(TRANSFORMS) else []

    def converter(self, name: str, worker: WorkerConfig) -> ConverterSettings:
        """The converter of `key.converter`, `value.converter` or `header.converter`.

        As in Java, a connector that names the class brings its own keys; otherwise class and keys are the worker's.
        """
        config: AbstractConfig = worker if self.get(name) is None else self
        return ConverterSettings(type=config.get(name), configs=config.originals_with_prefix(f"{name}."))


@cache
def _base_config_def() -> ConfigDef:
    definition = ConfigDef()
    for declare in (
        _identity,
        _converters,
        _aliases,
        _errors,
        define_connector_limits,
        define_connector_python,
        define_java,
    ):
        declare(definition)
    return definition


def _identity(definition: ConfigDef) -> None:
    definition.define(
        NAME,
        Type.STRING,
        validator=NonEmptyStringWithoutControlChars(),
        importance=Importance.HIGH,
        doc="The name of the connector, unique in its cluster.",
        group=COMMON_GROUP,
        width=Width.MEDIUM,
        display_name="Connector name",
    ).define(
        CONNECTOR_CLASS,
        Type.STRING,
        importance=Importance.HIGH,
        doc="The class of the connector: its short name such as `FileStreamSink`, `module.Class`, or the Java name.",
        group=COMMON_GROUP,
        width=Width.LONG,
        display_name="Connector class",
    ).define(
        CONNECTOR_VERSION,
        Type.STRING,
        None,
        doc=PLUGIN_VERSION_DOC,
        group=COMMON_GROUP,
        width=Width.MEDIUM,
        display_name="Connector version",
    ).define(
        TASKS_MAX,
        Type.INT,
        1,
        Range.at_least(1),
        Importance.HIGH,
        "The largest number of tasks, and so of processes, that the connector may have.",
        group=COMMON_GROUP,
        width=Width.SHORT,
        display_name="Tasks max",
    ).define(
        TASKS_MAX_ENFORCE,
        Type.BOOLEAN,
        True,
        importance=Importance.LOW,
        doc="Whether a connector that plans more than `tasks.max` tasks fails. Deprecated.",
        group=COMMON_GROUP,
        width=Width.SHORT,
        display_name="Enforce tasks max",
    )


def _converters(definition: ConfigDef) -> None:
    for name, part in ((KEY_CONVERTER, "Key"), (VALUE_CONVERTER, "Value"), (HEADER_CONVERTER, "Header")):
        definition.define(
            name,
            Type.CLASS,
            None,
            importance=Importance.LOW,
            doc=f"The {part.lower()} converter of this connector, with its own keys below `{name}.`. Left out, both are "
            "the worker's.",
            group=COMMON_GROUP,
            width=Width.SHORT,
            display_name=f"{part} converter class",
        ).define(
            f"{name}.plugin.version",
            Type.STRING,
            None,
            importance=Importance.LOW,
            doc=PLUGIN_VERSION_DOC,
            group=COMMON_GROUP,
            width=Width.SHORT,
            display_name=f"{part} converter version",
        )


def _aliases(definition: ConfigDef) -> None:
    definition.define(
        TRANSFORMS,
        Type.LIST,
        [],
        unique_aliases("transformation"),
        Importance.LOW,
        "Aliases of the transformations that records pass, in this order. The class of each is set by "
        "`transforms.ALIAS.type`, its own keys below `transforms.ALIAS.`; `transforms.ALIAS.predicate` and "
        "`transforms.ALIAS.negate` limit the records it applies to.",
        group="Transforms",
        order=12,
        width=Width.LONG,
        display_name="Transforms",
    ).define(
        PREDICATES,
        Type.LIST,
        [],
        unique_aliases("predicate"),
        Importance.LOW,
        "Aliases of the predicates that transformations refer to. The class of each is set by `predicates.ALIAS.type`, "
        "its own keys below `predicates.ALIAS.`.",
        group="Predicates",
        order=13,
        width=Width.LONG,
        display_name="Predicates",
    ).define(
        CONFIG_ACTION_RELOAD,
        Type.STRING,
        "restart",
        ValidString.in_("none", "restart"),
        Importance.LOW,
        "What happens when a config provider has a new value for this connector: `restart` or `none`.",
        group=COMMON_GROUP,
        order=14,
        width=Width.MEDIUM,
        display_name="Reload Action",
    )


def _errors(definition: ConfigDef) -> None:
    definition.define(
        ERRORS_RETRY_TIMEOUT,
        Type.LONG,
        0,
        doc="For how many milliseconds a failed operation is tried again. 0 means not at all, -1 without end.",
        group=ERROR_GROUP,
        width=Width.MEDIUM,
        display_name="Retry Timeout for Errors",
    ).define(
        ERRORS_RETRY_DELAY_MAX_MS,
        Type.LONG,
        60000,
        doc="The longest wait between two tries; it varies a little, so that not all tasks try at the same time.",
        group=ERROR_GROUP,
        width=Width.MEDIUM,
        display_name="Maximum Delay Between Retries for Errors",
    ).define(
        ERRORS_TOLERANCE,
        Type.STRING,
        "none",
        ValidString.in_("none", "all"),
        doc="`none` fails the task at the first error, `all` skips records that fail.",
        group=ERROR_GROUP,
        width=Width.SHORT,
        display_name="Error Tolerance",
    ).define(
        ERRORS_LOG_ENABLE,
        Type.BOOLEAN,
        False,
        doc="Whether tolerated errors are logged too.",
        group=ERROR_GROUP,
        width=Width.SHORT,
        display_name="Log Errors",
    ).define(
        ERRORS_LOG_INCLUDE_MESSAGES,
        Type.BOOLEAN,
        False,
        doc="Whether the log of an error holds the record: of a sink topic, partition, offset and timestamp, of a "
        "source key, value, headers and offset.",
        group=ERROR_GROUP,
        width=Width.SHORT,
        display_name="Log Error Details",
    )
