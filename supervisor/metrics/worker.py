"""All metrics of one worker as the text that Prometheus scrapes."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, generate_latest

import connectd
from connectd.errors import NotFoundException
from supervisor.herder.entities import ConnectorType
from supervisor.herder.herder import Herder
from supervisor.metrics import families
from supervisor.metrics.activity import Activity, activities
from supervisor.metrics.lag import LagWatch, SinkGroup
from supervisor.metrics.startups import Startups
from supervisor.metrics.text import Family, labels, with_label
from supervisor.units.counts import ReloadResult
from supervisor.units.lifecycle import Status, UnitId, has_process
from supervisor.units.unit import STALLED, Surroundings
from supervisor.versions import KAFKA_CONNECT_VERSION
from tasks.states import State

Series = tuple[str, float]

# After so many series the event loop gets a turn: a scrape of a thousand tasks takes tens of milliseconds.
_PER_TURN: Final = 4000
_COUNTED_STATES: Final = (
    State.RUNNING,
    State.PAUSED,
    State.FAILED,
    State.UNASSIGNED,
    State.DESTROYED,
    State.RESTARTING,
)


class MoreMetrics(Protocol):
    """Another part of the worker that has something to say, such as the membership of a cluster."""

    def families(self) -> Iterable[tuple[Family, Iterable[Series]]]:
        """Metrics with their series, the labels written."""


class WorkerMetrics:
    """Renders them, with what other parts of the worker have to say."""

    def __init__(
        self, surroundings: Surroundings, registry: CollectorRegistry, more: Iterable[MoreMetrics] = ()
    ) -> None:
        self._more = more
        self._surroundings = surroundings
        self._units = surroundings.metrics
        self._startups = Startups(surroundings.statuses)
        self._lag = LagWatch(surroundings, surroundings.metrics, surroundings.clock)
        self._registry = registry
        self._clock = surroundings.clock

    async def render(self, herder: Herder) -> str:
        """The text of a scrape. The event loop turns meanwhile, so that different metrics may be moments apart."""
        await self._lag.refresh(self._sink_groups(herder))
        parts, count = [], 0
        for family, series in self._all(herder):
            text = family.text(series)
            parts.append(text)
            count += text.count("\n")
            if count > _PER_TURN:
                count = 0
                await asyncio.sleep(0)
        parts.append(generate_latest(self._registry).decode())
        return "".join(parts)

    async def activities(self, herder: Herder, worker_id: str, *, wait_for_lag: bool = True) -> list[Activity]:
        """What all connectors and tasks of this worker are doing; without waiting, the lag may come with a later answer."""
        await self._lag.refresh(self._sink_groups(herder), wait=wait_for_lag)
        return activities(self._surroundings, self._lag, worker_id)

    def _all(self, herder: Herder) -> Iterator[tuple[Family, Iterable[Series]]]:
        statuses = self._surroundings.statuses.all
        yield from self._of_connectors(herder, statuses)
        yield from self._of_tasks(statuses)
        yield from self._of_worker(herder, statuses)
        for part in self._more:
            yield from part.families()

    # --- Kafka's ------------------------------------------------------------------------------------------------------

    def _of_connectors(
        self, herder: Herder, statuses: Mapping[UnitId, Status]
    ) -> Iterator[tuple[Family, Iterable[Series]]]:
        own = {unit.connector: status for unit, status in statuses.items() if unit.task is None}
        yield (
            families.CONNECTOR_STATUS,
            [(labels({"connector": name, "status": status.state.lower()}), 1) for name, status in own.items()],
        )
        types, classes, versions = [], [], []
        for name in own:
            try:
                info, version = herder.info(name), herder.status(name).connector.version
            except NotFoundException:  # it is being deleted
                continue
            class_name = info.config.get("connector.class", "")
            types.append((labels({"connector": name, "connector_type": info.type}), 1.0))
            classes.append((labels({"connector": name, "connector_class": class_name}), 1.0))
            versions.append((labels({"connector": name, "connector_version": str(version or "undefined")}), 1.0))
        yield families.CONNECTOR_TYPE, types
        yield families.CONNECTOR_CLASS, classes
        yield families.CONNECTOR_VERSION, versions

        tasks = [(unit.connector, status.state) for unit, status in statuses.items() if unit.task is not None]
        # Of all connectors with tasks here: the connector itself may be with another worker.
        totals = Counter(connector for connector, _ in tasks)
        by_state = Counter(tasks)
        yield families.CONNECTOR_COUNT, [("", len(own))]
        yield families.TASK_COUNT, [("", len(tasks))]
        yield families.CONNECTOR_TASK_COUNT, [(labels({"connector": name}), count) for name, count in totals.items()]
        for state in _COUNTED_STATES:
            yield (
                families.task_count_in(state.lower()),
                [(labels({"connector": name}), by_state[name, state]) for name in totals],
            )

    def _of_tasks(self, statuses: Mapping[UnitId, Status]) -> Iterator[tuple[Family, Iterable[Series]]]:
        now = self._clock()
        units = [(unit, _labels_of(unit), metrics.values(now)) for unit, metrics in self._units.all()]
        tasks = [(written, values) for unit, written, values in units if unit.task is not None]
        yield (
            families.TASK_STATUS,
            [
                (with_label(_labels_of(unit), "status", status.state.lower()), 1)
                for unit, status in statuses.items()
                if unit.task is not None
            ],
        )
        for family in families.TASKS:
            name = family.attribute
            yield family, [(written, values[name]) for written, values in tasks if name in values]
        for family in families.CLIENTS:
            name = family.attribute
            client, _, _ = name.partition("-")
            yield (
                family,
                [
                    (labels({"clientid": f"connector-{client}-{unit}"}), values[name])
                    for unit, _, values in units
                    if name in values
                ],
            )
        for family in families.UNITS:
            name = family.attribute
            yield family, [(written, values[name]) for _, written, values in units if name in values]
        yield from self._lags()

    def _lags(self) -> Iterator[tuple[Family, Iterable[Series]]]:
        records, seconds, fetched = [], [], []
        most: dict[str, float] = {}
        for lag in self._lag.lags():
            own, place = _labels_of(lag.unit), {"topic": lag.topic, "partition": str(lag.partition)}
            written = with_label(with_label(own, "topic", lag.topic), "partition", str(lag.partition))
            records.append((written, lag.records))
            seconds.append((written, lag.seconds))
            if lag.unit.task is not None:
                fetched.append((labels({"clientid": f"connector-consumer-{lag.unit}", **place}), lag.records))
                most[own] = max(most.get(own, 0), lag.records)
        yield families.SINK_LAG, records
        yield families.SINK_LAG_S, seconds
        yield families.SINK_LAG_MAX, most.items()
        yield families.CONSUMER_LAG, fetched
        yield (
            families.SOURCE_LAG,
            [
                (with_label(_labels_of(unit), "unit", name), value)
                for unit, metrics in self._units.all()
                for name, value in metrics.source_lag.items()
            ],
        )

    # --- the worker and what is ours ----------------------------------------------------------------------------------

    def _of_worker(
        self, herder: Herder, statuses: Mapping[UnitId, Status]
    ) -> Iterator[tuple[Family, Iterable[Series]]]:
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

        now = self._clock()
        heard = [(unit, metrics.heard) for unit, metrics in self._units.all() if has_process(statuses[unit])]
        stalled = [(unit, (status.trace or "").startswith(STALLED)) for unit, status in statuses.items()]
        yield families.STALLED, [(_labels_of(unit), int(hangs)) for unit, hangs in stalled]
        yield families.HEARTBEAT_AGE, [(_labels_of(unit), max(0.0, now - at)) for unit, at in heard]
        yield families.PROCESSES, self._processes(statuses)
        yield families.READY, [("", int(herder.is_ready))]
        yield (
            families.INFO,
            [(labels({"version": connectd.__version__, "kafka_connect_version": KAFKA_CONNECT_VERSION}), 1)],
        )

    def _sink_groups(self, herder: Herder) -> list[SinkGroup]:
        """The consumer groups of the sinks whose connectors are this worker's: of a cluster each is looked at by one worker."""
        found = []
        for unit in list(self._surroundings.statuses.all):
            with contextlib.suppress(NotFoundException):
                if unit.task is None and (info := herder.info(unit.connector)).type is ConnectorType.SINK:
                    group = info.config.get("consumer.override.group.id") or f"connect-{unit.connector}"
                    found.append(SinkGroup(unit.connector, group))
        return found

    def _processes(self, statuses: Mapping[UnitId, Status]) -> list[Series]:
        running = Counter(
            "connector" if unit.task is None else "task" for unit, status in statuses.items() if has_process(status)
        )
        running["spare"] = self._surroundings.pool.spare_count
        return [(labels({"kind": kind}), running[kind]) for kind in ("connector", "task", "spare")]


def _labels_of(unit: UnitId) -> str:
    return labels({"connector": unit.connector, "task": "" if unit.task is None else str(unit.task)})


def _word(value: object) -> str:
    return "heartbeat" if value is None else str(value)
