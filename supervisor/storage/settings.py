"""The settings of the three storage topics, from those of a distributed worker."""

from __future__ import annotations

from typing import Final

import msgspec

from supervisor.storage.kafka_log import LogSettings
from supervisor.storage.topic import StorageTopic
from tasks.clients.storage import storage_admin_settings, storage_consumer_settings, storage_producer_settings
from tasks.settings.distributed import CONFIG_STORAGE, OFFSET_STORAGE, STATUS_STORAGE, DistributedConfig, TopicSettings
from tasks.settings.group import SESSION_TIMEOUT_MS
from tasks.settings.source import OFFSETS_STORAGE_TOPIC

CONFIG_WRITE_TIMEOUT_S: Final = 30.0
_STATUS_WRITE_TIMEOUT_MS: Final = 5_000


def config_log_settings(worker: DistributedConfig) -> LogSettings:
    """The config topic. Raises ConfigException, as the others."""
    timeout_ms = int(CONFIG_WRITE_TIMEOUT_S * 1000)
    return _log_settings(
        worker, worker.config_topic, CONFIG_STORAGE, "configs", "the connectors of this cluster", timeout_ms
    )


def offset_log_settings(worker: DistributedConfig) -> LogSettings:
    """The offset topic of all connectors. An offset that was not written within a session's time is given up: by then the task
    may run elsewhere, and the offset would set it back. A task that still runs here commits it again."""
    timeout_ms: int = worker.get(SESSION_TIMEOUT_MS)
    return _log_settings(worker, worker.offset_topic, OFFSET_STORAGE, "offsets", "the offsets of sources", timeout_ms)


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
        worker, worker.status_topic, STATUS_STORAGE, "statuses", "the states of connectors", _STATUS_WRITE_TIMEOUT_MS
    )


def _log_settings(
    worker: DistributedConfig, topic: TopicSettings, prefix: str, client: str, purpose: str, timeout_ms: int
) -> LogSettings:
    return LogSettings(
        topic=StorageTopic(settings=topic, key=f"{prefix}topic", purpose=purpose),
        admin=storage_admin_settings(worker, client),
        consumer=storage_consumer_settings(worker, client),
        producer=storage_producer_settings(worker, client, timeout_ms),
    )
