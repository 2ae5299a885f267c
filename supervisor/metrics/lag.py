"""How far sinks are behind, in records and in seconds, also those that have failed: Kafka is asked while somebody scrapes."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
import structlog

from connectd.errors import ConnectException
from supervisor.inquiries.inquiry import ask
from supervisor.metrics.tasks import UnitMetrics
from supervisor.units.lifecycle import UnitId
from supervisor.units.unit import Surroundings
from tasks.messages import LagMeasured, MeasureLag

log = structlog.get_logger(__name__)

# How old an answer may be that a scrape gets, and how long Kafka has for one.
REFRESH_S: Final = 15.0
KAFKA_TIMEOUT_S: Final = 10.0
RECENT_S: Final = 60.0
INQUIRY_TIMEOUT_S: Final = 20.0
# With one look every 15 s these reach back an hour.
_ENDS_KEPT: Final = 240

Partition = tuple[str, int]


class Lag(NamedTuple):
    """One partition of a sink; the unit has a task where it is known which one has the partition, or had it last."""

    unit: UnitId
    topic: str
    partition: int
    records: int
    seconds: float


class _Ends:
    """Where a partition ended when; times are monotonic seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=_ENDS_KEPT)

    @property
    def last(self) -> int:
        """The last that was seen."""
        return self._seen[-1][1]

    def note(self, now: float, end: int) -> None:
        """Offsets that begin anew, since the topic was created again, make the past worthless."""
        if self._seen and end < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, end))

    def age(self, position: int, now: float) -> float:
        """How long ago the end was at this position. What is older than all that was seen is extrapolated from its pace."""
        seen = self._seen
        if not seen or position >= seen[-1][1]:
            return 0.0
        index = bisect_right(seen, position, key=lambda each: each[1])
        if index > 0:
            (at, end), (later, more) = seen[index - 1], seen[index]
            return max(0.0, now - (at + (later - at) * (position - end) / (more - end)))
        (at, end), (later, more) = seen[0], seen[-1]
        pace = (more - end) / (later - at) if later > at else 0.0
        return now - at + ((end - position) / pace if pace > 0 else 0.0)


class SinkGroup(msgspec.Struct, frozen=True):
    """The consumer group of a sink."""

    connector: str
    group: str


class LagWatch:
    """Knows the lag of all sinks of a worker as of the last look; `refresh` looks again if that is some time ago."""

    def __init__(self, surroundings: Surroundings, units: UnitMetrics, clock: Callable[[], float]) -> None:
        self._surroundings = surroundings
        self._units = units
        self._clock = clock
        self._ends: dict[Partition, _Ends] = {}
        self._committed: defaultdict[str, dict[Partition, int]] = defaultdict(dict)
        self._sinks: list[SinkGroup] = []
        self._looked = self._seen = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def refresh(self, sinks: list[SinkGroup], *, wait: bool = True) -> None:
        """Look, if it is time to; waits only for the first look, if at all."""
        self._sinks = sinks
        if not sinks:
            return
        first = not self._ends
        if self._looking is None and self._clock() - self._looked >= REFRESH_S:
            self._looked = self._clock()
            self._looking = asyncio.get_running_loop().create_task(self._look())
        if wait and first and self._looking is not None:
            await asyncio.wait([self._looking])

    @property
    def is_recent(self) -> bool:
        """Whether what it knows is of the last minute."""
        return self._clock() - self._seen < RECENT_S

    def lags(self) -> Iterator[Lag]:
        """Of all partitions that are known."""
        now = self._clock()
        positions = self._positions()
        for sink in self._sinks:
            known = dict(self._committed.get(sink.group, {}))
            owners: dict[Partition, UnitId] = {}
            for unit, partition, offset in positions.get(sink.connector, ()):
                owners[partition] = unit
                if offset >= 0:  # a task is ahead of what it has committed; what a failed one says is past
                    known[partition] = max(offset, known.get(partition, 0))
            for partition, offset in known.items():
                if (ends := self._ends.get(partition)) is not None:
                    unit = owners.get(partition, UnitId(sink.connector))
                    yield Lag(unit, *partition, max(0, ends.last - offset), ends.age(offset, now))

    def _positions(self) -> Mapping[str, list[tuple[UnitId, Partition, int]]]:
        found: dict[str, list[tuple[UnitId, Partition, int]]] = {}
        for unit, metrics in self._units.all():
            for topic, partition, offset in metrics.positions:
                found.setdefault(unit.connector, []).append((unit, (topic, partition), offset))
        return found

    async def _look(self) -> None:
        around = self._surroundings
        partitions = {partition for of in self._positions().values() for _, partition, _ in of}
        order = MeasureLag(
            worker_config=around.worker_config,
            log=around.log,
            groups=[sink.group for sink in self._sinks],
            partitions=sorted(partitions),
            timeout_s=KAFKA_TIMEOUT_S,
        )
        try:
            answer = await ask(around.pool, order, LagMeasured, INQUIRY_TIMEOUT_S)
        except ConnectException as error:
            log.warning(f"the lag of sinks is not known: {error}")
            return
        finally:
            self._looking = None
        now = self._seen = self._clock()
        self._committed = defaultdict(dict)
        for group, topic, number, offset in answer.committed:
            self._committed[group][topic, number] = offset
        seen = {(topic, number): end for topic, number, end in answer.ends}
        self._ends = {each: self._ends.get(each, _Ends()) for each in seen}
        for each, end in seen.items():
            self._ends[each].note(now, end)
