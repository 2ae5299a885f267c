"""`connectd dlq list|show|replay`: what is in dead letter queues, why, and back with it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import click

from connectd.errors import ConnectException
from supervisor.commands.no_worker import NO_WORKER
from supervisor.commands.options import output_option
from supervisor.commands.running import process_pool, start_logging
from supervisor.commands.table import print_table
from supervisor.configuration.files import FileProblems, read_connector_file
from supervisor.configuration.secrets import WorkerSecrets
from supervisor.configuration.start import load_worker, worker_kind
from supervisor.exit_codes import CommandExit
from supervisor.inquiries.inquiry import InquiryFailed, InquiryRefused, ask
from supervisor.processes.pool import ProcessStartError
from tasks.errors import headers
from tasks.letters import Letter, queues, read, reader
from tasks.messages import LetterFilter, LetterReplayed, LettersReplayed, Reason, ReplayLetters
from tasks.refusal import Refusal
from tasks.settings import WorkerConfig

Command = TypeVar("Command", bound=Callable[..., Any])

# Enough to say what a queue is about.
_SAMPLE = 100
_AROUND_S = 60.0
_MOST = 1_000_000_000
_AGO = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class When(click.ParamType[int]):
    """A point in time as ms since 1970: ISO 8601, UTC unless it says otherwise, or how long ago: 30m, 2h, 1d."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        now = datetime.datetime.now(datetime.UTC)
        if match := _AGO.fullmatch(value):
            now -= datetime.timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
            return int(now.timestamp() * 1000)
        try:
            found = datetime.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: expected for example 2026-01-31T12:00 or 2h", param, ctx)
        return int((found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp() * 1000)


def _kafka_options(command: Command) -> Command:
    for option in (
        click.option(
            "--timeout", "timeout_s", default=30.0, show_default=True, help="For Kafka's answers, in seconds."
        ),
        click.option("--bootstrap-server", metavar="HOST:PORT", help="Where Kafka is, if no worker file says so."),
        click.option("--worker", metavar="WORKER.properties", help="For where Kafka is, and its credentials."),
    ):
        command = option(command)
    return command


def _filter_options(command: Command) -> Command:
    for option in (
        click.option("--limit", type=click.IntRange(1), help="No more than so many, the oldest first."),
        click.option("--until", "until_ms", type=When(), help="Records with an earlier timestamp than this."),
        click.option(
            "--since", "since_ms", type=When(), help="Records of this time or later, or for example of the last 2h."
        ),
        click.option("--at", type=int, help="The letter at this offset of the queue."),
        click.option("--offset", type=int, help="Of records that had this offset."),
        click.option("--partition", type=int, help="Of records that were in this partition."),
        click.option(
            "--from-topic", "topic", metavar="TOPIC", help="Of records that were in, or meant for, this topic."
        ),
        click.option("--exception", metavar="TEXT", help="Errors whose class has this in its name."),
        click.option("--stage", metavar="STAGE", help="TRANSFORMATION, KEY_CONVERTER, VALUE_CONVERTER, TASK_PUT, ..."),
        click.option("--of", "connector", metavar="NAME", help="Of the connector with this name."),
    ):
        command = option(command)
    return command


@click.group()
def dlq() -> None:
    """Work with dead letter queues: topics with records that connectors could not process."""


@dlq.command(name="list")
@_kafka_options
@output_option
def list_(worker: str | None, bootstrap_server: str | None, timeout_s: float, output: str) -> None:
    """List the topics that are dead letter queues, by the headers of their newest records."""
    with _errors_explained():
        settings = _worker(worker, bootstrap_server)
        with reader(settings) as consumer:
            samples = [
                (queue, list(read(consumer, queue, timeout_s, _SAMPLE))) for queue in queues(consumer, timeout_s)
            ]
    rows = [_summary(queue, sample) for queue, sample in samples if any(each.context for each in sample)]
    if output == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        names = ("queue", "newest_offset", "newest", "connectors", "reasons")
        print_table(
            [name.upper().replace("_", " ") for name in names], [[_cell(row[name]) for name in names] for row in rows]
        )


@dlq.command()
@click.argument("queue", metavar="TOPIC")
@_kafka_options
@_filter_options
@output_option
def show(
    queue: str,
    worker: str | None,
    bootstrap_server: str | None,
    timeout_s: float,
    limit: int | None,
    output: str,
    **by: Any,
) -> None:
    """Show the records of a dead letter queue with the reason. --output json shows all: key, value, headers, stack trace."""
    with _errors_explained():
        letters = _chosen(_worker(worker, bootstrap_server), queue, LetterFilter(**by), limit, timeout_s)
    if output == "json":
        click.echo(json.dumps([_as_json(each) for each in letters], indent=2, ensure_ascii=False))
    else:
        heads = ("OFFSET", "TIME", "CONNECTOR", "STAGE", "RECORD", "ERROR", "REPLAYED")
        print_table(heads, [_row(each) for each in letters])


@dlq.command()
@click.argument("queue", metavar="TOPIC")
@click.option(
    "--to",
    type=click.Choice(["topic", "pipeline"]),
    default="topic",
    show_default=True,
    help="Back to their topic, or here and now through a connector.",
)
@click.option(
    "--connector", "connector_file", metavar="CONNECTOR.json", help="The mended connector, for --to pipeline."
)
@click.option("--target", metavar="TOPIC", help="Another topic than the one that the records came from.")
@click.option(
    "--max-replays", default=1, show_default=True, help="Skip what was written back so often and has failed again."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@_kafka_options
@_filter_options
@output_option
def replay(
    queue: str,
    to: str,
    connector_file: str | None,
    target: str | None,
    max_replays: int,
    dry_run: bool,
    worker: str | None,
    bootstrap_server: str | None,
    timeout_s: float,
    limit: int | None,
    output: str,
    **by: Any,
) -> None:
    """Process records of a dead letter queue again. They stay in the queue.

    Back to the topic they get the key, value, timestamp and headers that they had, and a header that counts how often they were
    replayed. Exit code 65 if one could not be replayed.
    """
    if (to == "pipeline") != (connector_file is not None):
        raise click.UsageError("--to pipeline and --connector belong together")
    chosen_by = LetterFilter(**by)
    with _errors_explained():
        settings = _worker(worker, bootstrap_server)
        letters = _chosen(settings, queue, chosen_by, limit, timeout_s)
        if to == "topic":
            results = _to_topic(settings, letters, target, max_replays, timeout_s, dry_run=dry_run)
        elif dry_run:
            results = [(each, "would be put through the pipeline") for each in letters]
        else:
            order = _order(connector_file or "", worker, bootstrap_server, queue, chosen_by, len(letters), timeout_s)
            results = _through_pipeline(letters, order) if letters else []
    if output == "json":
        click.echo(json.dumps([{**_as_json(each), "outcome": outcome} for each, outcome in results], indent=2))
    else:
        print_table(
            ("OFFSET", "RECORD", "OUTCOME"), [(str(each.offset), each.origin, outcome) for each, outcome in results]
        )
    sys.exit(CommandExit.REFUSED if any(outcome.startswith("failed") for _, outcome in results) else CommandExit.OK)


# --- reading ----------------------------------------------------------------------------------------------------------


def _worker(worker: str | None, bootstrap_server: str | None) -> WorkerConfig:
    """The worker's configuration with values for references. Raises FileProblems."""
    return WorkerConfig({**NO_WORKER, **_bootstrap(bootstrap_server)}) if worker is None else _loaded(worker)[1]


def _bootstrap(bootstrap_server: str | None) -> dict[str, str]:
    return {} if bootstrap_server is None else {"bootstrap.servers": bootstrap_server}


def _loaded(worker: str) -> tuple[dict[str, str], WorkerConfig]:
    settings = start_logging(["ERROR"])

    async def load() -> tuple[dict[str, str], WorkerConfig]:
        async with process_pool() as pool:
            return await load_worker(worker, WorkerSecrets(pool, settings).resolve, worker_kind(worker))

    return asyncio.run(load())


def _chosen(
    worker: WorkerConfig, queue: str, chosen_by: LetterFilter, limit: int | None, timeout_s: float
) -> list[Letter]:
    with reader(worker) as consumer:
        return [each for each in read(consumer, queue, timeout_s) if each.is_chosen(chosen_by)][:limit]


@contextlib.contextmanager
def _errors_explained() -> Iterator[None]:
    try:
        yield
    except FileProblems as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.CONFIG)
    except (Refusal, InquiryRefused) as error:
        click.echo(str(error), err=True)
        unavailable = error.reason in (Reason.UNAVAILABLE, Reason.FAILED)
        sys.exit(CommandExit.UNAVAILABLE if unavailable else CommandExit.CONFIG)
    except (InquiryFailed, ProcessStartError, ConnectException) as error:
        click.echo(str(error), err=True)
        sys.exit(CommandExit.UNAVAILABLE)


# --- replaying --------------------------------------------------------------------------------------------------------


def _to_topic(
    worker: WorkerConfig, letters: Sequence[Letter], target: str | None, most: int, timeout_s: float, *, dry_run: bool
) -> list[tuple[Letter, str]]:
    from tasks.writing_back import refusal, write_back

    results: list[tuple[Letter, str]] = []
    wanted: list[tuple[Letter, str]] = []
    for letter in letters:
        topic = target or letter.text(headers.TOPIC)
        reason = refusal(letter, topic, most)
        if reason is None and topic is not None:
            wanted.append((letter, topic))
        else:
            results.append((letter, f"skipped: {reason}"))
    if dry_run:
        results += [(letter, f"would be written to {topic}") for letter, topic in wanted]
    else:
        errors = write_back(worker, wanted, timeout_s)
        results += [
            (letter, f"written to {topic}" if error is None else f"failed: {error}")
            for (letter, topic), error in zip(wanted, errors, strict=True)
        ]
    return sorted(results, key=lambda result: (result[0].partition, result[0].offset))


def _order(
    connector: str,
    worker: str | None,
    bootstrap_server: str | None,
    queue: str,
    chosen_by: LetterFilter,
    limit: int,
    timeout_s: float,
) -> ReplayLetters:
    log = start_logging(["ERROR"])
    worker_config = {**NO_WORKER, **_bootstrap(bootstrap_server)} if worker is None else _loaded(worker)[0]
    return ReplayLetters(
        config=read_connector_file(connector).config,
        worker_config=worker_config,
        log=log,
        queue=queue,
        filter=chosen_by,
        limit=limit,
        timeout_s=timeout_s,
    )


def _through_pipeline(letters: Sequence[Letter], order: ReplayLetters) -> list[tuple[Letter, str]]:
    async def replay_them() -> LettersReplayed:
        async with process_pool() as pool:
            return await ask(pool, order, LettersReplayed, order.timeout_s + _AROUND_S)

    outcomes = {(each.partition, each.offset): _outcome(each) for each in asyncio.run(replay_them()).letters}
    return [(each, outcomes.get((each.partition, each.offset), "not there any more")) for each in letters]


def _outcome(replayed: LetterReplayed) -> str:
    if replayed.error is not None:
        return f"failed: {replayed.error}"
    return "dropped by a transformation" if replayed.dropped else "written"


# --- showing ----------------------------------------------------------------------------------------------------------


def _summary(queue: str, sample: Sequence[Letter]) -> dict[str, Any]:
    reasons = Counter(
        f"{each.text(headers.STAGE)} {_short(each.text(headers.EXCEPTION))}" for each in sample if each.context
    )
    newest = max(sample, key=lambda each: (each.time_ms or 0, each.offset))
    return {
        "queue": queue,
        "newest_offset": newest.offset,
        "newest": _time(newest.time_ms),
        "connectors": sorted({each.text(headers.CONNECTOR) or "?" for each in sample if each.context}),
        "reasons": dict(reasons.most_common()),
    }


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {count}" for name, count in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _row(letter: Letter) -> list[str]:
    error = _short(letter.text(headers.EXCEPTION))
    message = (letter.text(headers.MESSAGE) or "").partition("\n")[0]
    return [
        str(letter.offset),
        _time(letter.time_ms),
        f"{letter.text(headers.CONNECTOR) or '?'}-{letter.text(headers.TASK) or '?'}",
        letter.text(headers.STAGE) or "?",
        letter.origin,
        f"{error}: {message}" if message else error,
        str(letter.replayed),
    ]


def _short(name: str | None) -> str:
    return (name or "?").rpartition(".")[2]


def _time(time_ms: int | None) -> str:
    if time_ms is None:
        return "?"
    return datetime.datetime.fromtimestamp(time_ms / 1000, datetime.UTC).isoformat(timespec="milliseconds")


def _as_json(letter: Letter) -> dict[str, Any]:
    return {
        "queue": letter.queue,
        "partition": letter.partition,
        "offset": letter.offset,
        "time": _time(letter.time_ms),
        "key": _bytes(letter.key),
        "value": _bytes(letter.value),
        "headers": [[name, _bytes(value)] for name, value in letter.headers],
        "context": {name.removeprefix(headers.PREFIX): letter.text(name) for name in letter.context},
        "replayed": letter.replayed,
    }


def _bytes(value: bytes | None) -> Any:
    """Text where it is one."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}
