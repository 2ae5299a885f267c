"""The topics that connectors use, in the status topic (KIP-558)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from supervisor.storage.status_log import StatusLog
from supervisor.storage.status_records import TopicStatus
from supervisor.units.topics import ActiveTopics


class ClusterTopics(ActiveTopics):
    """As `ActiveTopics`, for the connectors of all workers."""

    def __init__(self, log: StatusLog, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._log = log
        self._clock = clock
        # What tasks of this worker have said, once it was seen in the topic.
        self._seen: set[tuple[str, str]] = set()
        self._reported: set[tuple[str, str]] = set()

    def add(self, connector: str, task: int, topics: Sequence[str]) -> None:
        for topic in topics:
            self._reported.add((connector, topic))
            if self._log.topic(connector, topic) is None:
                self._log.put_topic(TopicStatus(topic, connector, task, int(self._clock() * 1000)))

    def of(self, connector: str) -> list[str]:
        return [status.topic for status in self._log.topics_of(connector)]

    def reset(self, connector: str) -> None:
        for topic in self.of(connector):
            self._log.delete_topic(connector, topic)

    def forgotten(self) -> set[str]:
        """The connectors whose topics were reset, by any worker, since this was asked before: their tasks are to report anew."""
        there = {each for each in self._reported if self._log.topic(*each) is not None}
        gone = self._seen - there
        self._seen = there
        self._reported -= gone
        return {connector for connector, _ in gone}
