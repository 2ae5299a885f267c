"""The worker: brings what runs on this machine into line with what is wanted, touching only what differs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

import structlog

from connectd.errors import ConfigException
from supervisor.storage.offset_file import OffsetStores
from supervisor.units.connector import ConnectorUnit
from supervisor.units.lifecycle import UnitId
from supervisor.units.memberships import Heir, Memberships
from supervisor.units.restarts import RestartPolicy
from supervisor.units.specs import ConnectorSpec, Plan, TaskSpec
from supervisor.units.task import TaskUnit
from supervisor.units.unit import Rules, Surroundings
from tasks.messages import Order
from tasks.settings import Limits

log = structlog.get_logger(__name__)

CHECK_INTERVAL_S = 1.0

U = TypeVar("U", ConnectorUnit, TaskUnit)


class Worker:
    """Runs connectors and tasks as processes of their own. Whoever decides what is to run, a herder, calls `apply`.

    `on_plan` is called with each plan that a connector makes, `on_applied` after each `apply`, and `on_ended` when what was
    not wanted any more is really gone.
    """

    def __init__(
        self, surroundings: Surroundings, offsets: OffsetStores | None, on_plan: Callable[[str, Plan], None]
    ) -> None:
        self.surroundings = surroundings
        self.connectors: dict[str, ConnectorUnit] = {}
        self.tasks: dict[UnitId, TaskUnit] = {}
        self.on_applied: Callable[[], object] = lambda: None
        self.on_ended: Callable[[UnitId], object] = lambda id: None
        self._offsets = offsets
        self._memberships = Memberships(surroundings)
        self._on_plan = on_plan
        # Units on their way out, so that nothing runs twice when it is wanted again meanwhile.
        self._leaving: dict[UnitId, asyncio.Future[None]] = {}
        self._checker = asyncio.get_running_loop().create_task(self._check_for_ever())

    def apply(
        self,
        connectors: Mapping[str, ConnectorSpec],
        tasks: Mapping[UnitId, TaskSpec],
        moving: Container[UnitId] = (),
    ) -> None:
        """Start what is missing, end what is not wanted any more, change what differs, and leave all else alone.

        Tasks that end and are in `moving` go to another worker: their sinks stay members of their groups.
        """
        for gone in self.tasks.keys() - tasks.keys():
            unit = self.tasks.pop(gone)
            unit.heir = Heir.ANOTHER_WORKER if gone in moving else Heir.NOBODY
            self._remove(unit)
        for name in self.connectors.keys() - connectors.keys():
            self._remove(self.connectors.pop(name))
        for name, connector in connectors.items():
            self._apply_connector(name, connector)
        for id, task in tasks.items():
            self._apply_task(id, task)
        self.surroundings.pool.expect_work(bool(self.connectors or self.tasks))
        self.on_applied()

    def configure(self, worker_config: dict[str, str], graceful_stop_s: float) -> None:
        """Go on with other worker settings: supervision follows them now, processes when they are started."""
        self.surroundings.worker_config = worker_config
        self.surroundings.graceful_stop_s = graceful_stop_s
        for connector in self.connectors.values():
            connector.supervise_by(self._rules(connector.spec.config))
        for task in self.tasks.values():
            task.supervise_by(self._rules(task.spec.connector_config))

    def units(self) -> list[ConnectorUnit | TaskUnit]:
        """All connectors and tasks that are wanted now."""
        return [*self.connectors.values(), *self.tasks.values()]

    def restart(self, connector: str, because: str) -> None:
        """Restart a connector and its tasks."""
        log.info(f"restarting the connector with its tasks: {because}", connector=connector)
        for unit in self.units():
            if unit.id.connector == connector:
                unit.restart()

    def tasks_of(self, connector: str) -> list[TaskUnit]:
        """The tasks of a connector that are wanted now."""
        return [task for id, task in self.tasks.items() if id.connector == connector]

    async def tasks_ended(self, connector: str) -> None:
        """Wait for the tasks of a connector that are on their way out."""
        await self.ended([id for id in self._leaving if id.connector == connector and id.task is not None])

    async def ended(self, units: Iterable[UnitId]) -> None:
        """Wait for those of these units that are on their way out."""
        leaving = [self._leaving[id] for id in units if id in self._leaving]
        if leaving:
            await asyncio.wait(leaving)

    def send_to_all(self, order: Order, connector: str | None = None) -> None:
        """An order to each process that runs now, or to those of one connector."""
        for unit in self.units():
            if connector in (None, unit.id.connector):
                unit.send(order)

    async def stop(self, *, returns: bool = False) -> None:
        """Stop everything in good order, all at once; what has not ended after the graceful time is killed.

        If the worker `returns` soon, sinks stay members of their groups.
        """
        self._checker.cancel()
        for task in self.tasks.values():
            task.heir = Heir.THIS_WORKER if returns else Heir.NOBODY
        units = [*self.tasks.values(), *self.connectors.values()]
        self.tasks.clear()
        self.connectors.clear()
        ends = [unit.end(forget=False) for unit in units]
        await asyncio.gather(self._memberships.end(), *ends, *self._leaving.values())

    def _apply_connector(self, name: str, spec: ConnectorSpec) -> None:
        unit = self.connectors.get(name)
        if unit is None:
            rules, after = self._rules(spec.config), self._leaving.get(UnitId(name))
            self.connectors[name] = self._watched(ConnectorUnit(spec, self.surroundings, rules, self._on_plan, after))
            return
        if unit.spec.config != spec.config:
            unit.supervise_by(self._rules(spec.config))
        unit.update(spec)

    def _apply_task(self, id: UnitId, spec: TaskSpec) -> None:
        unit = self.tasks.get(id)
        if unit is None:
            rules, after = self._rules(spec.connector_config), self._leaving.get(id)
            self.tasks[id] = self._watched(
                TaskUnit(spec, self.surroundings, rules, self._offsets, self._memberships, after)
            )
            return
        if unit.spec.connector_config != spec.connector_config:
            unit.supervise_by(self._rules(spec.connector_config))
        unit.update(spec)

    def _watched(self, unit: U) -> U:
        """One process that finds that secrets have changed speaks for its whole connector."""
        unit.on_secrets_changed = lambda references: self.restart(unit.id.connector, f"{', '.join(references)} changed")
        return unit

    def _remove(self, unit: ConnectorUnit | TaskUnit) -> None:
        leaving = unit.end(forget=True)
        self._leaving[unit.id] = leaving
        leaving.add_done_callback(lambda done: self._left(unit.id, done))

    def _left(self, id: UnitId, done: asyncio.Future[None]) -> None:
        if self._leaving.get(id) is done:
            del self._leaving[id]
            self.on_ended(id)

    def _rules(self, connector_config: Mapping[str, str]) -> Rules:
        try:
            return supervision_rules(self.surroundings.worker_config, connector_config)
        except ConfigException as error:
            # Validated configurations do not get here; others must not keep the rest from running.
            log.error(f"restarting by the worker's own policy: {error}", connector=connector_config.get("name"))
            return supervision_rules(self.surroundings.worker_config, {})

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            for unit in self.units():
                unit.check()


def supervision_rules(worker_config: Mapping[str, str], connector_config: Mapping[str, str]) -> Rules:
    """The rules for a connector and its tasks: its own settings before the worker's. Raises ConfigException."""
    restarts = RestartPolicy.of(worker_config, connector_config)
    return _shared(Rules(restarts=restarts, limits=Limits.of(worker_config, connector_config)))


@lru_cache(maxsize=64)
def _shared(rules: Rules) -> Rules:
    """One for all that are equal: most of a thousand connectors have the same."""
    return rules
