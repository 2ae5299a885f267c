"""`connectd describe`."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec

from supervisor.client.client import ConnectClient
from supervisor.client.errors import RequestFailed
from supervisor.commands.client.common import (
    Cluster,
    cluster_options,
    complete_plugins,
    connector_argument,
    output_option,
    show,
    show_data,
)
from supervisor.commands.client.get import version_of
from supervisor.herder.entities import ConnectorInfo, ConnectorOffset, ConnectorStateInfo, TaskInfo


class Description(msgspec.Struct):
    """All that a worker tells about a connector; None for what it does not tell, such as offsets it cannot read now."""

    info: ConnectorInfo
    status: ConnectorStateInfo | None
    tasks: list[TaskInfo]
    topics: list[str] | None
    offsets: list[ConnectorOffset] | None


@click.group()
def describe() -> None:
    """Show all there is to know about one connector or plugin."""


@describe.command()
@connector_argument
@cluster_options
@output_option
def connector(connector: str, cluster: Cluster, output: str) -> None:
    """State, configuration, tasks with their traces, topics and offsets of a connector."""
    found = cluster.run(lambda client: _describe(client, connector))
    if output == "table":
        _print(found)
    else:
        show_data(output, found)


async def _describe(client: ConnectClient, name: str) -> Description:
    info = await client.call("get_connector", connector=name)
    topics = await _if_told(client, "get_connector_active_topics", name)
    offsets = await _if_told(client, "get_offsets", name)
    return Description(
        info=info,
        status=await _if_told(client, "get_connector_status", name),
        tasks=await client.call("get_task_configs", connector=name),
        topics=topics[name].topics if topics and name in topics else None,
        offsets=None if offsets is None else offsets.offsets,
    )


async def _if_told(client: ConnectClient, operation: str, connector: str) -> Any:
    """Topics may be switched off, a new connector has no status yet, older workers know nothing of offsets."""
    try:
        return await client.call(operation, connector=connector)
    except RequestFailed:
        return None


def _print(found: Description) -> None:
    info, status = found.info, found.status
    _line("Name", info.name)
    _line("Type", info.type)
    if status is not None:
        _line("State", status.connector.state)
        _line("Worker", status.connector.worker_id)
        if version := version_of(status.connector.version):
            _line("Version", version)
        _block("Trace", status.connector.trace)
    click.echo("Config:")
    for key, value in sorted(info.config.items()):
        click.echo(f"  {key}: {value}")
    click.echo("Tasks:" if found.tasks or (status and status.tasks) else "Tasks: none")
    configs = {task.id.task: task.config for task in found.tasks}
    for task in status.tasks if status is not None else ():
        click.echo(f"  {task.id}:")
        _line("  State", task.state, 2)
        _line("  Worker", task.worker_id, 2)
        for key, value in sorted(configs.get(task.id, {}).items()):
            if info.config.get(key) != value:  # the rest is the connector's own
                click.echo(f"    {key}: {value}")
        _block("Trace", task.trace, 4)
    if found.topics is not None:
        _line("Topics", ", ".join(found.topics) or "none")
    if found.offsets is not None:
        click.echo("Offsets:" if found.offsets else "Offsets: none")
        for each in found.offsets:
            click.echo(f"  {json.dumps(each.partition)}: {json.dumps(each.offset)}")


def _line(name: str, value: str, indent: int = 0) -> None:
    click.echo(f"{' ' * indent}{name}:".ljust(12 + indent) + value)


def _block(name: str, text: str, indent: int = 0) -> None:
    if text:
        click.echo(f"{' ' * indent}{name}:")
        for line in text.rstrip().splitlines():
            click.echo(f"{' ' * indent}  {line}")


@describe.command()
@click.argument("plugin", shell_complete=complete_plugins)
@cluster_options
@output_option
def plugin(plugin: str, cluster: Cluster, output: str) -> None:
    """The configuration keys of a plugin."""
    keys = cluster.run(lambda client: client.call("get_connector_config_def", pluginName=plugin))
    rows = (
        (
            key.name,
            key.type,
            key.importance,
            "required" if key.required else "" if key.default_value is None else key.default_value,
            key.documentation,
        )
        for key in keys
    )
    show(output, keys, ("KEY", "TYPE", "IMPORTANCE", "DEFAULT", "DOCUMENTATION"), rows)
