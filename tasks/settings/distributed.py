"""DistributedConfig: the settings of `connectd distributed` (`org.apache.kafka.connect.runtime.distributed`)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from connectd.config import (
    AbstractConfig,
    ConfigDef,
    Importance,
    LambdaValidator,
    NonEmptyString,
    Range,
    Type,
    ValidString,
)
from connectd.errors import ConfigException
from tasks.settings.group import (
    GROUP,
    GROUP_ID,
    GROUP_INSTANCE_ID,
    HEARTBEAT_INTERVAL_MS,
    REBALANCE_TIMEOUT_MS,
    SESSION_TIMEOUT_MS,
    WORKER_SYNC_TIMEOUT_MS,
    WORKER_UNSYNC_BACKOFF_MS,
    define_group,
    timeout_errors,
)
from tasks.settings.hmac_algorithms import ALGORITHMS, DEFAULT_ALGORITHM, MIN_KEY_BITS, algorithm
from tasks.settings.rest import LISTENERS
from tasks.settings.topic_creation import positive_or_default
from tasks.settings.worker import WorkerConfig
from tasks.settings.worker_clients import define_clients

EXACTLY_ONCE_SOURCE_SUPPORT: Final = "exactly.once.source.support"
CONFIG_STORAGE: Final = "config.storage."
OFFSET_STORAGE: Final = "offset.storage."
STATUS_STORAGE: Final = "status.storage."
KEY_TTL_MS: Final = "inter.worker.key.ttl.ms"
KEY_ALGORITHM: Final = "inter.worker.key.generation.algorithm"
KEY_SIZE: Final = "inter.worker.key.size"
SIGNATURE_ALGORITHM: Final = "inter.worker.signature.algorithm"
VERIFICATION_ALGORITHMS: Final = "inter.worker.verification.algorithms"

# Settings of the topics are handed on.
STORAGE_PREFIXES: Final = (CONFIG_STORAGE, OFFSET_STORAGE, STATUS_STORAGE)
_INT_MAX: Final = 2**31 - 1
_TOPICS: Final = tuple(f"{prefix}topic" for prefix in STORAGE_PREFIXES)
_REQUIRED: Final = (GROUP_ID, *_TOPICS)
_STORAGE_GROUP: Final = "Storage topics"
_KEYS_GROUP: Final = "Session keys"


class ExactlyOnceSourceSupport(enum.StrEnum):
    """Whether sources may deliver exactly once (KIP-618)."""

    DISABLED = "disabled"
    PREPARING = "preparing"
    ENABLED = "enabled"


class TopicSettings:
    """How one of the three storage topics is created if it is missing. Numbers of -1 are the broker's own."""

    def __init__(self, name: str, partitions: int, replication_factor: int, config: Mapping[str, str]) -> None:
        self.name = name
        self.partitions = partitions
        self.replication_factor = replication_factor
        self.config = dict(config)


class DistributedConfig(WorkerConfig):
    """The settings of one worker of a cluster. Raises ConfigException for the first wrong one; `errors` gives them all."""

    def __init__(self, props: Mapping[str, str]) -> None:
        super().__init__(props)
        for error in _contradictions(self):
            raise error

    @classmethod
    def config_def(cls) -> ConfigDef:
        return _distributed_config_def()

    @classmethod
    def errors(cls, props: Mapping[str, str]) -> list[ConfigException]:
        return super().errors(props) or _contradictions(AbstractConfig(cls.config_def(), props))

    @property
    def group_id(self) -> str:
        """The group of the cluster."""
        return cast(str, self.get(GROUP_ID))

    @property
    def group_instance_id(self) -> str | None:
        """What makes this worker a static member of its group (KIP-345); None for a dynamic one."""
        return cast("str | None", self.get(GROUP_INSTANCE_ID))

    @property
    def worker_sync_timeout_ms(self) -> int:
        """How long catching up with the config topic may take."""
        return cast(int, self.get(WORKER_SYNC_TIMEOUT_MS))

    @property
    def worker_unsync_backoff_ms(self) -> int:
        """For how long a worker that could not catch up stays out of the group."""
        return cast(int, self.get(WORKER_UNSYNC_BACKOFF_MS))

    @property
    def rebalance_timeout_ms(self) -> int:
        """How long workers have to join again once a rebalance has begun."""
        return cast(int, self.get(REBALANCE_TIMEOUT_MS))

    @property
    def exactly_once_source_support(self) -> ExactlyOnceSourceSupport:
        """Whether sources may deliver exactly once."""
        return ExactlyOnceSourceSupport(cast(str, self.get(EXACTLY_ONCE_SOURCE_SUPPORT)).lower())

    @property
    def exactly_once_source_enabled(self) -> bool:
        return self.exactly_once_source_support is ExactlyOnceSourceSupport.ENABLED

    @property
    def transactional_leader_enabled(self) -> bool:
        """Whether the leader writes to the config topic in transactions, so that a former leader cannot (KIP-618)."""
        return self.exactly_once_source_support is not ExactlyOnceSourceSupport.DISABLED

    @property
    def transactional_producer_id(self) -> str:
        """The transactional id of the leader's writes."""
        return f"connect-cluster-{self.group_id}"

    @property
    def config_topic(self) -> TopicSettings:
        """Connectors, tasks, target states. One partition, always."""
        return self._topic(CONFIG_STORAGE)

    @property
    def offset_topic(self) -> TopicSettings:
        """How far sources have read."""
        return self._topic(OFFSET_STORAGE)

    @property
    def status_topic(self) -> TopicSettings:
        """States of connectors and tasks, topics in use."""
        return self._topic(STATUS_STORAGE)

    @property
    def key_ttl_ms(self) -> int:
        """After this time the leader replaces the session key; 0 for never."""
        return cast(int, self.get(KEY_TTL_MS))

    @property
    def key_algorithm(self) -> str:
        """The algorithm that session keys are made for."""
        return cast(str, self.get(KEY_ALGORITHM))

    @property
    def key_bits(self) -> int:
        """The size of session keys."""
        found = algorithm(self.key_algorithm)
        assert found is not None  # validated
        return cast("int | None", self.get(KEY_SIZE)) or found.key_bits

    @property
    def signature_algorithm(self) -> str:
        """What this worker signs its requests with."""
        return cast(str, self.get(SIGNATURE_ALGORITHM))

    @property
    def verification_algorithms(self) -> list[str]:
        """What others may sign theirs with."""
        return cast("list[str]", self.get(VERIFICATION_ALGORITHMS))

    def _topic(self, prefix: str) -> TopicSettings:
        below = {key: str(value) for key, value in self.originals_with_prefix(prefix).items()}
        declared = ("topic", "partitions", "replication.factor", "cleanup.policy")
        return TopicSettings(
            name=cast(str, self.get(f"{prefix}topic")),
            partitions=1 if prefix == CONFIG_STORAGE else cast(int, self.get(f"{prefix}partitions")),
            replication_factor=cast(int, self.get(f"{prefix}replication.factor")),
            config={key: value for key, value in below.items() if key not in declared},
        )


def is_distributed(props: Mapping[str, str]) -> bool:
    """Whether these are the properties of a distributed worker: what only those must have is there."""
    return all(key in props for key in _REQUIRED)


def worker_config(props: Mapping[str, str]) -> WorkerConfig:
    """The settings of a worker of either kind, as its child processes need them. Raises ConfigException."""
    return DistributedConfig(props) if is_distributed(props) else WorkerConfig(props)


def _contradictions(worker: AbstractConfig) -> list[ConfigException]:
    """What is wrong with values together, each of which is fine by itself."""
    found = timeout_errors(worker.get(SESSION_TIMEOUT_MS), worker.get(HEARTBEAT_INTERVAL_MS))
    signed, verified = worker.get(SIGNATURE_ALGORITHM), worker.get(VERIFICATION_ALGORITHMS)
    if signed not in verified:
        found.append(ConfigException(SIGNATURE_ALGORITHM, signed, f"Expected one of {VERIFICATION_ALGORITHMS}"))
    bits = worker.get(KEY_SIZE)
    if bits is not None and bits < MIN_KEY_BITS:
        found.append(ConfigException(KEY_SIZE, bits, f"Expected at least {MIN_KEY_BITS} bits"))
    names: dict[str, str] = {}
    for key in _TOPICS:
        other = names.setdefault(worker.get(key), key)
        if other != key:
            found.append(ConfigException(key, worker.get(key), f"Expected another topic than that of {other}"))
    if not worker.get(LISTENERS):
        found.append(ConfigException(LISTENERS, "", "Expected at least one: workers reach each other there"))
    return found


@cache
def _distributed_config_def() -> ConfigDef:
    definition = ConfigDef()
    for key in WorkerConfig.config_def().config_keys.values():
        if key.name != LISTENERS:
            definition.define_key(key)
    for declare in (_listeners, define_group, _exactly_once, _storage, _session_keys, define_clients):
        declare(definition)
    return definition


def _listeners(definition: ConfigDef) -> None:
    """Unlike a standalone worker, one of a cluster is to be reached by others."""
    key = WorkerConfig.config_def().config_keys[LISTENERS]
    definition.define(
        LISTENERS,
        key.type,
        "http://:8083",
        key.validator,
        key.importance,
        "Where the REST API listens, as for a standalone worker. Other workers send requests there, so by default it is every "
        "interface; what they are told is the first address, or what `rest.advertised.*` say.",
        group=key.group,
    )


def _exactly_once(definition: ConfigDef) -> None:
    definition.define(
        EXACTLY_ONCE_SOURCE_SUPPORT,
        Type.STRING,
        ExactlyOnceSourceSupport.DISABLED.value,
        ValidString.in_(*ExactlyOnceSourceSupport),
        Importance.HIGH,
        "Whether source connectors deliver exactly once: `enabled` has their tasks write records and offsets in one "
        "transaction. In a cluster that runs already, set it to `preparing` on all workers first, which has the leader "
        "write to the config topic in transactions, and then to `enabled`, each time one worker after the other.",
        group=GROUP,
    )


def _storage(definition: ConfigDef) -> None:
    kept = {
        CONFIG_STORAGE: ("the configurations of connectors and tasks", None),
        OFFSET_STORAGE: ("how far source connectors have read", 25),
        STATUS_STORAGE: ("the states of connectors and tasks", 5),
    }
    for prefix, (what, partitions) in kept.items():
        definition.define(
            f"{prefix}topic",
            Type.STRING,
            validator=NonEmptyString(),
            importance=Importance.HIGH,
            doc=f"The topic that holds {what}. Workers create it if it is missing, compacted; further settings of the new "
            f"topic may be given below `{prefix}`.",
            group=_STORAGE_GROUP,
        )
        if partitions is not None:
            definition.define(
                f"{prefix}partitions",
                Type.INT,
                partitions,
                positive_or_default(),
                Importance.LOW,
                "The number of partitions of that topic, if it is created; -1 for the broker's default.",
                group=_STORAGE_GROUP,
            )
        definition.define(
            f"{prefix}replication.factor",
            Type.SHORT,
            3,
            positive_or_default(),
            Importance.LOW,
            "The replication factor of that topic, if it is created; -1 for the broker's default.",
            group=_STORAGE_GROUP,
        )


def _session_keys(definition: ConfigDef) -> None:
    low = Importance.LOW
    supported = f"one of {', '.join(ALGORITHMS)}"
    known = LambdaValidator.with_(_check_algorithm, lambda: supported)
    definition.define(
        KEY_TTL_MS,
        Type.INT,
        3_600_000,
        Range.between(0, _INT_MAX),
        low,
        "After this time the key by which workers sign requests to each other is replaced.",
        group=_KEYS_GROUP,
    ).define(
        KEY_ALGORITHM, Type.STRING, DEFAULT_ALGORITHM, known, low, "What that key is made for.", group=_KEYS_GROUP
    ).define(
        KEY_SIZE,
        Type.INT,
        None,
        importance=low,
        doc="The size of that key in bits; left out, what is usual for its algorithm.",
        group=_KEYS_GROUP,
    ).define(
        SIGNATURE_ALGORITHM,
        Type.STRING,
        DEFAULT_ALGORITHM,
        known,
        low,
        "How requests to other workers are signed.",
        group=_KEYS_GROUP,
    ).define(
        VERIFICATION_ALGORITHMS,
        Type.LIST,
        DEFAULT_ALGORITHM,
        LambdaValidator.with_(_check_algorithms, lambda: f"one or more of {', '.join(ALGORITHMS)}"),
        low,
        "How requests of other workers may be signed; `inter.worker.signature.algorithm` must be among them.",
        group=_KEYS_GROUP,
    )


def _check_algorithm(name: str, value: Any) -> None:
    if algorithm(value) is None:
        raise ConfigException(name, value, f"Expected one of {', '.join(ALGORITHMS)}")


def _check_algorithms(name: str, values: Any) -> None:
    if not values:
        raise ConfigException(name, values, f"Expected one or more of {', '.join(ALGORITHMS)}")
    for value in values:
        _check_algorithm(name, value)
