"""`python -m bench.scrape`: what a scrape of `/metrics` costs the supervisor, without processes and without Kafka.

In CPU time, so that a busy machine matters little; `longest_turn_ms` is for how long nothing else happened on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from statistics import median
from types import SimpleNamespace
from typing import Final, cast

import click
import structlog

from supervisor.herder.entities import ConnectorInfo, ConnectorState, ConnectorStateInfo, ConnectorTaskId, ConnectorType
from supervisor.herder.herder import Herder
from supervisor.metrics.own import OwnMetrics
from supervisor.metrics.worker import WorkerMetrics
from supervisor.processes.pool import ProcessPool
from supervisor.units.lifecycle import Statuses, UnitId
from supervisor.units.unit import Surroundings
from tasks.errors.counters import ErrorCounters
from tasks.messages import Heartbeat, LogSettings
from tasks.source.counters import SourceCounters
from tasks.states import Call, State

_SCRAPES: Final = 30
# More than the window of rates.
_SECONDS_BEFORE: Final = 80
_OTHER_COUNTERS: Final = dict.fromkeys(
    (*ErrorCounters().snapshot(), "producer-connection-count", "producer-outgoing-byte-total"), 1.0
)


class World:
    """A worker that has so many connectors with a task each; in every second half of the tasks move records."""

    is_ready = True

    def __init__(self, tasks: int) -> None:
        self._random = random.Random(1)
        self._now = 0.0
        self.surroundings = Surroundings(
            pool=cast(ProcessPool, SimpleNamespace(spare_count=1)),
            statuses=Statuses(),
            worker_config={},
            log=LogSettings(levels={}),
            graceful_stop_s=1.0,
            clock=lambda: self._now,
        )
        self._counters = {f"connector-{number}": SourceCounters() for number in range(tasks)}
        for name in self._counters:
            for unit in (UnitId(name), UnitId(name, 0)):
                for state in (State.UNASSIGNED, State.RUNNING):
                    self.surroundings.statuses.change(unit, state, generation=1, pid=1)
        for _ in range(_SECONDS_BEFORE):
            self.tick()

    def tick(self) -> None:
        """A second, with a heartbeat of each process."""
        self._now += 1
        for number, (name, counters) in enumerate(self._counters.items()):
            if self._random.random() < 0.5:
                counters.record_poll(self._random.randrange(1, 500), self._random.random())
                counters.record_commit(self._random.random(), failed=False)
                counters.written = counters.polled
            usage = {
                "process-cpu-seconds-total": self._now / 700 + number,
                "process-resident-memory-bytes": 3e7 + number,
                "process-open-fds": 17.0,
            }
            self._beat(UnitId(name), usage)
            self._beat(UnitId(name, 0), counters.snapshot() | _OTHER_COUNTERS | usage)

    def info(self, name: str) -> ConnectorInfo:
        """As a herder tells it."""
        return ConnectorInfo(
            name, {"connector.class": "FileStreamSource"}, [ConnectorTaskId(name, 0)], ConnectorType.SOURCE
        )

    def status(self, name: str) -> ConnectorStateInfo:
        """As a herder tells it."""
        state = ConnectorState(state=State.RUNNING, worker_id="worker", version="1")
        return ConnectorStateInfo(name, state, [], ConnectorType.SOURCE)

    def _beat(self, unit: UnitId, counters: dict[str, float]) -> None:
        as_sent = {name: float(value) for name, value in counters.items()}
        heartbeat = Heartbeat(generation=1, call=Call.POLL, call_s=0.1, counters=as_sent)
        self.surroundings.metrics.on_heartbeat(unit, heartbeat)


class Turns:
    """The longest turn of the event loop in which nothing else happened, in CPU seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        """Until cancelled."""
        last = time.process_time()
        while True:
            await asyncio.sleep(0)
            now = time.process_time()
            self.longest, last = max(self.longest, now - last), now


async def _measure(tasks: int) -> dict[str, float]:
    world = World(tasks)
    metrics = WorkerMetrics(world.surroundings, OwnMetrics().registry)
    times, turns = [], []
    for _ in range(_SCRAPES):
        world.tick()
        turn = Turns()
        watching = asyncio.ensure_future(turn.watch())
        await asyncio.sleep(0)
        began = time.process_time()
        text = await metrics.render(cast(Herder, world))
        times.append(time.process_time() - began)
        watching.cancel()
        turns.append(turn.longest)
    return {
        "tasks": tasks,
        "kib": len(text) / 1024,
        "series": sum(not line.startswith(b"#") for line in text.splitlines()),
        "cpu_median_ms": median(times) * 1000,
        "cpu_best_ms": min(times) * 1000,
        "longest_turn_median_ms": median(turns) * 1000,
    }


@click.command
@click.option("--tasks", default=1000, help="Of connectors with one task each.")
def main(tasks: int) -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for name, value in asyncio.run(_measure(tasks)).items():
        click.echo(f"  {name:32}{value:10.1f}")


if __name__ == "__main__":
    main()
