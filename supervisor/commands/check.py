"""`connectd check`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence

import click
import msgspec

from supervisor.commands.options import output_option
from supervisor.commands.running import process_pool, start_logging
from supervisor.configuration.preview import Change, FileReport, preview
from supervisor.exit_codes import CommandExit
from supervisor.processes.pool import ProcessStartError
from tasks.messages import LogSettings


@click.command()
@click.argument("worker", metavar="WORKER.properties")
@click.argument("connectors", nargs=-1, metavar="[CONNECTOR.properties|.json]...")
@output_option
def check(worker: str, connectors: tuple[str, ...], output: str) -> None:
    """Validate a worker's files, its connectors by their own code, and start nothing.

    If the worker is running, its own connector files are checked too, and it is shown what SIGHUP would change.

    Exit code 78 when anything is wrong; warnings, such as unknown keys, leave it 0.
    """
    settings = start_logging(["ERROR"])
    try:
        reports = asyncio.run(_check(worker, connectors, settings))
    except ProcessStartError as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.UNAVAILABLE)
    if output == "json":
        click.echo(json.dumps([_as_json(report) for report in reports], indent=2, ensure_ascii=False))
    else:
        for report in reports:
            _print(report)
    sys.exit(CommandExit.OK if all(report.ok for report in reports) else CommandExit.CONFIG)


async def _check(worker: str, connectors: Sequence[str], settings: LogSettings) -> Sequence[FileReport]:
    async with process_pool() as pool:
        return await preview(worker, connectors, pool, settings)


def _as_json(report: FileReport) -> dict[str, object]:
    return {
        "file": report.file,
        "ok": report.ok,
        "errors": msgspec.to_builtins(report.errors),
        "warnings": report.warnings,
        "connector": report.connector,
        "change": msgspec.to_builtins(report.change),
    }


def _print(report: FileReport) -> None:
    verdict = click.style("ok", fg="green") if report.ok else click.style("wrong", fg="red")
    click.echo(f"{report.file}: {verdict}")
    for error in report.errors:
        click.echo(f"  {click.style('error', fg='red')}: {error.message}")
    for warning in report.warnings:
        click.echo(f"  {click.style('warning', fg='yellow')}: {warning}")
    if report.change is not None:
        what = f"connector {report.connector}" if report.connector else "this file"
        for line in _explained(what, report.change):
            click.echo(f"  {click.style('reload', fg='cyan')}: {line}")


def _explained(what: str, change: Change) -> Sequence[str]:
    match change.what:
        case "same":
            return []
        case "new":
            return [f"{what} is started"]
        case "removed":
            return [f"{what} is removed, its file is gone"]
        case "kept":
            return [f"{what} keeps running as it is"]
        case "left":
            return [f"{what} stays as it is: {change.why}"]
        case "unread":
            return [f"{what} is not read by the worker that runs"]
    lines = [f"{what} changes: {', '.join(change.keys)}"]
    if change.later:
        lines.append(f"for processes that start from then on: {', '.join(change.later)}")
    if change.restart:
        lines.append(f"only after a restart of the worker: {', '.join(change.restart)}")
    return lines
