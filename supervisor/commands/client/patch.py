"""`connectd patch`: single keys of a connector's configuration, and levels of loggers."""

from __future__ import annotations

import click

from supervisor.client.client import ConnectClient
from supervisor.client.errors import RequestFailed
from supervisor.commands.client.common import (
    Cluster,
    cluster_options,
    complete_connectors,
    complete_loggers,
    connector_argument,
    require_connectd,
)
from supervisor.herder.entities import ConnectorInfo


@click.group()
def patch() -> None:
    """Change single keys of a connector, or the level of a logger."""


@patch.command()
@connector_argument
@click.option("-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a key; may be repeated.")
@click.option("-r", "--remove", "removed", multiple=True, metavar="KEY", help="Remove a key; may be repeated.")
@cluster_options
def connector(connector: str, settings: tuple[str, ...], removed: tuple[str, ...], cluster: Cluster) -> None:
    """Change single keys of a connector's configuration."""
    changes: dict[str, str | None] = dict.fromkeys(removed)
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{key}: expected KEY=VALUE", param_hint="--set")
        changes[key] = value
    if not changes:
        raise click.UsageError("expected --set or --remove")
    cluster.run(lambda client: _patch(client, connector, changes))
    click.echo(f"{connector} patched")


async def _patch(client: ConnectClient, connector: str, changes: dict[str, str | None]) -> ConnectorInfo:
    try:
        return await client.call("patch_connector_config", body=changes, connector=connector)  # type: ignore[no-any-return]
    except RequestFailed as error:
        if error.status != 405:
            raise
    # Before Kafka 3.8 there was no PATCH.
    config = await client.call("get_connector_config", connector=connector)
    config = {key: value for key, value in {**config, **changes}.items() if value is not None}
    return await client.call("put_connector_config", body=config, connector=connector)  # type: ignore[no-any-return]


@patch.command()
@click.argument("logger", shell_complete=complete_loggers)
@click.option("-l", "--level", required=True, metavar="LEVEL", help="TRACE, DEBUG, INFO, WARN, ERROR, FATAL or OFF.")
@click.option("--cluster", "everywhere", is_flag=True, help="On all workers of the cluster.")
@click.option(
    "--connector",
    metavar="CONNECTOR",
    shell_complete=complete_connectors,
    help="Only in the processes of this connector and its tasks.",
)
@cluster_options
def logger(logger: str, level: str, everywhere: bool, connector: str | None, cluster: Cluster) -> None:
    """Set the level of a logger and of those below it; `root` is for all."""
    query = {"scope": "cluster"} if everywhere else {}

    async def work(client: ConnectClient) -> list[str] | None:
        if connector is not None:
            await require_connectd(client, "levels of single connectors")
            query["connector"] = connector
        return await client.call("set_level", body={"level": level}, query=query, logger=logger)  # type: ignore[no-any-return]

    for name in cluster.run(work) or [logger]:
        click.echo(f"{name} {level.upper()}")
