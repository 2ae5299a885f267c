"""The Kafka clients of tasks: Java's client settings, translated for librdkafka."""

from tasks.clients.checks import worker_client_errors
from tasks.clients.client_settings import (
    ADMIN_TUNING,
    CONSUMER_TUNING,
    PRODUCER_TUNING,
    ClientSettings,
    admin_settings,
    consumer_settings,
    create,
    dlq_producer_settings,
    exactly_once_producer_settings,
    fencing_producer_settings,
    producer_settings,
    transactional_id,
    worker_admin_settings,
)
from tasks.clients.lasting import Statistics, create_lasting

__all__ = [
    "ADMIN_TUNING",
    "CONSUMER_TUNING",
    "PRODUCER_TUNING",
    "ClientSettings",
    "Statistics",
    "admin_settings",
    "consumer_settings",
    "create",
    "create_lasting",
    "dlq_producer_settings",
    "exactly_once_producer_settings",
    "fencing_producer_settings",
    "producer_settings",
    "transactional_id",
    "worker_admin_settings",
    "worker_client_errors",
]
