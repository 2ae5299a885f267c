"""`connectd top`: what all tasks are doing, live."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from supervisor.client.client import ConnectClient
from supervisor.client.errors import RequestFailed, Unreachable
from supervisor.commands.client.common import Cluster, cluster_options
from supervisor.commands.client.get import statuses
from supervisor.commands.table import plain_table
from supervisor.herder.entities import ConnectorState, ConnectorStateInfo, TaskState
from supervisor.metrics.activity import Activity

_HEADS: Final = (
    "CONNECTOR",
    "TASK",
    "STATE",
    "RECORDS/S",
    "",
    "LAG",
    "BEHIND",
    "MEMORY",
    "CPU",
    "RESTARTS",
    "DOING",
    "WORKER",
)
_BARS: Final = " ▁▂▃▄▅▆▇█"
_HISTORY: Final = 12

_Key = tuple[str, int | None]


class _Spark:
    """The last rates of each task as bars."""

    def __init__(self) -> None:
        self._rates: dict[_Key, deque[float]] = defaultdict(lambda: deque(maxlen=_HISTORY))

    def add(self, key: _Key, rate: float) -> str:
        rates = self._rates[key]
        rates.append(rate)
        most = max(rates)
        return "".join(_BARS[round(8 * each / most)] if most else _BARS[0] for each in rates)


class _Processor:
    """The part of a processor that each task uses, from one look to the next."""

    def __init__(self) -> None:
        self._before: dict[_Key, tuple[float, float]] = {}

    def share(self, key: _Key, now: float, seconds: float | None) -> str:
        before, self._before[key] = self._before.get(key), (now, seconds or 0.0)
        if seconds is None or before is None or now <= before[0] or seconds < before[1]:
            return ""
        return f"{100 * (seconds - before[1]) / (now - before[0]):.0f}%"


@click.command()
@click.option(
    "--interval", "interval_s", type=click.FloatRange(min=0.2), default=2.0, show_default=True, help="In seconds."
)
@click.option("--once", is_flag=True, help="Print once and end; always so without a terminal.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@cluster_options
def top(interval_s: float, once: bool, output: str, cluster: Cluster) -> None:
    """What all tasks are doing: records a second, lag, memory, processor, restarts. Ctrl+C ends it.

    Java's workers tell states only.
    """
    console = Console()

    async def work(client: ConnectClient) -> None:
        if output == "json":
            click.echo(json.dumps(msgspec.to_builtins(await _look(client)), indent=2))
            return
        view = _View()
        first = view.table(await _look(client))
        if once or not console.is_terminal:
            console.width = console.width if console.is_terminal else 10_000
            console.print(first)
            return
        with Live(first, console=console, screen=True, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(interval_s)
                live.update(view.table(await _look(client)), refresh=True)

    with contextlib.suppress(KeyboardInterrupt):
        cluster.run(work)


class _View:
    """Remembers what it takes to show changes."""

    def __init__(self) -> None:
        self._spark = _Spark()
        self._processor = _Processor()

    def table(self, activities: Sequence[Activity]) -> Table:
        return plain_table(_HEADS, [self._row(each) for each in activities])

    def _row(self, each: Activity) -> Sequence[str]:
        key, now = (each.connector, each.task), asyncio.get_running_loop().time()
        rate = each.records_per_s
        return (
            each.connector,
            "" if each.task is None else str(each.task),
            each.state,
            "" if rate is None else f"{rate:,.0f}",
            "" if rate is None else self._spark.add(key, rate),
            _lag(each),
            "" if each.lag_seconds is None else f"{each.lag_seconds:.0f} s",
            "" if each.memory_bytes is None else f"{each.memory_bytes / (1 << 20):.0f} MiB",
            self._processor.share(key, now, each.cpu_seconds),
            str(each.restarts) if each.restarts else "",
            _doing(each),
            each.worker_id,
        )


def _lag(each: Activity) -> str:
    if each.lag_records is not None:
        return f"{each.lag_records:,}"
    return ", ".join(f"{value:,.0f} {unit}" for unit, value in each.source_lag.items())


def _doing(each: Activity) -> str:
    if each.stalled:
        return "stalled"
    if each.call is None or each.call == "none":
        return ""
    return each.call if (each.call_s or 0) < 2 else f"{each.call} {each.call_s:.0f} s"


async def _look(client: ConnectClient) -> list[Activity]:
    """Of all workers that take part: each is asked for what it runs, what nobody tells is known by its state only."""
    states = await statuses(client)
    workers = {unit.worker_id for each in states for _, unit in _units(each)}
    told: dict[_Key, Activity] = {}
    for found in await asyncio.gather(*(_ask(client, worker) for worker in sorted(workers))):
        told.update({(each.connector, each.task): each for each in found})
    shown = []
    for status in states:
        for number, unit in _units(status):
            known = told.get((status.name, number))
            if known is None or known.worker_id != unit.worker_id:
                known = _by_state(status.name, number, unit.state, unit.worker_id)
            shown.append(known)
    return shown


def _units(status: ConnectorStateInfo) -> list[tuple[int | None, ConnectorState | TaskState]]:
    return [(None, status.connector), *((task.id, task) for task in status.tasks)]


async def _ask(client: ConnectClient, worker: str) -> list[Activity]:
    try:
        return msgspec.json.decode(await client.fetch("/connectd/v1/tasks", worker=worker), type=list[Activity])
    except (RequestFailed, Unreachable, msgspec.DecodeError):
        return []


def _by_state(connector: str, task: int | None, state: str, worker: str) -> Activity:
    return msgspec.convert(
        {
            **dict.fromkeys(Activity.__struct_fields__),
            "connector": connector,
            "task": task,
            "state": state,
            "worker_id": worker,
            "since": 0.0,
            "source_lag": {},
            "restarts": 0,
            "failures": 0,
            "stalled": False,
        },
        Activity,
    )
