"""How far consumer groups have read, and where their partitions end: asked of Kafka by one short-lived client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from tasks.clients import create, worker_admin_settings
from tasks.messages import LagMeasured, MeasureLag, Reason
from tasks.refusal import Refusal
from tasks.settings import WorkerConfig


def measure_lag(order: MeasureLag) -> LagMeasured:
    """Groups and partitions that Kafka does not know are left out. Raises Refusal if it does not answer at all."""
    admin = create(AdminClient, worker_admin_settings(WorkerConfig(order.worker_config), "connectd-lag"))
    try:
        committed = [
            (group, each.topic, each.partition, each.offset)
            for group, partitions in _committed(admin, order.groups, order.timeout_s)
            for each in partitions
            if each.error is None and each.offset >= 0
        ]
        wanted = {*order.partitions, *((topic, partition) for _, topic, partition, _ in committed)}
        return LagMeasured(committed=committed, ends=_ends(admin, wanted, order.timeout_s))
    except KafkaException as error:
        raise Refusal(Reason.UNAVAILABLE, f"Kafka did not answer: {error.args[0]}") from error


def _committed(
    admin: AdminClient, groups: Iterable[str], timeout_s: float
) -> Iterable[tuple[str, list[TopicPartition]]]:
    # A request takes one group; all of them are on their way at the same time.
    answers = {
        group: admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=timeout_s)[
            group
        ]
        for group in groups
    }
    for group, answer in answers.items():
        found = _result(answer)
        if found is not None:
            yield group, found.topic_partitions


def _ends(admin: AdminClient, partitions: Iterable[tuple[str, int]], timeout_s: float) -> list[tuple[str, int, int]]:
    newest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    latest = {TopicPartition(topic, partition): newest for topic, partition in partitions}
    answers: Mapping[TopicPartition, Any] = admin.list_offsets(latest, request_timeout=timeout_s) if latest else {}
    found = [(each.topic, each.partition, _result(answer)) for each, answer in answers.items()]
    return [(topic, partition, end.offset) for topic, partition, end in found if end is not None]


def _result(answer: Any) -> Any:
    """None for what does not exist, such as a topic that was deleted. Raises KafkaException if Kafka does not answer."""
    try:
        return answer.result()
    except KafkaException as error:
        if error.args[0].retriable() or error.args[0].code() < 0:  # local errors, such as a timeout, are below 0
            raise
        return None
