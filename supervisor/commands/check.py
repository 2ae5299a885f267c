"""`connectd check`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from supervisor.commands.options import output_option
from supervisor.commands.running import process_pool, start_logging
from supervisor.configuration import load, unknown_key_warnings
from supervisor.exit_codes import CommandExit
from supervisor.files import FileProblems, Problem
from supervisor.pool import ProcessStartError
from supervisor.secrets import WorkerSecrets
from supervisor.validation import validate_files
from tasks.messages import LogSettings


@click.command()
@click.argument("worker", metavar="WORKER.properties")
@click.argument("connectors", nargs=-1, metavar="[CONNECTOR.properties|.json]...")
@output_option
def check(worker: str, connectors: tuple[str, ...], output: str) -> None:
    """Validate a worker's files, its connectors by their own code, and start nothing.

    Exit code 78 when anything is wrong; warnings, such as unknown keys, leave it 0.
    """
    settings = start_logging(["ERROR"])
    try:
        report = asyncio.run(_check(worker, connectors, settings))
    except ProcessStartError as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.UNAVAILABLE)
    if output == "json":
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print(report)
    sys.exit(CommandExit.OK if all(file["ok"] for file in report) else CommandExit.CONFIG)


async def _check(worker: str, connectors: Sequence[str], settings: LogSettings) -> list[dict[str, Any]]:
    async with process_pool() as pool:
        try:
            configuration = await load(worker, connectors, WorkerSecrets(pool, settings).resolve)
        except FileProblems as error:
            return [_report(path, error.problems, []) for path in dict.fromkeys((worker, *connectors, *_files(error)))]
        outcomes = await validate_files(pool, configuration.properties, settings, configuration.connectors)
    return [
        _report(worker, [], unknown_key_warnings(configuration.unknown_keys)),
        *(_report(each.path, each.problems, unknown_key_warnings(each.unknown_keys)) for each in outcomes),
    ]


def _files(error: FileProblems) -> list[str]:
    return [problem.file for problem in error.problems]


def _report(path: str, problems: Sequence[Problem], warnings: Sequence[str]) -> dict[str, Any]:
    errors = [{"key": problem.key, "message": problem.message} for problem in problems if problem.file == path]
    return {"file": path, "ok": not errors, "errors": errors, "warnings": list(warnings)}


def _print(report: Sequence[dict[str, Any]]) -> None:
    for file in report:
        click.echo(f"{file['file']}: {click.style('ok', fg='green') if file['ok'] else click.style('wrong', fg='red')}")
        for error in file["errors"]:
            click.echo(f"  {click.style('error', fg='red')}: {error['message']}")
        for warning in file["warnings"]:
            click.echo(f"  {click.style('warning', fg='yellow')}: {warning}")
