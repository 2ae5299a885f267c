"""`connectd logs`: the last lines that a connector and its tasks have logged, and those that come."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import click
import msgspec

from supervisor.client.client import ConnectClient
from supervisor.client.errors import RequestFailed
from supervisor.commands.client.common import Cluster, cluster_options, connector_argument, show_data
from supervisor.logs.entities import Lines, LogLine

_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_STYLES: Final[dict[str, dict[str, Any]]] = {
    "WARN": {"fg": "yellow"},
    "ERROR": {"fg": "red"},
    "FATAL": {"fg": "red", "bold": True},
}


@click.command()
@connector_argument
@click.option("--task", type=click.IntRange(min=0), metavar="NUMBER", help="Only those of this task.")
@click.option("-f", "--follow", is_flag=True, help="Go on with each line as it is logged; Ctrl+C ends it.")
@click.option(
    "-n", "--lines", type=click.IntRange(0, 100_000), default=200, show_default=True, help="The last so many."
)
@click.option(
    "--level", type=click.Choice(_LEVELS, case_sensitive=False), help="Only of this level and those above it."
)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@cluster_options
def logs(
    connector: str, task: int | None, follow: bool, lines: int, level: str | None, output: str, cluster: Cluster
) -> None:
    """What a connector and its tasks have logged and printed, also those that have failed.

    With --follow and --output json each line is a JSON object of its own.
    """
    where: dict[str, str | int] = {"connector": connector, **({} if task is None else {"task": task})}
    operation = "connector_logs" if task is None else "task_logs"
    query = {"lines": lines, **({} if level is None else {"level": level})}

    async def once(client: ConnectClient) -> None:
        _show(await client.call(operation, query=query, **where), output)

    async def for_ever(client: ConnectClient) -> None:
        async for row in client.rows(operation, query={**query, "follow": True}, **where):
            if row:
                click.echo(row if output == "json" else _text(msgspec.json.decode(row, type=LogLine)))

    with contextlib.suppress(KeyboardInterrupt):
        cluster.run(_politely(for_ever if follow else once))


def _politely(work: Callable[[ConnectClient], Awaitable[None]]) -> Callable[[ConnectClient], Awaitable[None]]:
    async def ask(client: ConnectClient) -> None:
        try:
            await work(client)
        except RequestFailed as error:
            if error.status == HTTPStatus.NOT_FOUND and str(error).startswith("HTTP 404"):
                raise RequestFailed(
                    error.status, "the worker that answers keeps no lines: it is Kafka's own, or an older version"
                ) from None
            raise

    return ask


def _show(found: Lines, output: str) -> None:
    if output == "json":
        show_data(output, found)
        return
    for line in found.lines:
        click.echo(_text(line))
    for missing in found.missing:
        click.echo(f"no lines of {missing.worker_id}: {missing.reason}", err=True)


def _text(line: LogLine) -> str:
    when = datetime.fromisoformat(line.timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    who = "connector" if line.task is None else f"task {line.task}"
    level = click.style(line.level.ljust(5), **_STYLES.get(line.level, {}))
    fields = "".join(f" {name}={_value(value)}" for name, value in line.fields.items())
    trace = f"\n{line.exception}" if line.exception else ""
    return f"{when} {level} {who} {line.logger}: {line.message.rstrip()}{fields}{trace}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
