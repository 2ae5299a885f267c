"""`connectd transforms try`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from connectd.errors import ConnectException
from supervisor.commands.no_worker import NO_WORKER
from supervisor.commands.options import output_option
from supervisor.commands.running import process_pool, start_logging
from supervisor.configuration.files import FileProblems, read_connector_file
from supervisor.configuration.secrets import WorkerSecrets
from supervisor.configuration.start import load_worker, worker_kind
from supervisor.exit_codes import CommandExit
from supervisor.inquiries.inquiry import InquiryFailed, InquiryRefused, ask
from supervisor.processes.pool import ProcessStartError
from tasks.messages import LogSettings, Reason, RecordTried, StepTried, TransformsTried, TryTransforms

_DEFAULT_LIMIT = 10
# For the child's start and the import of plugins, beyond the time that Kafka has.
_AROUND_S = 60.0


@click.group()
def transforms() -> None:
    """Work with the transformations of a connector."""


@transforms.command(name="try")
@click.argument("connector", metavar="CONNECTOR.json|.properties")
@click.option("--worker", metavar="WORKER.properties", help="For its converters, plugin path and Kafka.")
@click.option(
    "--records",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Records, one JSON a line; - reads standard input.",
)
@click.option("--topic", metavar="TOPIC", help="Read records from this topic, from its beginning.")
@click.option(
    "--limit", default=_DEFAULT_LIMIT, show_default=True, type=click.IntRange(1), help="How many records at the most."
)
@click.option("--timeout", "timeout_s", default=30.0, show_default=True, help="For reading the topic, in seconds.")
@output_option
def try_(
    connector: str,
    worker: str | None,
    records: str | None,
    topic: str | None,
    limit: int,
    timeout_s: float,
    output: str,
) -> None:
    """Show what the transformations make of records, after each of them. Nothing is written, no group is joined.

    A line of the records is a value, or an object with value and any of key, topic, partition, offset, timestamp, headers.
    For a sink texts are what its converters read, and all else is JSON; for a source an object with schema and payload has that
    schema. Exit code 65 if a record fails.
    """
    if (records is None) == (topic is None):
        raise click.UsageError("Expected either --records or --topic")
    settings = start_logging(["ERROR"])
    try:
        lines = [] if records is None else _lines(records)[:limit]
        tried = asyncio.run(_try(connector, worker, lines, topic, limit, timeout_s, settings))
    except FileProblems as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.CONFIG)
    except InquiryRefused as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.UNAVAILABLE if error.reason is Reason.UNAVAILABLE else CommandExit.CONFIG)
    except (InquiryFailed, ProcessStartError, ConnectException, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.UNAVAILABLE)
    if output == "json":
        click.echo(json.dumps([_as_json(each) for each in tried], indent=2, ensure_ascii=False))
    else:
        for each in tried:
            _print(each)
    failed = any(each.error or any(step.error for step in each.steps) for each in tried)
    sys.exit(CommandExit.REFUSED if failed else CommandExit.OK)


def _lines(path: str) -> list[bytes]:
    data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    return [line for line in data.splitlines() if line.strip()]


async def _try(
    connector: str,
    worker: str | None,
    lines: list[bytes],
    topic: str | None,
    limit: int,
    timeout_s: float,
    settings: LogSettings,
) -> list[RecordTried]:
    config = read_connector_file(connector).config
    async with process_pool() as pool:
        worker_config = dict(NO_WORKER)
        if worker is not None:
            worker_config, _ = await load_worker(worker, WorkerSecrets(pool, settings).resolve, worker_kind(worker))
        order = TryTransforms(
            config=config,
            worker_config=worker_config,
            log=settings,
            records=lines,
            topic=topic,
            limit=limit,
            timeout_s=timeout_s,
        )
        return (await ask(pool, order, TransformsTried, timeout_s + _AROUND_S)).records


def _as_json(tried: RecordTried) -> dict[str, Any]:
    return {
        "record": tried.place,
        "before": tried.before and json.loads(tried.before),
        "error": tried.error,
        "steps": [
            {
                "alias": step.alias,
                "transformation": step.transformation,
                "outcome": _outcome(step),
                "after": step.after and json.loads(step.after),
                "error": step.error,
            }
            for step in tried.steps
        ],
    }


def _outcome(step: StepTried) -> str:
    if step.error is not None:
        return "failed"
    if not step.applied:
        return "not chosen by its predicate"
    return "dropped" if step.after is None else "applied"


def _print(tried: RecordTried) -> None:
    click.echo(click.style(tried.place, bold=True))
    if tried.error is not None:
        click.echo(f"  {click.style('cannot be converted', fg='red')}: {tried.error}")
        return
    before = json.loads(tried.before or b"{}")
    for name, value in before.items():
        if value not in (None, []):
            click.echo(f"  {name}: {_text(value)}")
    for step in tried.steps:
        outcome = _outcome(step)
        colour = {"failed": "red", "dropped": "yellow"}.get(outcome)
        click.echo(f"  {click.style(step.alias, fg='cyan')} ({step.transformation}): {click.style(outcome, fg=colour)}")
        if step.error is not None:
            click.echo(f"    {step.error}")
        elif step.after is not None and step.applied:
            after = json.loads(step.after)
            changed = [name for name in after if after[name] != before[name]]
            for name in changed:
                click.echo(f"    {name}: {_text(after[name])}")
            if not changed:
                click.echo("    (nothing changed)")
            before = after


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
