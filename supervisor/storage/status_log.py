"""StatusLog: the status topic of a cluster (`org.apache.kafka.connect.storage.KafkaStatusBackingStore`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from supervisor.lifecycle import UnitId
from supervisor.storage.status_records import TopicStatus, WorkStatus
from tasks.settings.distributed import DistributedConfig

StatusListener = Callable[[UnitId, WorkStatus | None], None]
"""Called on the event loop after each status that was read since the start; None when it was deleted."""


class StatusLog:
    """The states of all connectors and tasks, whichever worker runs them, and the topics they use. A write is seen once it
    was read back. All is to be called on the event loop; reads are from memory."""

    def __init__(self, worker: DistributedConfig, listener: StatusListener | None = None) -> None: ...

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it. Raises as `ConfigLog.start`."""

    async def stop(self) -> None:
        """Send what waits to be written, and close all clients."""

    def put(self, unit: UnitId, status: WorkStatus) -> None:
        """Write a status, tried again for as long as it is the last one of this worker. DESTROYED deletes it."""

    def put_safe(self, unit: UnitId, status: WorkStatus) -> None:
        """As `put`, unless another worker wrote a status of a later generation."""

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written; False if the time was too short."""

    def get(self, unit: UnitId) -> WorkStatus | None: ...

    def tasks_of(self, connector: str) -> dict[int, WorkStatus]:
        """By number, in order."""

    def connectors(self) -> set[str]: ...

    def put_topic(self, status: TopicStatus) -> None:
        """Note that a connector uses a topic (KIP-558)."""

    def delete_topic(self, connector: str, topic: str) -> None: ...

    def topic(self, connector: str, topic: str) -> TopicStatus | None: ...

    def topics_of(self, connector: str) -> Sequence[TopicStatus]:
        """By topic, in order."""
