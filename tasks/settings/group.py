"""The worker file's keys for the group of workers (`org.apache.kafka.connect.runtime.distributed.DistributedConfig`)."""

from __future__ import annotations

import re
from typing import Any, Final

from connectd.config import (
    CaseInsensitiveValidString,
    ConfigDef,
    Importance,
    LambdaValidator,
    NonEmptyString,
    Range,
    Type,
)
from connectd.errors import ConfigException

GROUP_ID: Final = "group.id"
GROUP_INSTANCE_ID: Final = "group.instance.id"
CONNECT_PROTOCOL: Final = "connect.protocol"
SESSION_TIMEOUT_MS: Final = "session.timeout.ms"
HEARTBEAT_INTERVAL_MS: Final = "heartbeat.interval.ms"
REBALANCE_TIMEOUT_MS: Final = "rebalance.timeout.ms"
WORKER_SYNC_TIMEOUT_MS: Final = "worker.sync.timeout.ms"
WORKER_UNSYNC_BACKOFF_MS: Final = "worker.unsync.backoff.ms"
SCHEDULED_REBALANCE_MAX_DELAY_MS: Final = "scheduled.rebalance.max.delay.ms"

GROUP: Final = "Group of workers"
PROTOCOLS: Final = ("sessioned", "compatible", "eager")
# What brokers take (`org.apache.kafka.common.internals.Topic.validate`, which Kafka uses for these too).
_INSTANCE_ID: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_INT_MAX: Final = 2**31 - 1


def define_group(definition: ConfigDef) -> ConfigDef:
    """Declare the keys of group membership."""
    _identity(definition)
    _times(definition)
    return definition


def timeout_errors(session_timeout_ms: int, heartbeat_interval_ms: int) -> list[ConfigException]:
    """What goes wrong between the times, though each is right by itself."""
    if heartbeat_interval_ms < session_timeout_ms:
        return []
    return [
        ConfigException(
            HEARTBEAT_INTERVAL_MS,
            heartbeat_interval_ms,
            f"Expected less than {SESSION_TIMEOUT_MS}, which is {session_timeout_ms}; usually a third of it",
        )
    ]


def _identity(definition: ConfigDef) -> None:
    definition.define(
        GROUP_ID,
        Type.STRING,
        validator=NonEmptyString(),
        importance=Importance.HIGH,
        doc="The group of this worker: workers with the same `group.id`, the same Kafka cluster and the same three storage "
        "topics share connectors and tasks. It must differ from the group of every consumer, and so from "
        "`connect-` with a connector's name.",
        group=GROUP,
    )
    definition.define(
        GROUP_INSTANCE_ID,
        Type.STRING,
        None,
        LambdaValidator.with_(_check_instance_id, lambda: "a name of at most 249 letters, digits, '.', '_' and '-'"),
        Importance.MEDIUM,
        "Makes this worker a static member of its group (KIP-345): one that is restarted within `session.timeout.ms` runs "
        "at once what it ran before, and no other worker is disturbed. Each worker needs a name of its own, such as the "
        "host's. A static member does not leave its group when it stops: others take over what it ran when its session is "
        "over, so set `session.timeout.ms` to the time that a restart may take. (connectd only)",
        group=GROUP,
    )
    definition.define(
        CONNECT_PROTOCOL,
        Type.STRING,
        "sessioned",
        CaseInsensitiveValidString.in_(*PROTOCOLS),
        Importance.LOW,
        "How workers agree on who runs what. With `sessioned` and `compatible` only what has to move is stopped (KIP-415), "
        "and with `sessioned` requests between workers are signed as well (KIP-507); with `eager` all stops at every "
        "change. A group uses the best that all its members know.",
        group=GROUP,
    )


def _times(definition: ConfigDef) -> None:
    rows = (
        (
            SESSION_TIMEOUT_MS,
            10_000,
            Importance.HIGH,
            "A worker of which the group has heard nothing for this long is no longer a member. The broker sets bounds: "
            "`group.min.session.timeout.ms` and `group.max.session.timeout.ms`.",
        ),
        (
            HEARTBEAT_INTERVAL_MS,
            3_000,
            Importance.HIGH,
            "How often the worker tells the group that it is alive, and so learns of changes. It must be less than "
            "`session.timeout.ms`, and is usually not more than a third of it.",
        ),
        (
            REBALANCE_TIMEOUT_MS,
            60_000,
            Importance.HIGH,
            "How long each worker may take to stop what it must give up, and to join again when the group changes. One that "
            "takes longer is no longer a member.",
        ),
        (
            WORKER_SYNC_TIMEOUT_MS,
            3_000,
            Importance.MEDIUM,
            "How long a worker may take to catch up with the config topic before it starts what it was given. One that does "
            "not manage that leaves the group for `worker.unsync.backoff.ms`.",
        ),
        (
            WORKER_UNSYNC_BACKOFF_MS,
            300_000,
            Importance.MEDIUM,
            "How long a worker stays out of the group after it has failed to catch up with the config topic within "
            "`worker.sync.timeout.ms`.",
        ),
        (
            SCHEDULED_REBALANCE_MAX_DELAY_MS,
            300_000,
            Importance.LOW,
            "How long connectors and tasks of a worker that has gone wait for its return before others take them over. "
            "With 0 others take them over at once.",
        ),
    )
    for name, default, importance, doc in rows:
        definition.define(name, Type.INT, default, Range.between(0, _INT_MAX), importance, doc, group=GROUP)


def _check_instance_id(name: str, value: Any) -> None:
    if value is not None and not _INSTANCE_ID.fullmatch(value):
        raise ConfigException(
            name, value, "Expected at most 249 letters, digits, '.', '_' and '-', and not '.' or '..'"
        )
