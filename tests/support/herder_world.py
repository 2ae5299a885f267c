"""A standalone herder whose processes only pretend to be connectors and tasks (`tests.support.standin`)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from supervisor.herder.standalone import StandaloneHerder
from supervisor.processes.pool import ProcessPool
from supervisor.storage.offset_file import OffsetFile, OffsetStore
from supervisor.units.lifecycle import Status, Statuses, UnitId
from supervisor.units.unit import Surroundings
from tasks.messages import LogSettings
from tasks.states import State
from tests.support.processes import until


class World:
    """A herder with its history of states."""

    def __init__(self, folder: Path, graceful_stop_s: float, worker_config: dict[str, str]) -> None:
        self.pool = ProcessPool("tests.support.standin:main")
        self.pool.start()
        self.statuses = Statuses()
        self.history: list[tuple[str, State, str | None]] = []
        self.statuses.listen(lambda unit, status: self.history.append((str(unit), status.state, status.trace)))
        self.offsets = OffsetStore(OffsetFile(folder / "offsets"))
        self.offsets.open()
        self.surroundings = Surroundings(
            pool=self.pool,
            statuses=self.statuses,
            worker_config=worker_config,
            log=LogSettings(levels={}),
            graceful_stop_s=graceful_stop_s,
        )
        self.herder = StandaloneHerder(self.surroundings, self.offsets)

    def status(self, connector: str, task: int | None = None) -> Status:
        return self.statuses[UnitId(connector, task)]

    def pids(self) -> dict[str, int | None]:
        """Of the tasks that run."""
        return {str(id): status.pid for id, status in self.statuses.all.items() if id.task is not None}

    def states(self, unit: str) -> list[State]:
        return [state for id, state, _ in self.history if id == unit]

    async def running(self, *units: str) -> None:
        """Until these tasks, and no others, are there and run."""
        await until(
            lambda: (
                {str(id): status.state for id, status in self.statuses.all.items() if id.task is not None}
                == dict.fromkeys(units, State.RUNNING)
            ),
            f"{units} run",
        )

    async def put(self, name: str = "c", **config: str) -> None:
        await self.herder.submit({"name": name, **{key.replace("_", "."): value for key, value in config.items()}})


@contextlib.asynccontextmanager
async def world(folder: Path, graceful_stop_s: float = 5.0, **worker_config: str) -> AsyncIterator[World]:
    world = World(folder, graceful_stop_s, {key.replace("_", "."): value for key, value in worker_config.items()})
    try:
        yield world
    finally:
        await world.herder.stop()
        await world.pool.close()
        await world.offsets.close()
