"""Requests to Kafka that librdkafka has no call for, or that need no more than one short-lived client."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from tasks.clients import ClientSettings, worker_admin_settings
from tasks.clients.kafka_python import kafka_python_conf
from tasks.messages import ClusterDescribed, DescribeCluster, Reason
from tasks.refusal import Refusal
from tasks.settings import WorkerConfig


@contextlib.contextmanager
def kafka_admin(settings: ClientSettings, timeout_s: float) -> Iterator[Any]:
    """A `kafka.KafkaAdminClient`. Raises Refusal if Kafka does not answer in time; errors of its answers come as they are."""
    # Imported here: it costs 0.1 s and 8 MB, and hardly a child needs it.
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaConnectionError, KafkaTimeoutError

    if logging.getLogger("kafka").level == logging.NOTSET:
        # It says each try; what went wrong in the end says who asked.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
    timeout_ms = int(timeout_s * 1000)
    conf = {**kafka_python_conf(settings), "bootstrap_timeout_ms": timeout_ms, "request_timeout_ms": timeout_ms}
    try:
        client = KafkaAdminClient(**conf)
        try:
            yield client
        finally:
            client.close()
    except (KafkaConnectionError, KafkaTimeoutError) as error:
        servers = settings.conf.get("bootstrap.servers")
        raise Refusal(
            Reason.UNAVAILABLE, f"Kafka ({servers}) did not answer within {timeout_s:g} s: {type(error).__name__}"
        ) from error


def describe_cluster(order: DescribeCluster) -> ClusterDescribed:
    """The id of the worker's Kafka cluster. Raises Refusal."""
    settings = worker_admin_settings(WorkerConfig(order.worker_config), "connectd-worker")
    with kafka_admin(settings, order.timeout_s) as admin:
        return ClusterDescribed(cluster_id=admin.describe_cluster()["cluster_id"])
