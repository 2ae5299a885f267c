"""What the group has given to this worker, and bringing the worker into line with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from supervisor.herder.distributed.wanted import is_configured, wanted
from supervisor.storage.snapshot import ClusterConfig
from supervisor.units.lifecycle import UnitId
from supervisor.units.worker import Worker


class Work:
    """Everything that is assigned and still configured runs, once `reconcile` was called; nothing else does."""

    def __init__(self, worker: Worker, config: Callable[[], ClusterConfig]) -> None:
        self._worker = worker
        self._config = config
        self._assigned: frozenset[UnitId] = frozenset()
        self._ended = False

    @property
    def assigned(self) -> frozenset[UnitId]:
        """The connectors and tasks that are this worker's."""
        return self._assigned

    @property
    def counts(self) -> tuple[int, int]:
        """How many connectors and tasks are this worker's."""
        tasks = sum(unit.task is not None for unit in self._assigned)
        return len(self._assigned) - tasks, tasks

    def assign(self, connectors: Iterable[str], tasks: Iterable[UnitId]) -> None:
        """These are this worker's from now on."""
        self._assigned = frozenset({*map(UnitId, connectors), *tasks})
        self.reconcile()

    def add(self, units: Iterable[UnitId]) -> None:
        """These are this worker's too."""
        self._assigned |= frozenset(units)
        self.reconcile()

    async def revoke(self, connectors: Iterable[str], tasks: Iterable[UnitId]) -> None:
        """Take these away; returns when those have ended that another worker may be given."""
        gone = {*map(UnitId, connectors), *tasks}
        self._assigned -= gone
        self.reconcile()
        await self._worker.ended(unit for unit in gone if is_configured(self._config(), unit))

    async def drop(self) -> None:
        """Take everything away; returns when it has ended."""
        running = {unit.id for unit in self._worker.units()}
        self._assigned = frozenset()
        self.reconcile()
        await asyncio.shield(self._worker.ended(running))

    def end(self) -> None:
        """Start nothing any more: the worker stops, while the group and the config topic go on to tell it what to run."""
        self._ended = True

    def reconcile(self) -> None:
        """Run what is assigned, as it is configured now."""
        if self._ended:
            return
        config = self._config()
        connectors = [unit.connector for unit in self._assigned if unit.task is None]
        found = wanted(config, connectors, (unit for unit in self._assigned if unit.task is not None))
        moving = {task for task in self._worker.tasks if is_configured(config, task)}
        self._worker.apply(found.connectors, found.tasks, moving)
