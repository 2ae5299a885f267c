"""`connectd offsets`: how far connectors have read, shown, changed, and carried to another cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO, Any, Final

import click
import msgspec

from supervisor.client.client import ConnectClient
from supervisor.client.errors import RequestFailed
from supervisor.commands.client.common import (
    Cluster,
    cluster_options,
    connector_argument,
    connectors_argument,
    fail,
    matching,
    output_option,
    show,
)
from supervisor.exit_codes import CommandExit
from supervisor.herder.entities import ConnectorOffset
from tasks.states import State

_STOP_TIMEOUT_S: Final = 60.0
_PAUSE_S: Final = 0.2


class Exported(msgspec.Struct, forbid_unknown_fields=True):
    """One connector's offsets in a file."""

    connector: str
    offsets: list[ConnectorOffset]


@click.group()
def offsets() -> None:
    """Show and change how far connectors have read. A connector must be stopped for a change: `--stop` does that."""


def _stop_option(command: Any) -> Any:
    return click.option(
        "--stop", is_flag=True, help="Stop the connector for the change, and let it go on as before afterwards."
    )(command)


@offsets.command("show")
@connector_argument
@cluster_options
@output_option
def show_command(connector: str, cluster: Cluster, output: str) -> None:
    """How far a connector has read."""
    show_offsets(cluster, connector, output)


def show_offsets(cluster: Cluster, connector: str, output: str) -> None:
    """Print the offsets of a connector."""
    found = cluster.run(lambda client: client.call("get_offsets", connector=connector))
    rows = ((json.dumps(each.partition), json.dumps(each.offset)) for each in found.offsets)
    show(output, found, ("PARTITION", "OFFSET"), rows)


@offsets.command("set")
@connector_argument
@click.option("--partition", "partition", metavar="JSON", help='Of what, for example {"filename": "in.txt"}.')
@click.option("--offset", "offset", metavar="JSON", help='How far, for example {"position": 10}; null forgets it.')
@click.option("-f", "--file", "file", type=click.File(), help='A file with {"offsets": [...]}, - for standard input.')
@_stop_option
@cluster_options
def set_command(
    connector: str, partition: str | None, offset: str | None, file: IO[str] | None, stop: bool, cluster: Cluster
) -> None:
    """Change how far a connector has read, for one partition or for all those in a file."""
    if (file is None) == (partition is None or offset is None):
        raise click.UsageError("expected --partition and --offset, or --file")
    if file is not None:
        wanted = _from_file(file, connector)
    else:
        assert partition is not None and offset is not None
        wanted = [ConnectorOffset(_object("--partition", partition), _object("--offset", offset))]
    click.echo(cluster.run(lambda client: _alter(client, connector, wanted, stop=stop)))


@offsets.command()
@connector_argument
@_stop_option
@cluster_options
def reset(connector: str, stop: bool, cluster: Cluster) -> None:
    """Forget how far a connector has read: it begins anew."""
    click.echo(cluster.run(lambda client: _alter(client, connector, None, stop=stop)))


@offsets.command()
@connectors_argument
@cluster_options
def export(connectors: tuple[str, ...], cluster: Cluster) -> None:
    """Print the offsets of connectors as JSON that `offsets import` reads."""

    async def ask(client: ConnectClient) -> list[Exported]:
        names = await matching(client, connectors)
        return [Exported(name, (await client.call("get_offsets", connector=name)).offsets) for name in names]

    click.echo(msgspec.json.format(msgspec.json.encode(cluster.run(ask)), indent=2).decode())


@offsets.command("import")
@click.argument("file", type=click.File(), metavar="FILE")
@_stop_option
@cluster_options
def import_command(file: IO[str], stop: bool, cluster: Cluster) -> None:
    """Write the offsets that `offsets export` printed, of connectors that exist already; - is standard input."""
    try:
        exported = msgspec.json.decode(file.read(), type=list[Exported])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fail(f"{file.name}: {error}: expected what `connectd offsets export` prints", CommandExit.CONFIG)

    async def write(client: ConnectClient) -> None:
        known = set(await client.call("list_connectors"))
        missing = [each.connector for each in exported if each.connector not in known]
        if missing:
            raise RequestFailed(404, f"nothing was changed: there is no connector {', '.join(missing)}")
        for each in exported:
            click.echo(f"{each.connector}: {await _alter(client, each.connector, each.offsets, stop=stop)}")

    cluster.run(write)


async def _alter(client: ConnectClient, connector: str, wanted: Sequence[ConnectorOffset] | None, *, stop: bool) -> str:
    """Write offsets, None forgets all; what the worker says about it."""
    async with _stopped(client, connector) if stop else _as_it_is():
        if wanted is None:
            answer = await client.call("reset_connector_offsets", connector=connector)
        else:
            answer = await client.call("alter_connector_offsets", body={"offsets": wanted}, connector=connector)
    return str(answer.message)


@asynccontextmanager
async def _as_it_is() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _stopped(client: ConnectClient, connector: str) -> AsyncIterator[None]:
    """The connector is stopped within; afterwards it is as it was, whatever happened."""
    before = (await client.call("get_connector_status", connector=connector)).connector.state
    if before is State.STOPPED:
        yield
        return
    await client.call("stop_connector", connector=connector)
    try:
        await _wait_until_stopped(client, connector)
        yield
    finally:
        await client.call("pause_connector" if before is State.PAUSED else "resume_connector", connector=connector)


async def _wait_until_stopped(client: ConnectClient, connector: str) -> None:
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            while True:
                status = await client.call("get_connector_status", connector=connector)
                if status.connector.state is State.STOPPED and not status.tasks:
                    return
                await asyncio.sleep(_PAUSE_S)
    except TimeoutError:
        raise RequestFailed(409, f"connector {connector} did not stop within {_STOP_TIMEOUT_S:.0f} s") from None


def _from_file(file: IO[str], connector: str) -> list[ConnectorOffset]:
    """The body of the REST API, or what `export` prints, of which the part of this connector counts."""
    try:
        text = file.read()
        if text.lstrip().startswith("["):
            exported = msgspec.json.decode(text, type=list[Exported])
            return [offset for each in exported if each.connector == connector for offset in each.offsets]
        return msgspec.json.decode(text, type=dict[str, list[ConnectorOffset]])["offsets"]
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError) as error:
        fail(f'{file.name}: {error}: expected {{"offsets": [...]}} as the REST API takes it', CommandExit.CONFIG)


def _object(option: str, text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text}: {error}", param_hint=option) from None
    if value is not None and not isinstance(value, dict):
        raise click.BadParameter(f"{text}: expected a JSON object", param_hint=option)
    return value
