"""What a sink task subscribes to: listed topics, or all that match a regular expression, looked up again from time to time."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence

import structlog
from confluent_kafka import Consumer, KafkaException

log = structlog.get_logger(__name__)

# The loop does nothing else meanwhile, so that a broker that is away must not keep it for long; less than the time to stop.
LIST_TIMEOUT_S = 3.0
# The first wait while there is nothing to read or no answer; it doubles up to the refresh interval.
RETRY_S = 5.0


class Subscription:
    """Topics by name, or by an expression that their whole names match.

    librdkafka could match by itself, but refuses much of what Java's expressions may contain. `refresh_interval_s` is
    Java's `metadata.max.age.ms`. With `twice`, `update` subscribes once more after the first assignment, which is not to be
    used: a static member that comes back within its session gets what it had before, even if it asks for other topics now,
    until it joins again.
    """

    def __init__(
        self,
        topics: Sequence[str] | re.Pattern[str],
        refresh_interval_s: float,
        twice: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pattern = topics if isinstance(topics, re.Pattern) else None
        self._topics = [] if isinstance(topics, re.Pattern) else list(topics)
        self._refresh_interval_s = refresh_interval_s
        self._retry_s = RETRY_S
        self._clock = clock
        self._due = clock()
        self._twice = twice
        self._again = False

    @property
    def only_topic(self) -> str | None:
        """The topic of all records; None if there may be several."""
        return self._topics[0] if self._pattern is None and len(self._topics) == 1 else None

    def note_assignment(self) -> bool:
        """To be called with each assignment. False if it is not to be used, for `update` will subscribe once more."""
        self._again, self._twice = self._twice, False
        return not self._again

    @property
    def wait_s(self) -> float:
        """Seconds until `update` has something to do, unless there is an assignment before."""
        return self._due - self._clock()

    def update(self, consumer: Consumer, subscribe: Callable[[list[str]], None]) -> None:
        """Subscribe, and from then on, as often as is due, look for topics that match or are gone, and subscribe anew."""
        if self._again:
            self._again = False
            # Subscribing to the same again is nothing new to a cooperative member.
            consumer.unsubscribe()
            subscribe(self._topics)
        if self._clock() < self._due:
            return
        if self._pattern is None:
            self._due = math.inf
            subscribe(self._topics)
            return
        matching = self._list(consumer, self._pattern)
        self._due = self._clock() + self._wait_s(matching)
        if matching is None or matching == self._topics:
            return
        log.info("the topics that match have changed", topics_regex=self._pattern.pattern, topics=matching)
        self._topics = matching
        if matching:
            subscribe(matching)
        else:
            consumer.unsubscribe()

    def _list(self, consumer: Consumer, pattern: re.Pattern[str]) -> list[str] | None:
        """The topics that match; None if Kafka did not say."""
        try:
            existing = consumer.list_topics(timeout=LIST_TIMEOUT_S).topics
        except KafkaException as error:
            log.warning("cannot list the topics to subscribe to, trying again", error=error.args[0].str())
            return None
        matching = sorted(filter(pattern.fullmatch, existing))
        if not matching and self._retry_s == RETRY_S:
            log.info("waiting for a topic that matches", topics_regex=pattern.pattern)
        return matching

    def _wait_s(self, matching: list[str] | None) -> float:
        """How long to wait before topics are listed again."""
        if matching:
            self._retry_s = RETRY_S
            return self._refresh_interval_s
        wait_s = min(self._retry_s, self._refresh_interval_s)
        self._retry_s = 2 * wait_s
        return wait_s
