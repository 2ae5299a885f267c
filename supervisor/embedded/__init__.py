"""A real Apache Kafka for development, demos and tests, started from Python packages: no Java, no Kafka installed."""

from __future__ import annotations

from .embedded import EmbeddedKafka
from .errors import EmbeddedKafkaError

__all__ = ["EmbeddedKafka", "EmbeddedKafkaError"]
