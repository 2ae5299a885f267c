"""A worker with children that only pretend to be connectors and tasks, for tests of how they are supervised."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from supervisor.processes.pool import ProcessPool
from supervisor.units.lifecycle import Status, Statuses, UnitId
from supervisor.units.specs import ConnectorSpec, Plan, TaskSpec
from supervisor.units.unit import Surroundings
from supervisor.units.worker import Worker
from tasks.messages import LogSettings
from tasks.states import State, TargetState
from tests.support.processes import until

ENTRY = "tests.support.standin:main"


class Supervised:
    """Runs whatever its connectors plan. `history` are the states that there were, each with its trace.

    In the keys of configurations underscores stand for dots.
    """

    def __init__(self, entry: str, graceful_stop_s: float, worker_config: dict[str, str]) -> None:
        self.pool = ProcessPool(entry)
        self.pool.start()
        self.statuses = Statuses()
        self.history: list[tuple[str, State, str | None]] = []
        self.statuses.listen(lambda unit, status: self.history.append((str(unit), status.state, status.trace)))
        surroundings = Surroundings(
            pool=self.pool,
            statuses=self.statuses,
            worker_config=dotted(worker_config),
            log=LogSettings(levels={}),
            graceful_stop_s=graceful_stop_s,
        )
        self.counts = surroundings.counts
        self.worker = Worker(surroundings, None, self._on_plan)
        self._connectors: dict[str, ConnectorSpec] = {}
        self._plans: dict[str, Plan] = {}

    def run(self, name: str = "c", **config: str) -> None:
        """Run a connector, or go on with another configuration."""
        config = {"name": name, **dotted(config)}
        self._connectors[name] = ConnectorSpec(name=name, config=config, target_state=TargetState.STARTED)
        self._apply()

    def remove(self, name: str) -> None:
        """Delete a connector."""
        del self._connectors[name]
        self._plans.pop(name, None)
        self._apply()

    def status(self, connector: str = "c", task: int | None = None) -> Status | None:
        """None if there is none."""
        return self.statuses.get(UnitId(connector, task))

    def trace(self, connector: str = "c", task: int | None = None) -> str:
        """The trace of the status; empty without one."""
        status = self.status(connector, task)
        return (status and status.trace) or ""

    def pid(self, connector: str = "c", task: int = 0) -> int:
        """The process of a task."""
        status = self.status(connector, task)
        assert status is not None
        assert status.pid is not None
        return status.pid

    def states(self, unit: str) -> list[State]:
        """The states that a connector or task has been in."""
        return [state for name, state, _ in self.history if name == unit]

    def events(self, connector: str = "c", task: int = 0) -> list[dict[str, Any]]:
        """What is kept of the log of a task."""
        return [json.loads(line) for tail in self.worker.surroundings.tails.lines(connector, task) for line in tail]

    def log(self, connector: str = "c", task: int = 0) -> list[str]:
        """The messages of these."""
        return [event["message"] for event in self.events(connector, task)]

    def is_in(self, state: State, connector: str = "c", task: int | None = 0) -> bool:
        """Whether a task, or with None a connector, is in a state."""
        status = self.status(connector, task)
        return status is not None and status.state is state

    async def until(self, state: State, connector: str = "c", task: int | None = 0) -> None:
        """Until a task, or with None a connector, is in a state."""
        await until(lambda: self.is_in(state, connector, task), f"{connector} {task} is {state}: {self.history[-5:]}")

    async def close(self) -> None:
        """Stop and kill everything."""
        await self.worker.stop()
        await self.pool.close()

    def _on_plan(self, name: str, plan: Plan) -> None:
        if name in self._connectors:
            self._plans[name] = plan
            self._apply()

    def _apply(self) -> None:
        tasks: dict[UnitId, TaskSpec] = {}
        for name, plan in self._plans.items():
            tasks |= {task.id: task for task in plan.tasks(name, self._connectors[name].target_state)}
        self.worker.apply(self._connectors, tasks)


@contextlib.asynccontextmanager
async def supervised(
    entry: str = ENTRY, graceful_stop_s: float = 5.0, **worker_config: str
) -> AsyncIterator[Supervised]:
    """Nothing of it outlives the block."""
    running = Supervised(entry, graceful_stop_s, worker_config)
    try:
        yield running
    finally:
        await running.close()


def dotted(config: dict[str, str]) -> dict[str, str]:
    """The same with dots for the underscores of the keys."""
    return {key.replace("_", "."): value for key, value in config.items()}
