"""StatusState: what the records of the status topic amount to (`KafkaStatusBackingStore.read`)."""

from __future__ import annotations

import msgspec
import structlog

from supervisor.storage import status_records as records
from supervisor.storage.json_values import Malformed
from supervisor.storage.keys import task_of_key
from supervisor.storage.status_records import TopicStatus, WorkStatus, read_status, read_topic, topic_of_key
from supervisor.units.lifecycle import UnitId
from tasks.states import State

log = structlog.get_logger(__name__)


class Change(msgspec.Struct, frozen=True):
    """The status of a connector or task was written, or deleted."""

    unit: UnitId
    status: WorkStatus | None


class StatusState:
    """The last status of each connector and task, and the topics that connectors use."""

    def __init__(self) -> None:
        self._connectors: dict[str, WorkStatus] = {}
        self._tasks: dict[str, dict[int, WorkStatus]] = {}
        self._topics: dict[str, dict[str, TopicStatus]] = {}

    def get(self, unit: UnitId) -> WorkStatus | None:
        """The status of a connector or task."""
        if unit.task is None:
            return self._connectors.get(unit.connector)
        return self._tasks.get(unit.connector, {}).get(unit.task)

    def tasks_of(self, connector: str) -> dict[int, WorkStatus]:
        """By number, in order."""
        return dict(sorted(self._tasks.get(connector, {}).items()))

    def connectors(self) -> set[str]:
        """All connectors that have a status."""
        return set(self._connectors)

    def topic(self, connector: str, topic: str) -> TopicStatus | None:
        """What is known of a topic that a connector uses."""
        return self._topics.get(connector, {}).get(topic)

    def topics_of(self, connector: str) -> list[TopicStatus]:
        """By topic, in order."""
        return [status for _, status in sorted(self._topics.get(connector, {}).items())]

    def apply(self, key: bytes | None, value: bytes | None) -> Change | None:
        """Apply a record; the result is what has changed for a connector or task. What makes no sense is logged."""
        text = "" if key is None else key.decode(errors="replace")
        try:
            if text.startswith(records.CONNECTOR):
                return self._read_connector(text.removeprefix(records.CONNECTOR), value)
            if text.startswith(records.TASK):
                return self._read_task(text.removeprefix(records.TASK), value)
            if text.startswith(records.TOPIC):
                self._read_topic(text.removeprefix(records.TOPIC), value)
                return None
            raise Malformed("nobody knows such a key")
        except Malformed as error:
            log.error(f"ignoring a malformed record of the status topic: {error}", key=text)
            return None

    def _read_connector(self, connector: str, value: bytes | None) -> Change | None:
        if not connector:
            raise Malformed("expected the name of a connector in the key")
        if value is None:
            self._tasks.pop(connector, None)  # as in Java: a connector that was deleted has no tasks
            before = self._connectors.pop(connector, None)
            return None if before is None else Change(UnitId(connector), None)
        status = self._connectors[connector] = read_status(value)
        return Change(UnitId(connector), status)

    def _read_task(self, rest: str, value: bytes | None) -> Change | None:
        unit = task_of_key(rest)
        if unit is None or unit.task is None:
            raise Malformed("expected the key of a task: status-task-CONNECTOR-NUMBER")
        tasks = self._tasks.setdefault(unit.connector, {})
        before = tasks.get(unit.task)
        if value is None:
            tasks.pop(unit.task, None)
            return None if before is None else Change(unit, None)
        status = read_status(value)
        if before is not None and _is_late(status, before):
            return None
        tasks[unit.task] = status
        return Change(unit, status)

    def _read_topic(self, rest: str, value: bytes | None) -> None:
        found = topic_of_key(rest)
        if found is None:
            raise Malformed("expected the key of a topic in use: status-topic-TOPIC:connector-CONNECTOR")
        connector, topic = found
        if value is None:
            self._topics.get(connector, {}).pop(topic, None)
        else:
            self._topics.setdefault(connector, {})[topic] = read_topic(value)


def _is_late(status: WorkStatus, before: WorkStatus) -> bool:
    """A worker that gives a task up may say so after the next one has said that it runs."""
    return status.state is State.UNASSIGNED and before.state is State.RUNNING and before.generation >= status.generation
