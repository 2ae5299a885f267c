"""WorkerConfig: the settings of a worker file (`org.apache.kafka.connect.runtime.WorkerConfig`, `StandaloneConfig`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from connectd.config import (
    AbstractConfig,
    CaseInsensitiveValidString,
    ConfigDef,
    Importance,
    LambdaValidator,
    Range,
    Type,
    ValidList,
    ValidString,
)
from connectd.errors import ConfigException
from plugins.python_setting import PLUGIN_PYTHON
from plugins.tls.settings import define_ssl
from tasks.logs import parse_levels
from tasks.settings.java import define_java
from tasks.settings.limits import define_worker_limits
from tasks.settings.python import PYTHON_VALIDATOR
from tasks.settings.rest import define_rest

BOOTSTRAP_SERVERS: Final = "bootstrap.servers"
KEY_CONVERTER: Final = "key.converter"
VALUE_CONVERTER: Final = "value.converter"
HEADER_CONVERTER: Final = "header.converter"
TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS: Final = "task.shutdown.graceful.timeout.ms"
OFFSET_FLUSH_INTERVAL_MS: Final = "offset.flush.interval.ms"
OFFSET_FLUSH_TIMEOUT_MS: Final = "offset.flush.timeout.ms"
PLUGIN_PATH: Final = "plugin.path"
CONFIG_PROVIDERS: Final = "config.providers"
OVERRIDE_POLICY: Final = "connector.client.config.override.policy"
OVERRIDE_ALLOWLIST: Final = "connector.client.config.override.allowlist"
TOPIC_CREATION_ENABLE: Final = "topic.creation.enable"
TOPIC_TRACKING_ENABLE: Final = "topic.tracking.enable"
TOPIC_TRACKING_ALLOW_RESET: Final = "topic.tracking.allow.reset"
CONNECTORS_DIRECTORY: Final = "connectors.directory"
LOG_LEVELS: Final = "log.levels"
OFFSET_STORAGE_FILE_FILENAME: Final = "offset.storage.file.filename"

DEFAULT_HEADER_CONVERTER: Final = "org.apache.kafka.connect.storage.SimpleHeaderConverter"

# Keys below these prefixes are handed on. `task.restart.` is the restart policy: the supervisor declares and reads it.
KNOWN_PREFIXES: Final = (
    "producer.",
    "consumer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "config.providers.",
    "listeners.https.",
    "admin.listeners.https.",
    "metrics.context.",
    "task.restart.",
)

OVERRIDE_POLICIES: Final = ("All", "None", "Allowlist", "Principal")

_NO_EFFECT: Final = "Accepted for compatibility; it has no effect."
PLUGIN_VERSION_DOC: Final = "Accepted for compatibility: of every plugin the one version that is installed is used."


class WorkerConfig(AbstractConfig):
    """What standalone and distributed workers have in common; enough for a child process in either mode.

    Raises ConfigException for the first wrong key; `errors` gives them all.
    """

    def __init__(self, props: Mapping[str, str]) -> None:
        super().__init__(type(self).config_def(), props)

    @classmethod
    def config_def(cls) -> ConfigDef:
        """The declared keys; not to be changed by the caller."""
        return _worker_config_def()

    @classmethod
    def errors(cls, props: Mapping[str, str]) -> list[ConfigException]:
        """Everything that is wrong with a worker file's properties, empty if the constructor accepts them."""
        return cls.config_def().errors(props)

    @property
    def bootstrap_servers(self) -> str:
        """Comma-separated, as the Kafka clients take it."""
        return ",".join(self.get(BOOTSTRAP_SERVERS))

    @property
    def task_shutdown_graceful_timeout_ms(self) -> int:
        """The time that all tasks together have for a clean end."""
        return cast(int, self.get(TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS))

    @property
    def offset_flush_interval_ms(self) -> int:
        """How often a task commits its offsets."""
        return cast(int, self.get(OFFSET_FLUSH_INTERVAL_MS))

    @property
    def offset_flush_timeout_ms(self) -> int:
        """How long one commit of offsets may take."""
        return cast(int, self.get(OFFSET_FLUSH_TIMEOUT_MS))

    @property
    def plugin_path(self) -> list[str]:
        """Folders of plugin folders; empty if none is set."""
        return cast("list[str] | None", self.get(PLUGIN_PATH)) or []

    @property
    def config_providers(self) -> list[str]:
        """The names of the configured config providers."""
        return cast("list[str]", self.get(CONFIG_PROVIDERS))

    @property
    def client_config_override_policy(self) -> str:
        """The policy for the client settings of connectors: one of `OVERRIDE_POLICIES`."""
        return _policy_name(self.get(OVERRIDE_POLICY))

    @property
    def client_config_override_allowlist(self) -> list[str]:
        """The client settings that connectors may change under the policy `Allowlist`."""
        return cast("list[str]", self.get(OVERRIDE_ALLOWLIST))

    @property
    def topic_creation_enable(self) -> bool:
        """Whether source connectors may have their topics created by the worker (KIP-158)."""
        return cast(bool, self.get(TOPIC_CREATION_ENABLE))

    @property
    def topic_tracking_enable(self) -> bool:
        """Whether the topics that a connector uses are recorded (KIP-558)."""
        return cast(bool, self.get(TOPIC_TRACKING_ENABLE))

    @property
    def topic_tracking_allow_reset(self) -> bool:
        """Whether the recorded topics of a connector may be reset."""
        return cast(bool, self.get(TOPIC_TRACKING_ALLOW_RESET))

    @property
    def exactly_once_source_enabled(self) -> bool:
        """Whether source connectors may deliver exactly once (KIP-618); never in standalone mode."""
        return False

    @property
    def group_id(self) -> str | None:
        """The group of a distributed worker; None in standalone mode."""
        return None

    @property
    def connectors_directory(self) -> str | None:
        """The folder of connector files that are run beside those of the command line; None if there is to be none."""
        return cast("str | None", self.get(CONNECTORS_DIRECTORY)) or None

    @property
    def log_levels(self) -> dict[str, str]:
        """Level names by logger name, `root` being all others; those that are given."""
        return parse_levels(self.get(LOG_LEVELS))


class StandaloneConfig(WorkerConfig):
    """The settings of `connectd standalone`."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return _standalone_config_def()

    @property
    def offset_storage_file_filename(self) -> str:
        """The file that keeps the offsets of source connectors."""
        return cast(str, self.get(OFFSET_STORAGE_FILE_FILENAME))


@cache
def _worker_config_def() -> ConfigDef:
    definition = ConfigDef()
    for declare in (
        _kafka,
        _converters,
        _times,
        define_java,
        define_worker_limits,
        _plugins,
        _connectors,
        _metrics,
        _logs,
        define_rest,
        define_ssl,
    ):
        declare(definition)
    return definition


@cache
def _standalone_config_def() -> ConfigDef:
    return ConfigDef(_worker_config_def()).define(
        OFFSET_STORAGE_FILE_FILENAME,
        Type.STRING,
        importance=Importance.HIGH,
        doc="The file in which a standalone worker keeps the offsets of its source connectors.",
    )


def _kafka(definition: ConfigDef) -> None:
    definition.define(
        BOOTSTRAP_SERVERS,
        Type.LIST,
        validator=ValidList.any_non_duplicate_values(is_empty_allowed=False, is_null_allowed=False),
        importance=Importance.HIGH,
        doc="Brokers to ask first for all others of the Kafka cluster: `host1:port1,host2:port2`. More than one, so "
        "that a worker can start while one of them is down.",
    ).define(
        "client.dns.lookup",
        Type.STRING,
        "use_all_dns_ips",
        ValidString.in_("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"),
        doc="How host names of brokers are resolved: try every address of a name, or replace the names in "
        "`bootstrap.servers` by the canonical ones of all their addresses.",
    )


def _converters(definition: ConfigDef) -> None:
    for name, part in ((KEY_CONVERTER, "keys"), (VALUE_CONVERTER, "values")):
        definition.define(
            name,
            Type.CLASS,
            importance=Importance.HIGH,
            doc=f"The converter between the {part} of records and the bytes in Kafka, for connectors that name none.",
        )
    definition.define(
        HEADER_CONVERTER,
        Type.CLASS,
        DEFAULT_HEADER_CONVERTER,
        importance=Importance.LOW,
        doc="The converter between the headers of records and the bytes in Kafka, for connectors that name none. The "
        "default writes text and guesses the schema when it reads.",
    )
    for name in (KEY_CONVERTER, VALUE_CONVERTER, HEADER_CONVERTER):
        definition.define(
            f"{name}.plugin.version", Type.STRING, None, importance=Importance.LOW, doc=PLUGIN_VERSION_DOC
        )


def _times(definition: ConfigDef) -> None:
    low = Importance.LOW
    definition.define(
        TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS,
        Type.LONG,
        5000,
        importance=low,
        doc="How long tasks may take to finish their batch, flush and commit when they are stopped. It is the time for "
        "all of them together; then they are killed.",
    ).define(
        OFFSET_FLUSH_INTERVAL_MS, Type.LONG, 60000, importance=low, doc="How often tasks commit their offsets."
    ).define(
        OFFSET_FLUSH_TIMEOUT_MS,
        Type.LONG,
        5000,
        importance=low,
        doc="How long flushing records and storing their offsets may take before that commit is given up and tried "
        "again at the next interval.",
    )


def _plugins(definition: ConfigDef) -> None:
    names = ValidList.any_non_duplicate_values
    low = Importance.LOW
    definition.define(
        PLUGIN_PATH,
        Type.LIST,
        None,
        names(is_empty_allowed=False, is_null_allowed=True),
        low,
        "Folders that hold plugin folders, each with a plugin's Python packages and their dependencies. References to "
        "config providers are not resolved here: plugins are looked for before there are any.",
    ).define(
        PLUGIN_PYTHON,
        Type.STRING,
        None,
        PYTHON_VALIDATOR,
        low,
        "The Python interpreter that the processes of connectors run under, such as `/opt/connectors/.venv/bin/python`, for "
        "connectors that name none and whose plugin folders have no environment in `.venv`. Left out, it is the one that "
        "connectd runs on. References to config providers are not resolved here. (connectd only)",
    ).define(
        "plugin.discovery",
        Type.STRING,
        "hybrid_warn",
        CaseInsensitiveValidString.in_("only_scan", "hybrid_warn", "hybrid_fail", "service_load"),
        low,
        _NO_EFFECT,
    ).define(
        CONFIG_PROVIDERS,
        Type.LIST,
        [],
        names(is_empty_allowed=True, is_null_allowed=False),
        low,
        "Names of config providers, which replace `${name:path:key}` in configurations. The class of each is set by "
        "`config.providers.NAME.class`, its own keys by `config.providers.NAME.param.KEY`.",
    )


def _connectors(definition: ConfigDef) -> None:
    names = ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False)
    low = Importance.LOW
    definition.define(
        OVERRIDE_POLICY,
        Type.STRING,
        "All",
        LambdaValidator.with_(_check_policy, lambda: f"[{', '.join(OVERRIDE_POLICIES)}]"),
        doc="Which Kafka client settings connectors may change by `producer.override.`, `consumer.override.` and "
        "`admin.override.`: `All`, `None`, `Allowlist` (those in `connector.client.config.override.allowlist`), or "
        "`Principal` (`security.protocol`, `sasl.mechanism` and `sasl.jaas.config`; deprecated).",
    ).define(
        OVERRIDE_ALLOWLIST,
        Type.LIST,
        [],
        names,
        doc="The Kafka client settings that connectors may change under the policy `Allowlist`.",
    ).define(
        TOPIC_CREATION_ENABLE,
        Type.BOOLEAN,
        True,
        importance=low,
        doc="Whether the worker creates missing topics for source connectors that have `topic.creation.` keys.",
    ).define(
        TOPIC_TRACKING_ENABLE,
        Type.BOOLEAN,
        True,
        importance=low,
        doc="Whether the worker records which topics each connector uses.",
    ).define(
        TOPIC_TRACKING_ALLOW_RESET,
        Type.BOOLEAN,
        True,
        importance=low,
        doc="Whether the recorded topics of a connector may be reset over the REST API.",
    ).define(
        CONNECTORS_DIRECTORY,
        Type.STRING,
        "conf/connectors.d",
        doc="A folder whose `.properties` and `.json` files are connectors to run, relative to the folder that the worker "
        "runs in. The default one need not exist, one that is set here must. Empty means none. (connectd only)",
    )


def _metrics(definition: ConfigDef) -> None:
    low = Importance.LOW
    definition.define("metrics.sample.window.ms", Type.LONG, 30000, Range.at_least(0), low, _NO_EFFECT).define(
        "metrics.num.samples", Type.INT, 2, Range.at_least(1), low, _NO_EFFECT
    ).define("metrics.recording.level", Type.STRING, "INFO", ValidString.in_("INFO", "DEBUG"), low, _NO_EFFECT).define(
        "metric.reporters",
        Type.LIST,
        "org.apache.kafka.common.metrics.JmxReporter",
        ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False),
        low,
        "Accepted for compatibility: metrics are served at `/metrics` for Prometheus.",
    )


def _logs(definition: ConfigDef) -> None:
    definition.define(
        LOG_LEVELS,
        Type.LIST,
        [],
        LambdaValidator.with_(
            lambda name, value: parse_levels(value), lambda: "LEVEL or LOGGER=LEVEL, several separated by commas"
        ),
        Importance.LOW,
        "How much is logged, by everything or by one logger and those below it: `INFO,tasks.sink=DEBUG`. The command line's "
        "`--log-level` comes before it. (connectd only)",
    )


def _policy_name(written: str) -> str:
    """The short name of a policy that may be written as Java's class."""
    return written.rpartition(".")[2].removesuffix("ConnectorClientConfigOverridePolicy")


def _check_policy(name: str, value: Any) -> None:
    if _policy_name(value) not in OVERRIDE_POLICIES:
        raise ConfigException(name, value, f"Expected one of {', '.join(OVERRIDE_POLICIES)}")
