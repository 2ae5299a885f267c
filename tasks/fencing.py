"""Keeps producers of source tasks that were replaced from writing, as `Admin.fenceProducers` does for Java (KIP-618)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from confluent_kafka import KafkaException, Producer

from tasks.clients import create, fencing_producer_settings
from tasks.messages import FenceProducers, ProducersFenced, Reason
from tasks.refusal import Refusal
from tasks.settings import SourceConnectorConfig, worker_config

_AT_ONCE: Final = 8


def fence_producers(order: FenceProducers) -> ProducersFenced:
    """Whoever claims a transactional id fences the one who had it, and aborts its transaction. Raises Refusal."""
    worker, connector = worker_config(order.worker_config), SourceConnectorConfig(order.config)

    def claim(transactional_id: str) -> None:
        producer = create(Producer, fencing_producer_settings(worker, connector, transactional_id))
        try:
            producer.init_transactions(order.timeout_s)
        except KafkaException as failure:
            error = failure.args[0]
            raise Refusal(
                Reason.UNAVAILABLE if error.retriable() else Reason.FAILED,
                f"The producer with transactional id {transactional_id} could not be fenced: {error.name()}: {error.str()}",
            ) from failure

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fencing") as pool:
        list(pool.map(claim, order.transactional_ids))
    return ProducersFenced()
