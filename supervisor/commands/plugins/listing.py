"""`connectd plugins list`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence

import click
import msgspec

from supervisor.commands.no_worker import NO_WORKER
from supervisor.commands.options import output_option
from supervisor.commands.running import process_pool, start_logging
from supervisor.commands.table import print_table
from supervisor.configuration.files import FileProblems
from supervisor.configuration.secrets import WorkerSecrets
from supervisor.configuration.start import load_worker, worker_kind
from supervisor.exit_codes import CommandExit
from supervisor.inquiries.inquiry import InquiryFailed, InquiryRefused, ask
from supervisor.processes.pool import ProcessStartError
from tasks.messages import ListPlugins, LogSettings, PluginInfo, Plugins


@click.command("list")
@click.argument("worker", required=False, metavar="[WORKER.properties]")
@click.option("--plugin-path", metavar="FOLDER[,FOLDER...]", help="Folders of plugin folders, instead of the worker's.")
@output_option
def show(worker: str | None, plugin_path: str | None, output: str) -> None:
    """List the plugins that a worker would find, those that cannot be loaded with the reason."""
    settings = start_logging(["ERROR"])
    try:
        found = asyncio.run(_list(worker, plugin_path, settings))
    except FileProblems as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.CONFIG)
    except (InquiryFailed, InquiryRefused, ProcessStartError) as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.UNAVAILABLE)
    if output == "json":
        click.echo(json.dumps([msgspec.to_builtins(each) for each in found], indent=2, ensure_ascii=False))
    else:
        _print(found)


async def _list(worker: str | None, plugin_path: str | None, settings: LogSettings) -> Sequence[PluginInfo]:
    worker_config = dict(NO_WORKER)
    async with process_pool() as pool:
        if worker is not None:
            worker_config, _ = await load_worker(worker, WorkerSecrets(pool, settings).resolve, worker_kind(worker))
        if plugin_path is not None:
            worker_config["plugin.path"] = plugin_path
        answer = await ask(pool, ListPlugins(worker_config=worker_config, log=settings), Plugins)
    return sorted(answer.plugins, key=lambda each: (each.kind, each.name))


def _print(found: Sequence[PluginInfo]) -> None:
    rows = [(each.kind, each.name, each.version, each.runtime, each.location) for each in found if each.error is None]
    print_table(("KIND", "NAME", "VERSION", "RUNTIME", "LOCATION"), rows)
    for each in found:
        if each.error is not None:
            click.echo(f"{click.style('broken', fg='red')}: {each.name} in {each.location}: {each.error}")
