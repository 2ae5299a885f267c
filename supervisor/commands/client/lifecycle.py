"""`connectd pause`, `resume`, `stop`, `restart`, `delete` and `wait`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import click

from supervisor.client.client import ConnectClient
from supervisor.client.errors import RequestFailed
from supervisor.commands.client.common import (
    Cluster,
    cluster_options,
    connectors_argument,
    fail,
    matching,
)
from supervisor.exit_codes import CommandExit
from supervisor.herder.entities import ConnectorState, ConnectorStateInfo, TaskState
from tasks.states import State

_POLL_S: Final = 0.2
_WAITED_FOR: Final = {
    "running": State.RUNNING,
    "paused": State.PAUSED,
    "stopped": State.STOPPED,
    "failed": State.FAILED,
}


@click.command()
@connectors_argument
@cluster_options
def pause(connectors: tuple[str, ...], cluster: Cluster) -> None:
    """Pause connectors and their tasks."""
    _each(cluster, connectors, "pause_connector", "paused")


@click.command()
@connectors_argument
@cluster_options
def resume(connectors: tuple[str, ...], cluster: Cluster) -> None:
    """Let connectors that are paused or stopped go on."""
    _each(cluster, connectors, "resume_connector", "resumed")


@click.command()
@connectors_argument
@cluster_options
def stop(connectors: tuple[str, ...], cluster: Cluster) -> None:
    """Stop connectors: their tasks are ended, and their offsets can be changed."""
    _each(cluster, connectors, "stop_connector", "stopped")


@click.command()
@connectors_argument
@cluster_options
def delete(connectors: tuple[str, ...], cluster: Cluster) -> None:
    """Delete connectors; their offsets stay."""
    _each(cluster, connectors, "destroy_connector", "deleted")


def _each(cluster: Cluster, patterns: Sequence[str], operation: str, done: str) -> None:
    async def work(client: ConnectClient) -> None:
        for name in await matching(client, patterns):
            await client.call(operation, connector=name)
            click.echo(f"{name} {done}")

    cluster.run(work)


@click.command()
@connectors_argument
@click.option("--tasks", is_flag=True, help="The tasks too.")
@click.option("--failed", is_flag=True, help="Only what has failed.")
@click.option("--task", type=int, metavar="NUMBER", help="Only this task, and not the connector.")
@cluster_options
def restart(connectors: tuple[str, ...], tasks: bool, failed: bool, task: int | None, cluster: Cluster) -> None:
    """Restart connectors, their tasks, or what has failed of them."""
    if task is not None and (tasks or failed):
        raise click.UsageError("--task restarts one task, expected neither --tasks nor --failed beside it")

    async def work(client: ConnectClient) -> None:
        for name in await matching(client, connectors):
            if task is not None:
                await client.call("restart_task", connector=name, task=task)
                click.echo(f"{name} task {task} restarted")
                continue
            await client.call("restart_connector", query={"includeTasks": tasks, "onlyFailed": failed}, connector=name)
            click.echo(f"{name} restarted")

    cluster.run(work)


@click.command()
@connectors_argument
@click.option(
    "--for", "aim", type=click.Choice([*_WAITED_FOR, "deleted"]), default="running", show_default=True, help="What for."
)
@click.option("--timeout", "timeout_s", type=float, default=60.0, show_default=True, help="In seconds.")
@cluster_options
def wait(connectors: tuple[str, ...], aim: str, timeout_s: float, cluster: Cluster) -> None:
    """Wait until connectors and all their tasks are in a state.

    Exit code 75 if that does not come about in time, or when something fails meanwhile.
    """

    async def work(client: ConnectClient) -> None:
        for name in await matching(client, connectors):
            await _wait_for(client, name, aim)
            click.echo(f"{name} {aim}")

    async def work_in_time(client: ConnectClient) -> str | None:
        try:
            async with asyncio.timeout(timeout_s):
                await work(client)
        except TimeoutError:
            return f"not {aim} within {timeout_s:g} s"
        except _NeverComes as error:
            return str(error)
        return None

    problem = cluster.run(work_in_time)
    if problem is not None:
        fail(problem, CommandExit.NOT_YET)


class _NeverComes(Exception):
    """What is waited for does not come by itself."""


async def _wait_for(client: ConnectClient, name: str, aim: str) -> None:
    while True:
        try:
            status = await client.call("get_connector_status", connector=name)
        except RequestFailed as error:
            if error.status != 404:
                raise
            if aim == "deleted":
                return
        else:
            if aim != "deleted" and _has_come(status, aim):
                return
        await asyncio.sleep(_POLL_S)


def _has_come(status: ConnectorStateInfo, aim: str) -> bool:
    """Raises _NeverComes where something has failed that was to run."""
    states: dict[str, ConnectorState | TaskState] = {
        "the connector": status.connector,
        **{f"task {task.id}": task for task in status.tasks},
    }
    if aim == "failed":
        return any(each.state is State.FAILED for each in states.values())
    for what, each in states.items():
        if each.state is State.FAILED:
            reason = next(iter(each.trace.splitlines()), "no trace")
            raise _NeverComes(f"{what} of {status.name} has failed: {reason}")
    if aim == "stopped":
        return status.connector.state is State.STOPPED and not status.tasks
    return all(each.state is _WAITED_FOR[aim] for each in states.values()) and bool(status.tasks)
