"""The settings of the three storage topics, from those of a distributed worker."""

from __future__ import annotations

from typing import Final

import msgspec

from supervisor.storage.kafka_log import LogSettings
from supervisor.storage.topic import StorageTopic
from tasks.clients.storage import storage_admin_settings, storage_consumer_settings, storage_producer_settings
from tasks.settings.distributed import CONFIG_STORAGE, OFFSET_STORAGE, STATUS_STORAGE, DistributedConfig, TopicSettings
from tasks.settings.group import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS
from tasks.settings.source import OFFSETS_STORAGE_TOPIC

CONFIG_WRITE_TIMEOUT_S: Final = 30.0
_STATUS_WRITE_TIMEOUT_MS: Final = 5_000
# What a producer has of a topic in which only the order of each key matters waits for no answer to what was sent before.
_NO_WAITING: Final = 1_000


def config_log_settings(worker: DistributedConfig) -> LogSettings:
    """The config topic. Raises ConfigException, as the others."""
    timeout_ms = int(CONFIG_WRITE_TIMEOUT_S * 1000)
    return _log_settings(
        worker, worker.config_topic, CONFIG_STORAGE, "configs", "the connectors of this cluster", timeout_ms
    )


def offset_log_settings(worker: DistributedConfig) -> LogSettings:
    """The offset topic of all connectors. An offset that was not written while this worker is a member of its group is given up:
    the task may run elsewhere then, and the offset would set it back. A task that still runs here commits it again."""
    return _log_settings(
        worker,
        worker.offset_topic,
        OFFSET_STORAGE,
        "offsets",
        "the offsets of sources",
        _rest_of_session_ms(worker),
        in_flight=_NO_WAITING,
    )


def _rest_of_session_ms(worker: DistributedConfig) -> int:
    """For how long at least a worker is a member that was one just now: its last heartbeat may be an interval old."""
    session_ms: int = worker.get(SESSION_TIMEOUT_MS)
    heartbeat_ms: int = worker.get(HEARTBEAT_INTERVAL_MS)
    return max(session_ms - heartbeat_ms, session_ms // 3)


def own_offset_log_settings(worker: DistributedConfig, topic: str) -> LogSettings:
    """The offset topic that a connector has for itself: created as the worker's. What exactly-once sources of Java's have written
    there in transactions that came to nothing is not read."""
    shared = offset_log_settings(worker)
    like = worker.offset_topic
    own = TopicSettings(topic, like.partitions, like.replication_factor, like.config)
    return msgspec.structs.replace(
        shared,
        topic=StorageTopic(settings=own, key=OFFSETS_STORAGE_TOPIC, purpose="the offsets of a source"),
        consumer=storage_consumer_settings(worker, "offsets", committed_only=True),
    )


def status_log_settings(worker: DistributedConfig) -> LogSettings:
    """The status topic. A status that was not written soon is looked at again: there may be a newer one."""
    return _log_settings(
        worker,
        worker.status_topic,
        STATUS_STORAGE,
        "statuses",
        "the states of connectors",
        min(_STATUS_WRITE_TIMEOUT_MS, _rest_of_session_ms(worker)),
        in_flight=_NO_WAITING,
    )


def _log_settings(
    worker: DistributedConfig,
    topic: TopicSettings,
    prefix: str,
    client: str,
    purpose: str,
    timeout_ms: int,
    *,
    in_flight: int = 1,
) -> LogSettings:
    return LogSettings(
        topic=StorageTopic(settings=topic, key=f"{prefix}topic", purpose=purpose),
        admin=storage_admin_settings(worker),
        consumer=storage_consumer_settings(worker, client),
        producer=storage_producer_settings(worker, client, timeout_ms, in_flight=in_flight),
    )
