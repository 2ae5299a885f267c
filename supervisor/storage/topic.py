"""Creates a storage topic, or makes sure that the one that exists will keep what is written to it.

As `KafkaTopicBasedBackingStore.topicInitializer` and `TopicAdmin` in Java.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from typing import Any, Final, TypeVar

import msgspec
import structlog
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from connectd.errors import ConfigException, ConnectException
from supervisor.storage.errors import NOT_ALLOWED, UNREACHABLE, StorageUnavailable, explained
from tasks.settings.distributed import TopicSettings

log = structlog.get_logger(__name__)

T = TypeVar("T")

CREATE_TIMEOUT_S: Final = 60.0
METADATA_TIMEOUT_S: Final = 30.0
REQUEST_TIMEOUT_S: Final = 15.0
RETRY_S: Final = 0.1

_CLEANUP_POLICY: Final = "cleanup.policy"
_COMPACT: Final = "compact"

# A cluster that is starting has too few brokers for a while.
_CREATED_LATER: Final = UNREACHABLE | {KafkaError.INVALID_REPLICATION_FACTOR}
_NOT_THERE_YET: Final = UNREACHABLE | {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE}


class StorageTopic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic, the key of the worker file that names it, and what it keeps, to say so in errors."""

    settings: TopicSettings
    key: str
    purpose: str

    @property
    def name(self) -> str:
        """The topic's name."""
        return self.settings.name


async def ensure_topic(admin: AdminClient, topic: StorageTopic) -> None:
    """Create a topic that is missing. Where this worker may not, it is taken to exist or to be created by the broker.

    Raises ConfigException if it exists and is not compacted, StorageUnavailable if Kafka does not answer, ConnectException if it
    refuses.
    """
    if not await _create(admin, topic):
        await _check_compacted(admin, topic)


async def partitions_of(admin: AdminClient, topic: StorageTopic) -> list[int]:
    """The topic's partitions, once it is known. Raises StorageUnavailable, ConnectException."""
    deadline = time.monotonic() + METADATA_TIMEOUT_S
    while True:
        try:
            described = admin.describe_topics(TopicCollection([topic.name]), request_timeout=REQUEST_TIMEOUT_S)
            partitions = sorted(each.id for each in (await answer(described[topic.name])).partitions)
        except KafkaException as failure:
            error: KafkaError = failure.args[0]
            if error.code() not in _NOT_THERE_YET:
                raise ConnectException(f"cannot look up topic {topic.name}: {explained(error)}") from failure
            reason = explained(error)
        else:
            if partitions:
                return partitions
            reason = "it has no partitions"
        if time.monotonic() > deadline:
            raise StorageUnavailable(f"cannot look up topic {topic.name} ({topic.key}): {reason}")
        await asyncio.sleep(RETRY_S)


async def answer(future: Future[T]) -> T:
    """The result of an admin request. Whoever does not wait any more leaves it to librdkafka to end it."""
    wrapped = asyncio.wrap_future(future)
    # Whoever waited may be gone when the client is closed, which is an error that nobody needs to hear of.
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(wrapped)


async def _create(admin: AdminClient, topic: StorageTopic) -> bool:
    """Whether the topic is new, or nothing more can be found out about it."""
    settings = topic.settings
    new = NewTopic(
        topic.name,
        num_partitions=settings.partitions,
        replication_factor=settings.replication_factor,
        config={**settings.config, _CLEANUP_POLICY: _COMPACT},
    )
    deadline = time.monotonic() + CREATE_TIMEOUT_S
    told = False
    while True:
        try:
            await answer(admin.create_topics([new], request_timeout=REQUEST_TIMEOUT_S)[topic.name])
        except KafkaException as failure:
            error: KafkaError = failure.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            if error.code() in NOT_ALLOWED:
                log.info(f"this worker may not create topic {topic.name}, so it should exist", topic=topic.name)
                return True
            if error.code() not in _CREATED_LATER or time.monotonic() > deadline:
                raise _not_created(topic, error) from failure
            if not told:
                log.warning(f"cannot create topic {topic.name} yet: {explained(error)}", topic=topic.name)
                told = True
            await asyncio.sleep(RETRY_S)
        else:
            log.info("storage topic created", topic=topic.name, partitions=settings.partitions)
            return True


def _not_created(topic: StorageTopic, error: KafkaError) -> ConnectException:
    settings = topic.settings
    kind = StorageUnavailable if error.code() in UNREACHABLE else ConnectException
    return kind(
        f"cannot create topic {topic.name} ({topic.key}; partitions {settings.partitions}, replication factor"
        f" {settings.replication_factor}): {explained(error)}"
    )


async def _check_compacted(admin: AdminClient, topic: StorageTopic) -> None:
    try:
        config = await _config_of(admin, topic)
    except KafkaException as failure:
        error: KafkaError = failure.args[0]
        if error.code() in NOT_ALLOWED or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            log.info(f"this worker may not see whether topic {topic.name} is compacted", topic=topic.name)
            return
        kind = StorageUnavailable if error.code() in UNREACHABLE else ConnectException
        raise kind(f"cannot read the configuration of topic {topic.name}: {explained(error)}") from failure
    entry = config.get(_CLEANUP_POLICY)
    policies = {each.strip().lower() for each in ((entry and entry.value) or "").split(",")} - {""}
    if policies and policies != {_COMPACT}:
        found = ",".join(sorted(policies))
        raise ConfigException(
            topic.key,
            topic.name,
            f"Expected a topic with {_CLEANUP_POLICY}={_COMPACT}, this one has {_CLEANUP_POLICY}={found} and would lose"
            f" {topic.purpose} in time",
        )


async def _config_of(admin: AdminClient, topic: StorageTopic) -> dict[str, Any]:
    """The topic's configuration. A broker hears of a topic a little later than the controller, which says that it exists."""
    resource = ConfigResource(ResourceType.TOPIC, topic.name)
    deadline = time.monotonic() + METADATA_TIMEOUT_S
    while True:
        try:
            asked: Future[dict[str, Any]] = admin.describe_configs([resource], request_timeout=REQUEST_TIMEOUT_S)[
                resource
            ]
            return await answer(asked)
        except KafkaException as failure:
            if failure.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART or time.monotonic() > deadline:
                raise
        await asyncio.sleep(RETRY_S)
