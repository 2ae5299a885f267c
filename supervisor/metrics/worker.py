"""All metrics of one worker as the text that Prometheus scrapes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Final, Protocol

from prometheus_client.registry import CollectorRegistry

from connectd.errors import NotFoundException
from supervisor.herder.entities import ConnectorType
from supervisor.herder.herder import Herder
from supervisor.metrics.activity import Activity, activities
from supervisor.metrics.lag import LagWatch, SinkGroup
from supervisor.metrics.scrape import Metric, Scrape
from supervisor.metrics.startups import Startups
from supervisor.units.unit import Surroundings

# After so much text the event loop gets a turn: a scrape of a thousand tasks takes tens of milliseconds.
_BYTES_PER_TURN: Final = 300_000


class MoreMetrics(Protocol):
    """Another part of the worker that has something to say, such as the membership of a cluster."""

    def families(self) -> Iterable[Metric]:
        """Metrics with their series, the labels written."""


class WorkerMetrics:
    """Renders them, with what other parts of the worker have to say."""

    def __init__(
        self, surroundings: Surroundings, registry: CollectorRegistry, more: Iterable[MoreMetrics] = ()
    ) -> None:
        self._more = more
        self._surroundings = surroundings
        self._startups = Startups(surroundings.statuses)
        self._lag = LagWatch(surroundings, surroundings.metrics, surroundings.clock)
        self._registry = registry

    async def render(self, herder: Herder) -> bytes:
        """The text of a scrape. The event loop turns meanwhile, so that different metrics may be moments apart."""
        # With a web server, which costs memory: many workers are never asked.
        from prometheus_client.exposition import generate_latest

        await self._lag.refresh(self._sink_groups(herder))
        scrape = Scrape(self._surroundings, herder, self._startups, self._lag)
        parts: list[bytes] = []
        count = 0
        async for text in scrape.texts():
            part = text.encode()
            parts.append(part)
            count += len(part)
            if count > _BYTES_PER_TURN:
                count = 0
                await asyncio.sleep(0)
        for more in self._more:
            parts += [family.text(series).encode() for family, series in more.families()]
        parts.append(generate_latest(self._registry))
        return b"".join(parts)

    async def activities(self, herder: Herder, worker_id: str, *, wait_for_lag: bool = True) -> list[Activity]:
        """What all connectors and tasks of this worker are doing; without waiting, the lag may come with a later answer."""
        await self._lag.refresh(self._sink_groups(herder), wait=wait_for_lag)
        return activities(self._surroundings, self._lag, worker_id)

    def _sink_groups(self, herder: Herder) -> list[SinkGroup]:
        """The consumer groups of the sinks whose connectors are this worker's: of a cluster each is looked at by one worker."""
        found = []
        for unit in list(self._surroundings.statuses.all):
            with contextlib.suppress(NotFoundException):
                # The state is known already, other than what else there is to know.
                if unit.task is None and herder.status(unit.connector).type is ConnectorType.SINK:
                    group = herder.info(unit.connector).config.get("consumer.override.group.id")
                    found.append(SinkGroup(unit.connector, group or f"connect-{unit.connector}"))
        return found
