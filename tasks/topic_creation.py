"""Creates the topics that a source writes to, before their first record (KIP-158)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # public, but not in its stubs

from connectd.errors import ConnectException, RetriableException
from tasks.settings.topic_creation import TopicCreationGroup

log = structlog.get_logger(__name__)

REQUEST_TIMEOUT_S = 30.0


class TopicCreation:
    """`ensure` creates a topic that is missing, with the settings of the first group that matches its name.

    Without groups it does nothing: the broker then creates topics itself, if it is configured to.
    """

    def __init__(self, groups: Sequence[TopicCreationGroup], connect: Callable[[], AdminClient]) -> None:
        self._groups = groups
        self._connect = connect
        self._admin: AdminClient | None = None
        self._known: set[str] = set()

    def ensure(self, topic: str) -> None:
        """Returns once the topic exists. Raises ConnectException when it cannot be created."""
        if topic in self._known:
            return
        if self._groups:
            self._create_if_missing(topic)
        self._known.add(topic)

    def _create_if_missing(self, topic: str) -> None:
        admin = self._admin = self._admin or self._connect()
        group = next(group for group in self._groups if group.matches(topic))
        new_topic = NewTopic(
            topic,
            num_partitions=group.partitions,
            replication_factor=group.replication_factor,
            config=dict(group.configs),
        )
        # Creating is asked for without looking first: one request instead of two, and nobody can come in between.
        futures: dict[str, Future[Any]] = admin.create_topics([new_topic], request_timeout=REQUEST_TIMEOUT_S)
        try:
            futures[topic].result()
        except KafkaException as error:
            self._accept_existing(topic, group, error.args[0])
        else:
            log.info("topic created", topic=topic, group=group.name, partitions=group.partitions)

    @staticmethod
    def _accept_existing(topic: str, group: TopicCreationGroup, error: KafkaError) -> None:
        if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return
        if error.code() in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
            # As in Java: the topic may exist, or the broker may create it. If not, sending will say so.
            log.warning("not allowed to create a topic; going on as if it existed", topic=topic, error=error.str())
            return
        kind = RetriableException if error.retriable() else ConnectException
        raise kind(
            f"Cannot create topic {topic} with the settings of topic creation group {group.name!r}"
            f" (partitions {group.partitions}, replication factor {group.replication_factor}): {error.name()}: {error.str()}"
        )
