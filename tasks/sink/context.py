"""What a sink task sees of the worker: it only notes wishes here, which the loop carries out between calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectd.errors import IllegalWorkerStateException
from connectd.records import TopicPartition
from connectd.tasks import SinkTaskContext
from tasks.sink.errant import WorkerErrantRecordReporter


class WorkerSinkTaskContext(SinkTaskContext):
    """Handed to `SinkTask.initialize`."""

    def __init__(self, configs: Mapping[str, str], reporter: WorkerErrantRecordReporter | None = None) -> None:
        self._configs = configs
        self._reporter = reporter
        self.assigned: frozenset[TopicPartition] = frozenset()
        self.paused: set[TopicPartition] = set()
        self.paused_changed = False
        self.rewinds: dict[TopicPartition, int] = {}
        self.retry_timeout_ms: int | None = None
        self.commit_requested = False
        # Called with each wish: a task may have one while it is called for nothing.
        self.on_wish: Callable[[], object] = lambda: None

    @property
    def configs(self) -> Mapping[str, str]:
        return self._configs

    def offset(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.rewinds.update(offsets)
        self.on_wish()

    def timeout(self, timeout_ms: int) -> None:
        self.retry_timeout_ms = timeout_ms

    def take_timeout_s(self, otherwise_s: float) -> float:
        """The time that the task asked for, once; it does not count for what comes later."""
        timeout_ms, self.retry_timeout_ms = self.retry_timeout_ms, None
        return otherwise_s if timeout_ms is None or timeout_ms <= 0 else timeout_ms / 1000

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        return self.assigned

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused.update(self._checked(partitions))
        self.paused_changed = True
        self.on_wish()

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused.difference_update(self._checked(partitions))
        self.paused_changed = True
        self.on_wish()

    def _checked(self, partitions: tuple[TopicPartition, ...]) -> tuple[TopicPartition, ...]:
        foreign = [str(partition) for partition in partitions if partition not in self.assigned]
        if foreign:
            raise IllegalWorkerStateException(f"Not assigned to this task: {', '.join(foreign)}")
        return partitions

    def request_commit(self) -> None:
        self.commit_requested = True
        self.on_wish()

    @property
    def errant_record_reporter(self) -> WorkerErrantRecordReporter | None:
        return self._reporter
