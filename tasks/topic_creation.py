"""Creates the topics that a source writes to, before their first record (KIP-158)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # public, but not in its stubs

from connectd.errors import ConnectException, RetriableException
from tasks.settings.topic_creation import TopicCreationGroup
from tasks.source.sender import SendAbandoned

log = structlog.get_logger(__name__)

REQUEST_TIMEOUT_S = 30.0
STOP_CHECK_S = 0.1

NOT_ALLOWED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
RETRIABLE = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_CONTROLLER,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.THROTTLING_QUOTA_EXCEEDED,
    }
)


class TopicCreation:
    """`ensure` creates a topic that is missing, with the settings of the first group that matches its name.

    Without groups it does nothing: the broker then creates topics itself, if it is configured to.
    """

    def __init__(
        self, groups: Sequence[TopicCreationGroup], connect: Callable[[], AdminClient], stopping: threading.Event
    ) -> None:
        self._groups = groups
        self._connect = connect
        self._stopping = stopping
        self._admin: AdminClient | None = None
        self._known: set[str] = set()

    def ensure(self, topic: str) -> None:
        """Returns once the topic exists.

        Raises RetriableException when the cluster cannot answer now, ConnectException when it refuses, and SendAbandoned
        when the task is ordered to stop meanwhile.
        """
        if topic in self._known:
            return
        if self._groups:
            self._create_if_missing(topic)
        self._known.add(topic)

    def poll(self) -> None:
        """Hands over the statistics of the client, if there is one. Safe from any thread."""
        if (admin := self._admin) is not None:
            admin.poll(0)

    def _create_if_missing(self, topic: str) -> None:
        if self._admin is None:
            self._admin = self._connect()
        group = next(group for group in self._groups if group.matches(topic))
        new_topic = NewTopic(
            topic,
            num_partitions=group.partitions,
            replication_factor=group.replication_factor,
            config=dict(group.configs),
        )
        # Creating is asked for without looking first: one request instead of two, and nobody can come in between.
        future: Future[Any] = self._admin.create_topics([new_topic], request_timeout=REQUEST_TIMEOUT_S)[topic]
        while not wait([future], STOP_CHECK_S).done:
            if self._stopping.is_set():
                raise SendAbandoned
        try:
            future.result()
        except KafkaException as error:
            self._accept_existing(self._admin, topic, group, error.args[0])
        else:
            log.info("topic created", topic=topic, group=group.name, partitions=group.partitions)

    @staticmethod
    def _accept_existing(admin: AdminClient, topic: str, group: TopicCreationGroup, error: KafkaError) -> None:
        if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return
        if error.code() in NOT_ALLOWED and topic in admin.list_topics(timeout=REQUEST_TIMEOUT_S).topics:
            return
        kind = RetriableException if error.code() in RETRIABLE else ConnectException
        raise kind(
            f"Cannot create topic {topic} with the settings of topic creation group {group.name!r} (partitions"
            f" {group.partitions}, replication factor {group.replication_factor}): {error.name()}: {error.str()}"
        )
