"""`connectd get`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import click
import msgspec
from msgspec import UNSET

from supervisor.client.client import ConnectClient
from supervisor.commands.client.common import (
    Cluster,
    cluster_options,
    complete_connectors,
    complete_loggers,
    connector_argument,
    matching,
    output_option,
    require_connectd,
    show,
)
from supervisor.commands.client.offsets import show_offsets
from supervisor.herder.entities import ConnectorStateInfo
from supervisor.rest.entities import Expanded
from tasks.states import State


@click.group()
def get() -> None:
    """Show connectors, tasks, plugins, offsets, loggers or a configuration."""


async def statuses(client: ConnectClient, patterns: Sequence[str] = ()) -> list[ConnectorStateInfo]:
    """The states of all connectors, or of those that are meant; sorted by name."""
    expanded: dict[str, Expanded] = await client.call("list_connectors", query={"expand": "status"})
    known = [each.status for _, each in sorted(expanded.items()) if each.status is not None]
    if not patterns:
        return known
    names = await matching(client, patterns)
    by_name = {status.name: status for status in known}
    return [
        by_name[name] if name in by_name else await client.call("get_connector_status", connector=name)
        for name in names
    ]


@get.command()
@cluster_options
@output_option
def connectors(cluster: Cluster, output: str) -> None:
    """All connectors with their states."""
    found = cluster.run(statuses)
    heads = ("NAME", "TYPE", "STATE", "TASKS", "WORKER")
    show(
        output,
        found,
        heads,
        ((each.name, each.type, each.connector.state, _tasks(each), each.connector.worker_id) for each in found),
    )


def _tasks(status: ConnectorStateInfo) -> str:
    """`3/3 running`, or how many are in which state."""
    if not status.tasks:
        return "none"
    counts = Counter(task.state for task in status.tasks)
    others = [f"{count} {state.lower()}" for state, count in counts.items() if state is not State.RUNNING]
    return ", ".join([f"{counts[State.RUNNING]}/{len(status.tasks)} running", *others])


@get.command()
@click.argument("connectors", metavar="[CONNECTOR...]", nargs=-1, shell_complete=complete_connectors)
@cluster_options
@output_option
def tasks(connectors: tuple[str, ...], cluster: Cluster, output: str) -> None:
    """The tasks of connectors with their states; of all where none is named."""
    found = cluster.run(lambda client: statuses(client, connectors))
    data = [{"connector": each.name, **msgspec.to_builtins(task)} for each in found for task in each.tasks]
    show(output, data, ("CONNECTOR", "TASK", "STATE", "WORKER", "TRACE"), _task_rows(found))


def _task_rows(found: Sequence[ConnectorStateInfo]) -> Iterator[Sequence[str]]:
    for each in found:
        for task in each.tasks:
            first_line = next(iter(task.trace.splitlines()), "")
            yield each.name, str(task.id), task.state, task.worker_id, first_line


@get.command()
@click.option("--all", "everything", is_flag=True, help="Converters, transformations and others too.")
@cluster_options
@output_option
def plugins(everything: bool, cluster: Cluster, output: str) -> None:
    """The plugins of the worker that answers."""
    found = cluster.run(lambda client: client.call("list_connector_plugins", query={"connectorsOnly": not everything}))
    show(output, found, ("TYPE", "CLASS", "VERSION"), ((each.type, each.class_, each.version) for each in found))


@get.command()
@connector_argument
@cluster_options
@output_option
def offsets(connector: str, cluster: Cluster, output: str) -> None:
    """How far a connector has read."""
    show_offsets(cluster, connector, output)


@get.command()
@click.argument("logger", required=False, shell_complete=complete_loggers)
@click.option(
    "--connector",
    metavar="CONNECTOR",
    shell_complete=complete_connectors,
    help="The levels that its processes have been given.",
)
@cluster_options
@output_option
def loggers(logger: str | None, connector: str | None, cluster: Cluster, output: str) -> None:
    """The levels of all loggers, or of one."""
    if logger is not None and connector is not None:
        raise click.UsageError("--connector shows all of its loggers, expected no LOGGER beside it")

    async def ask(client: ConnectClient) -> dict[str, object]:
        if connector is not None:
            await require_connectd(client, "levels of single connectors")
            return dict(await client.call("list_loggers", query={"connector": connector}))
        if logger is None:
            return dict(await client.call("list_loggers"))
        return {logger: await client.call("get_logger", logger=logger)}

    found = cluster.run(ask)
    plain = msgspec.to_builtins(found)
    show(output, found, ("LOGGER", "LEVEL"), ((name, str(each.get("level"))) for name, each in plain.items()))


@get.command()
@connector_argument
@cluster_options
@output_option
def config(connector: str, cluster: Cluster, output: str) -> None:
    """The configuration of a connector."""
    found = cluster.run(lambda client: client.call("get_connector_config", connector=connector))
    show(output, found, ("KEY", "VALUE"), sorted(found.items()))


@get.command()
@connector_argument
@cluster_options
@output_option
def topics(connector: str, cluster: Cluster, output: str) -> None:
    """The topics that a connector has used."""
    found = cluster.run(lambda client: client.call("get_connector_active_topics", connector=connector))
    names = found[connector].topics if connector in found else []
    show(output, names, ("TOPIC",), ((name,) for name in names))


def version_of(version: object) -> str:
    """A version as it is shown where it may be missing."""
    return "" if version in (None, UNSET) else str(version)
