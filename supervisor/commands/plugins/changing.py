"""`connectd plugins install` and `remove`."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from plugins.installing.downloads import is_url
from plugins.installing.errors import PluginRefused, PluginUnavailable
from plugins.installing.installation import Progress, Request
from plugins.installing.installation import install as install_plugin
from plugins.installing.maven import Coordinate
from plugins.installing.places import opened, writable_folder
from supervisor.commands.running import process_pool, start_logging
from supervisor.configuration.files import FileProblems
from supervisor.configuration.secrets import WorkerSecrets
from supervisor.configuration.start import load_worker, worker_kind
from supervisor.exit_codes import CommandExit
from tasks.messages import LogSettings

Command = TypeVar("Command", bound=Callable[..., Any])

_COORDINATE: Final = re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+")


def _folder_options(option: str) -> Callable[[Command], Command]:
    """Where: a folder, or a worker file whose `plugin.path` names it."""

    def add(command: Command) -> Command:
        folder = click.option(option, "folder", metavar="FOLDER", help="The folder that plugin folders are in.")
        worker = click.option(
            "--worker",
            metavar="WORKER.properties",
            help="Instead of a folder: the last one in this worker's plugin.path that can be written to.",
        )
        return folder(worker(command))

    return add


@click.command()
@click.argument("source", metavar="GROUP:ARTIFACT:VERSION|FILE|URL")
@click.option("--classifier", default="", help="Of a Maven artifact: for example `plugin` for Debezium's archives.")
@click.option(
    "--type",
    "type_",
    type=click.Choice(["jar", "zip", "tar.gz"]),
    default="jar",
    show_default=True,
    help="Of a Maven artifact. A jar comes with its runtime dependencies, an archive has them in it.",
)
@_folder_options("--into")
@click.option("--name", help="Of the plugin's folder, instead of the artifact's or the archive's name.")
@click.option("--sha256", metavar="HEX", help="What the archive or the plugin's own jar must have.")
@click.option("--upgrade", is_flag=True, help="Replace what was installed under this name.")
def install(
    source: str,
    classifier: str,
    type_: str,
    folder: str | None,
    worker: str | None,
    name: str | None,
    sha256: str | None,
    upgrade: bool,
) -> None:
    """Install a plugin written in Java: from Maven's repositories, or from an archive as Confluent Hub and Debezium have them.

    It gets a folder of its own, with all it needs, which appears only when everything in it is there and verified.
    """
    wanted: Coordinate | str = source
    if _COORDINATE.fullmatch(source) and not is_url(source):
        group, artifact, version = source.split(":")
        wanted = Coordinate(group, artifact, version, classifier, type_)
    elif classifier or type_ != "jar":
        raise click.UsageError("--classifier and --type are for Maven's artifacts: GROUP:ARTIFACT:VERSION")
    settings = start_logging(["ERROR"])
    with _failures(), opened(_place(folder, worker, settings)) as place:
        with _Bar() as bar:
            progress = Progress(lambda line: click.echo(line, err=True), bar.received)
            done = install_plugin(Request(wanted, name, sha256, upgrade), place, progress)
        click.echo(f"Installed in {done.folder}:")
        for each in done.plugins:
            click.echo(f"  {each.kind} {each.name} {each.version}")


@click.command()
@click.argument("name")
@_folder_options("--from")
@click.option("--force", is_flag=True, help="Even if files were added or changed since.")
def remove(name: str, folder: str | None, worker: str | None, force: bool) -> None:
    """Remove a plugin folder that `install` has made."""
    settings = start_logging(["ERROR"])
    with _failures(), opened(_place(folder, worker, settings)) as place:
        place.remove(name, force=force)
        click.echo(f"Removed {place.folder / name}")


def _place(folder: str | None, worker: str | None, settings: LogSettings) -> Path:
    if (folder is None) == (worker is None):
        raise click.UsageError("which folder of plugins? Name it, or a worker file with --worker")
    if folder is not None:
        return Path(folder).absolute()
    assert worker is not None
    return writable_folder(asyncio.run(_plugin_path(worker, settings)))


async def _plugin_path(worker: str, settings: LogSettings) -> list[str]:
    async with process_pool() as pool:
        _, config = await load_worker(worker, WorkerSecrets(pool, settings).resolve, worker_kind(worker))
    return list(config.plugin_path)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except FileProblems as error:
        _end(error, CommandExit.CONFIG)
    except PluginRefused as error:
        _end(error, CommandExit.REFUSED)
    except PluginUnavailable as error:
        _end(error, CommandExit.UNAVAILABLE)


def _end(error: Exception, code: CommandExit) -> None:
    click.echo(str(error), err=True)
    sys.exit(code)


class _Bar:
    """How much of a download has come, on a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None

    def received(self, count: int, total: int | None) -> None:
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label="Fetching", file=sys.stderr)
        self._bar.update(count - self._bar.pos)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.render_finish()
