"""StatusLog: the status topic of a cluster (`org.apache.kafka.connect.storage.KafkaStatusBackingStore`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from supervisor.storage.errors import WriteFailed, WriteRefused
from supervisor.storage.kafka_log import KafkaLog
from supervisor.storage.settings import status_log_settings
from supervisor.storage.status_records import (
    TopicStatus,
    WorkStatus,
    status_key,
    status_value,
    topic_key,
    topic_value,
)
from supervisor.storage.status_state import StatusState
from supervisor.storage.tail import LogRecord
from supervisor.storage.writer import Position, Refusal, never
from supervisor.units.lifecycle import UnitId
from tasks.settings.distributed import DistributedConfig
from tasks.states import State

log = structlog.get_logger(__name__)

RETRY_S: Final = 0.5
# What a worker says of what it does not run any more.
_ENDED: Final = frozenset({State.UNASSIGNED, State.DESTROYED})

StatusListener = Callable[[UnitId, WorkStatus | None], None]
"""Called on the event loop after each status that was read since the start; None when it was deleted."""


class StatusLog:
    """The states of all connectors and tasks, whichever worker runs them, and the topics they use.

    A write is seen once it was read back. All is to be called on the event loop; reads are from memory.
    """

    def __init__(
        self, worker: DistributedConfig, listener: StatusListener | None = None, refusal: Refusal = never
    ) -> None:
        """`refusal` is asked when it is the turn of a status of a connector or task. Raises ConfigException for client settings
        that are wrong."""
        self._state = StatusState()
        self._log = KafkaLog(status_log_settings(worker), self._apply)
        self._listener = listener
        self._refusal = refusal
        self._started = False
        self._generation = 0  # of the last status that this worker wrote
        self._last: dict[UnitId, WorkStatus] = {}  # what is on its way of each connector and task
        self._last_topics: dict[tuple[str, str], bytes | None] = {}
        self._writes: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it. Raises as `ConfigLog.start`."""
        await self._log.start()
        self._started = True

    async def stop(self) -> None:
        """Send what waits to be written, for some seconds at the most, and close all clients."""
        self._started = False
        await self._log.stop()
        for write in self._writes:
            write.cancel()

    async def refresh(self) -> None:
        """Read what was written until now, by any worker."""
        await self._log.read_to_end()

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written; False if the time was too short."""
        if self._writes:
            await asyncio.wait(list(self._writes), timeout=timeout_s)
        return not self._writes

    # --- connectors and tasks -----------------------------------------------------------------------------------------

    def get(self, unit: UnitId) -> WorkStatus | None:
        """The status of a connector or task; None if there is none."""
        return self._state.get(unit)

    def tasks_of(self, connector: str) -> dict[int, WorkStatus]:
        """By number, in order."""
        return self._state.tasks_of(connector)

    def connectors(self) -> set[str]:
        """All connectors that have a status."""
        return self._state.connectors()

    def put(self, unit: UnitId, status: WorkStatus) -> None:
        """Write a status. DESTROYED deletes it. While Kafka does not take it, it is tried again, until this worker says
        something else of the same connector or task, or does not run it any more (`withdraw`), or, where it says that it does
        not, is in another generation of the group.

        Java's workers do not try again what they run in another generation either, and then nobody ever sees its state."""
        self._put(unit, status, safe=False)

    def put_safe(self, unit: UnitId, status: WorkStatus) -> None:
        """As `put`, unless another worker wrote a status of a later generation."""
        self._put(unit, status, safe=True)

    def withdraw(self, unit: UnitId) -> None:
        """This worker does not run it any more: what could not be written of it is not tried again."""
        self._last.pop(unit, None)

    def _put(self, unit: UnitId, status: WorkStatus, *, safe: bool) -> None:
        self._generation = status.generation
        if safe and not self._may_write(unit, status):
            return
        self._last[unit] = status
        sent = self._send(status_key(unit), status_value(status), self._refusal)
        self._keep(self._see_through(unit, status, sent, safe=safe))

    async def _see_through(
        self, unit: UnitId, status: WorkStatus, sent: asyncio.Future[Position], *, safe: bool
    ) -> None:
        try:
            while not await self._written(sent, status_key(unit)):
                if self._last.get(unit) is not status:
                    return
                if status.state in _ENDED and status.generation != self._generation:
                    return  # it may run elsewhere since
                if safe and not self._may_write(unit, status):
                    return
                sent = self._send(status_key(unit), status_value(status), self._refusal)
        finally:
            if self._last.get(unit) is status:
                del self._last[unit]

    def _may_write(self, unit: UnitId, status: WorkStatus) -> bool:
        stored = self._state.get(unit)
        return stored is None or stored.worker_id == status.worker_id or stored.generation <= status.generation

    # --- topics in use ------------------------------------------------------------------------------------------------

    def topic(self, connector: str, topic: str) -> TopicStatus | None:
        """What is known of a topic that a connector uses."""
        return self._state.topic(connector, topic)

    def topics_of(self, connector: str) -> Sequence[TopicStatus]:
        """The topics that a connector uses, by name."""
        return self._state.topics_of(connector)

    def put_topic(self, status: TopicStatus) -> None:
        """Note that a connector uses a topic (KIP-558)."""
        self._put_topic((status.connector, status.topic), topic_value(status))

    def delete_topic(self, connector: str, topic: str) -> None:
        """Forget that a connector uses a topic."""
        self._put_topic((connector, topic), None)

    def _put_topic(self, use: tuple[str, str], value: bytes | None) -> None:
        self._last_topics[use] = value
        self._keep(self._see_topic_through(use, value, self._send(topic_key(*use), value)))

    async def _see_topic_through(
        self, use: tuple[str, str], value: bytes | None, sent: asyncio.Future[Position]
    ) -> None:
        try:
            while not await self._written(sent, topic_key(*use)):
                if not self._is_last(use, value):
                    return
                sent = self._send(topic_key(*use), value)
        finally:
            if self._is_last(use, value):
                del self._last_topics[use]

    def _is_last(self, use: tuple[str, str], value: bytes | None) -> bool:
        return use in self._last_topics and self._last_topics[use] is value

    # --- both ---------------------------------------------------------------------------------------------------------

    def _send(self, key: str, value: bytes | None, refusal: Refusal = never) -> asyncio.Future[Position]:
        return self._log.send(key.encode(), value, refusal)

    async def _written(self, sent: asyncio.Future[Position], key: str) -> bool:
        """False if it may be tried again."""
        try:
            await sent
        except WriteFailed as error:
            if error.retriable and self._started:
                await asyncio.sleep(RETRY_S)
                return False
            log.error(f"a status is lost: {error}", key=key)
        except WriteRefused as error:
            log.info(f"a status is kept back: {error}", key=key)
        return True

    def _keep(self, write: Coroutine[Any, Any, None]) -> None:
        """The event loop alone would forget it."""
        task = asyncio.get_running_loop().create_task(write)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    def _apply(self, record: LogRecord) -> None:
        change = self._state.apply(record.key, record.value)
        if change is not None and change.status is None:
            self._last.pop(change.unit, None)  # whatever is still to be written of it came before
        if change is not None and self._started and self._listener is not None:
            self._listener(change.unit, change.status)
