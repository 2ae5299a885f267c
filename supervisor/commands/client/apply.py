"""`connectd apply`: connector files are brought to a cluster; what differs is shown, and nothing is done if one is wrong."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from supervisor.client.client import ConnectClient
from supervisor.client.errors import RequestFailed
from supervisor.commands.client.common import Cluster, cluster_options, fail, show_data
from supervisor.configuration.files import ConnectorFile, FileProblems, read_connector_files
from supervisor.exit_codes import CommandExit
from tasks.states import TargetState

_SUFFIXES: Final = (".properties", ".json")
_HIDDEN: Final = "[hidden]"
_INITIAL_STATES: Final = {
    TargetState.STARTED: "RUNNING",
    TargetState.PAUSED: "PAUSED",
    TargetState.STOPPED: "STOPPED",
}


class KeyChange(msgspec.Struct):
    """One key of a configuration; None where it is not set. Passwords are hidden."""

    key: str
    before: str | None
    after: str | None


class Applied(msgspec.Struct, kw_only=True):
    """What becomes of one file: `create`, `update` or `unchanged`."""

    file: str
    connector: str
    action: str
    changes: list[KeyChange]


class _Wrong(Exception):
    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@click.command()
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    required=True,
    metavar="FILE|FOLDER|-",
    help="Connector files, folders of them, or - for standard input; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@cluster_options
def apply(files: tuple[str, ...], dry_run: bool, output: str, cluster: Cluster) -> None:
    """Create the connectors in files, or give them their configurations.

    All files are validated by the cluster first: if one is wrong, nothing is changed, and the exit code is 78.
    """
    try:
        connectors = _read(files)
    except FileProblems as error:
        fail("\n".join(map(str, error.problems)), CommandExit.CONFIG)

    async def work(client: ConnectClient) -> list[Applied] | _Wrong:
        try:
            plan = [await _plan(client, file) for file in connectors]
        except _Wrong as error:
            return error
        if not dry_run:
            for file, applied in zip(connectors, plan, strict=True):
                await _carry_out(client, file, applied)
        return plan

    plan = cluster.run(work)
    if isinstance(plan, _Wrong):
        fail("\n".join(plan.problems), CommandExit.CONFIG)
    if output == "text":
        for applied in plan:
            _print(applied, dry_run=dry_run)
    else:
        show_data(output, plan)


def _read(paths: Sequence[str]) -> list[ConnectorFile]:
    """Raises FileProblems."""
    found: list[str] = []
    for path in paths:
        if Path(path).is_dir():
            found += sorted(str(file) for file in Path(path).iterdir() if file.suffix in _SUFFIXES)
        elif path != "-":
            found.append(path)
    files = read_connector_files(found)
    return [*files, *_from_input()] if "-" in paths else files


def _from_input() -> list[ConnectorFile]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "standard-input"
        path.write_bytes(sys.stdin.buffer.read())
        return [msgspec.structs.replace(file, path="-") for file in read_connector_files([str(path)])]


async def _plan(client: ConnectClient, file: ConnectorFile) -> Applied:
    """What there is to do. Raises _Wrong for a configuration that the cluster does not take."""
    try:
        before: dict[str, str] | None = await client.call("get_connector_config", connector=file.name)
    except RequestFailed as error:
        if error.status != 404:
            raise
        before = None
    if before == file.config:
        return Applied(file=file.path, connector=file.name, action="unchanged", changes=[])
    secret = await _validate(client, file)
    action = "create" if before is None else "update"
    return Applied(
        file=file.path, connector=file.name, action=action, changes=_changes(before or {}, file.config, secret)
    )


async def _validate(client: ConnectClient, file: ConnectorFile) -> set[str]:
    """The keys of passwords. Raises _Wrong."""
    class_name = file.config.get("connector.class")
    if not class_name:
        raise _Wrong([f"{file.path}: connector.class is missing: expected the class of a connector"])
    try:
        infos = await client.call("validate_configs", body=file.config, pluginName=class_name)
    except RequestFailed as error:
        raise _Wrong([f"{file.path}: {error}"]) from None
    wrong = [
        f"{file.path}: {error}"
        for info in infos.configs
        if info.value is not None
        for error in dict.fromkeys(info.value.errors)
    ]
    if wrong:
        raise _Wrong(wrong)
    return {info.definition.name for info in infos.configs if info.definition and info.definition.type == "PASSWORD"}


def _changes(before: Mapping[str, str], after: Mapping[str, str], secret: set[str]) -> list[KeyChange]:
    def shown(key: str, value: str | None) -> str | None:
        return _HIDDEN if key in secret and value is not None else value

    return [
        KeyChange(key, shown(key, before.get(key)), shown(key, after.get(key)))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


async def _carry_out(client: ConnectClient, file: ConnectorFile, applied: Applied) -> None:
    if applied.action == "create":
        body = {"name": file.name, "config": file.config, "initial_state": _INITIAL_STATES[file.target_state]}
        await client.call("create_connector", body=body)
    elif applied.action == "update":
        await client.call("put_connector_config", body=file.config, connector=file.name)


def _print(applied: Applied, *, dry_run: bool) -> None:
    done = {
        "create": "would be created" if dry_run else "created",
        "update": "would be updated" if dry_run else "updated",
        "unchanged": "unchanged",
    }
    click.echo(f"{applied.connector} {done[applied.action]}")
    for change in applied.changes:
        if change.before is not None:
            click.secho(f"  - {change.key}: {change.before}", fg="red")
        if change.after is not None:
            click.secho(f"  + {change.key}: {change.after}", fg="green")
