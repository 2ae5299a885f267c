"""All connectors and tasks of a worker at one moment, and the worker itself, as metrics with their series."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import lru_cache
from typing import Final

import connectd
from connectd.errors import NotFoundException
from supervisor.herder.herder import Herder
from supervisor.metrics import families
from supervisor.metrics.lag import LagWatch
from supervisor.metrics.startups import Startups
from supervisor.metrics.text import Column, Family, Rows, labels, with_label
from supervisor.units.counts import ReloadResult
from supervisor.units.lifecycle import UnitId, has_process
from supervisor.units.unit import STALLED, Surroundings
from supervisor.versions import KAFKA_CONNECT_VERSION
from tasks.states import State

Series = tuple[str, float]
Metric = tuple[Family, Iterable[Series]]
Columns = defaultdict[str, list[Column]]

# After so many connectors and tasks the event loop gets a turn.
_UNITS_PER_TURN: Final = 250
# How Kafka calls each metric of a client, and the client.
_CLIENTS: Final = [(family.attribute, family.attribute.partition("-")[0]) for family in families.CLIENTS]

_COUNTED_STATES: Final = (
    State.RUNNING,
    State.PAUSED,
    State.FAILED,
    State.UNASSIGNED,
    State.DESTROYED,
    State.RESTARTING,
)


class Scrape:
    """What there is when it is made."""

    def __init__(self, surroundings: Surroundings, herder: Herder, startups: Startups, lag: LagWatch) -> None:
        self._surroundings = surroundings
        self._herder = herder
        self._startups = startups
        self._lag = lag
        self._now = surroundings.clock()
        self._statuses = dict(surroundings.statuses.all)
        self._units = surroundings.metrics.all()
        self._tasks = [(unit, status) for unit, status in self._statuses.items() if unit.task is not None]
        self._connectors = {name: _labels_of(UnitId(name)) for name in {unit.connector for unit in self._statuses}}
        self._labels = {unit: _labels_of(unit) for unit in self._statuses}

    async def texts(self) -> AsyncIterator[str]:
        """Everything, metric by metric. The event loop turns meanwhile."""
        for text in self._of_connectors():
            yield text
        async for text in self._of_tasks():
            yield text
        for family, series in itertools.chain(self._lags(), self._of_worker()):
            yield family.text(series)
        for family, column in self._of_units():
            yield family.text_of([column])

    # --- Kafka's ------------------------------------------------------------------------------------------------------

    def _of_connectors(self) -> Iterator[str]:
        own = [(unit.connector, status) for unit, status in self._statuses.items() if unit.task is None]
        written = self._connectors
        states = [with_label(written[name], "status", status.state.lower()) for name, status in own]
        types, classes, versions = [], [], []
        for name, _ in own:
            try:
                info, version = self._herder.info(name), self._herder.status(name).connector.version
            except NotFoundException:  # it is being deleted
                continue
            types.append(with_label(written[name], "connector_type", info.type))
            classes.append(with_label(written[name], "connector_class", info.config.get("connector.class", "")))
            versions.append(with_label(written[name], "connector_version", str(version or "undefined")))
        for family, found in (
            (families.CONNECTOR_STATUS, states),
            (families.CONNECTOR_TYPE, types),
            (families.CONNECTOR_CLASS, classes),
            (families.CONNECTOR_VERSION, versions),
        ):
            yield family.text_of([(found, [1] * len(found))])
        yield families.CONNECTOR_COUNT.text([("", len(own))])
        yield families.TASK_COUNT.text([("", len(self._tasks))])
        yield from self._task_counts()

    def _task_counts(self) -> Iterator[str]:
        """Of all connectors with tasks here: the connector itself may be with another worker."""
        totals = Counter(unit.connector for unit, _ in self._tasks)
        written = [self._connectors[name] for name in totals]
        yield families.CONNECTOR_TASK_COUNT.text_of([(written, list(totals.values()))])
        for state in _COUNTED_STATES:
            counts = Counter(unit.connector for unit, status in self._tasks if status.state is state)
            yield families.task_count_in(state.lower()).text_of([(written, [counts.get(name, 0) for name in totals])])

    async def _of_tasks(self) -> AsyncIterator[str]:
        # Nearly all have the same metrics, so that tens of thousands of series are made of a few columns.
        alike: defaultdict[tuple[bool, tuple[str, ...]], tuple[Rows, list[UnitId]]] = defaultdict(lambda: (Rows(), []))
        for number, (unit, metrics) in enumerate(self._units):
            if number % _UNITS_PER_TURN == 0:
                await asyncio.sleep(0)
            values = metrics.values(self._now)
            rows, units = alike[unit.task is None, tuple(values)]
            rows.add(self._labels[unit], values.values())
            units.append(unit)
        of_tasks: Columns = defaultdict(list)
        of_all: Columns = defaultdict(list)
        of_clients: Columns = defaultdict(list)
        for (is_connector, names), (rows, units) in alike.items():
            values_by_name = dict(zip(names, zip(*rows.values, strict=True), strict=True))
            for name, column in values_by_name.items():
                of_all[name].append((rows.labels, column))
                if not is_connector:
                    of_tasks[name].append((rows.labels, column))
            for name, client in _CLIENTS:
                if name in values_by_name:
                    ids = [labels({"clientid": f"connector-{client}-{unit}"}) for unit in units]
                    of_clients[name].append((ids, values_by_name[name]))
        states = [with_label(self._labels[unit], "status", status.state.lower()) for unit, status in self._tasks]
        yield families.TASK_STATUS.text_of([(states, [1] * len(states))])
        for family in families.TASKS:
            yield family.text_of(of_tasks[family.attribute])
        for family in families.CLIENTS:
            yield family.text_of(of_clients[family.attribute])
        for family in families.UNITS:
            yield family.text_of(of_all[family.attribute])

    def _lags(self) -> Iterator[Metric]:
        records, seconds, fetched = [], [], []
        most: dict[str, float] = {}
        for lag in self._lag.lags():
            own = _labels_of(lag.unit)
            written = with_label(with_label(own, "topic", lag.topic), "partition", str(lag.partition))
            records.append((written, lag.records))
            seconds.append((written, lag.seconds))
            if lag.unit.task is not None:
                place = {"topic": lag.topic, "partition": str(lag.partition)}
                fetched.append((labels({"clientid": f"connector-consumer-{lag.unit}", **place}), lag.records))
                most[own] = max(most.get(own, 0), lag.records)
        yield families.SINK_LAG, records
        yield families.SINK_LAG_S, seconds
        yield families.SINK_LAG_MAX, most.items()
        yield families.CONSUMER_LAG, fetched
        yield (
            families.SOURCE_LAG,
            [
                (with_label(self._labels[unit], "unit", name), value)
                for unit, metrics in self._units
                for name, value in metrics.source_lag.items()
            ],
        )

    # --- the worker and what is ours ----------------------------------------------------------------------------------

    def _of_worker(self) -> Iterator[Metric]:
        for what in ("connector", "task"):
            good, bad = self._startups.succeeded[what], self._startups.failed[what]
            everything = good + bad
            yield families.startups(what, "attempts"), [("", everything)]
            yield families.startups(what, "success"), [("", good)]
            yield families.startups(what, "failure"), [("", bad)]
            yield families.startup_percentage(what, "success"), [("", good / everything if everything else 0.0)]
            yield families.startup_percentage(what, "failure"), [("", bad / everything if everything else 0.0)]

        counts = self._surroundings.counts
        for family, counter, name in (
            (families.FAILURES, counts.failures, "cause"),
            (families.RESTARTS, counts.restarts, "cause"),
            (families.HANGS, counts.hangs, "call"),
        ):
            series = [(with_label(_labels_of(unit), name, _word(what)), n) for (unit, what), n in counter.items()]
            yield family, series
        yield families.RELOADS, [(labels({"result": result}), counts.reloads[result]) for result in ReloadResult]

        yield families.PROCESSES, self._processes()
        yield families.READY, [("", int(self._herder.is_ready))]
        yield (
            families.INFO,
            [(labels({"version": connectd.__version__, "kafka_connect_version": KAFKA_CONNECT_VERSION}), 1)],
        )

    def _of_units(self) -> Iterator[tuple[Family, Column]]:
        stalled = [int((status.trace or "").startswith(STALLED)) for status in self._statuses.values()]
        yield families.STALLED, (list(self._labels.values()), stalled)
        heard = [(unit, metrics.heard) for unit, metrics in self._units if has_process(self._statuses[unit])]
        ages = [max(0.0, self._now - at) for _, at in heard]
        yield families.HEARTBEAT_AGE, ([self._labels[unit] for unit, _ in heard], ages)

    def _processes(self) -> list[Series]:
        running = Counter(
            "connector" if unit.task is None else "task"
            for unit, status in self._statuses.items()
            if has_process(status)
        )
        running["spare"] = self._surroundings.pool.spare_count
        return [(labels({"kind": kind}), running[kind]) for kind in ("connector", "task", "spare")]


# The same at each scrape; those of what is gone are forgotten in time.
@lru_cache(maxsize=8192)
def _labels_of(unit: UnitId) -> str:
    return labels({"connector": unit.connector, "task": "" if unit.task is None else str(unit.task)})


def _word(value: object) -> str:
    return "heartbeat" if value is None else str(value)
