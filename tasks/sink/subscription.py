"""What a sink task subscribes to: listed topics, or all that match a regular expression, looked up again from time to time."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence

import structlog
from confluent_kafka import Consumer, KafkaException

log = structlog.get_logger(__name__)

LIST_TIMEOUT_S = 2.0
RETRY_S = 5.0


class Subscription:
    """Topics by name, or by an expression that their whole names match.

    librdkafka could match by itself, but refuses much of what Java's expressions may contain. `refresh_interval_s` is
    Java's `metadata.max.age.ms`.
    """

    def __init__(self, topics: Sequence[str] | re.Pattern[str], refresh_interval_s: float) -> None:
        self._pattern = topics if isinstance(topics, re.Pattern) else None
        self._topics = [] if isinstance(topics, re.Pattern) else list(topics)
        self._refresh_interval_s = refresh_interval_s
        self._due = time.monotonic()

    @property
    def only_topic(self) -> str | None:
        """The topic of all records; None if there may be several."""
        return self._topics[0] if self._pattern is None and len(self._topics) == 1 else None

    def update(self, consumer: Consumer, subscribe: Callable[[list[str]], None]) -> None:
        """Subscribe, and from then on, as often as is due, look for topics that match or are gone, and subscribe anew."""
        if time.monotonic() < self._due:
            return
        if self._pattern is None:
            self._due = math.inf
            subscribe(self._topics)
            return
        try:
            existing = consumer.list_topics(timeout=LIST_TIMEOUT_S).topics
        except KafkaException as error:
            log.warning("cannot list the topics to subscribe to, trying again", error=error.args[0].str())
            self._due = time.monotonic() + RETRY_S
            return
        self._due = time.monotonic() + self._refresh_interval_s
        matching = sorted(each for each in existing if self._pattern.fullmatch(each))
        if matching == self._topics:
            return
        log.info("the topics that match have changed", topics_regex=self._pattern.pattern, topics=matching)
        self._topics = matching
        if matching:
            subscribe(matching)
        else:
            consumer.unsubscribe()
