"""`connectd kafka`: the embedded Kafka as a command, for anyone's development use."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from .broker import cluster_id, stop_broker
from .data_folder import DataFolder
from .embedded import EmbeddedKafka
from .errors import EmbeddedKafkaError
from .files import read_properties
from .folders import default_data_dir
from .security import MECHANISMS
from .settings import KAFKA_VERSION

NOT_ANSWERING = 1
NOT_RUNNING = 3

_ANSWER_TIMEOUT_S = 5.0

_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder; topics stay in it from start to start.  [default: connectd/kafka in $XDG_STATE_HOME or ~/.local/state]",
)
_output = click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)


def _check_heap(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if value[:-1].isdecimal() and value[-1:].lower() in ("k", "m", "g"):
        return value
    raise click.BadParameter(f"{value!r}: expected a number with the unit k, m or g, such as 512m")


@click.group
def kafka() -> None:
    """A real Apache Kafka for development and tests: nothing to install, one node, on 127.0.0.1 only.

    \b
    Exit codes: 0 done; 1 the broker did not start, stop or answer; 2 wrong usage; 3 no broker runs (status);
    4 port taken; 5 data folder in use, not writable, full or written by a newer Kafka; 6 jars cannot be
    fetched or are not the pinned ones; 7 `pip install 'connectd[kafka]'` is missing.
    """


@kafka.command
@click.option("--port", type=click.IntRange(0, 65535), default=9092, show_default=True, help="0 picks a free one.")
@_data
@click.option("--version", default=KAFKA_VERSION, show_default=True, help="Apache Kafka version, from 4.0.0 on.")
@click.option("--heap", default="512m", show_default=True, callback=_check_heap, help="Memory of the Java heap.")
@click.option("--tls", is_flag=True, help="Encrypt, with a test authority made in the data folder.")
@click.option("--sasl", type=click.Choice([name.lower() for name in MECHANISMS]), help="Clients must log in.")
@click.option("--foreground", is_flag=True, help="Stay attached; Ctrl+C or SIGTERM stops the broker.")
@_output
def start(
    port: int, data: Path | None, version: str, heap: str, tls: bool, sasl: str | None, foreground: bool, output: str
) -> None:
    """Start the broker and return when it answers.

    How to connect is written to client.properties (Java's names) and librdkafka.properties in the data folder.
    """
    folder = data or default_data_dir()
    mechanism = sasl.upper() if sasl else None
    broker = EmbeddedKafka(
        folder,
        port=port,
        version=version,
        heap=heap,
        tls=tls,
        sasl=mechanism,
        parent_bound=foreground,
        progress=partial(click.echo, err=True),
    )
    with _errors_as_exit_codes():
        if foreground:
            _run_attached(broker, output)
        else:
            broker.start()
            _show(_describe(broker.data), output)


@kafka.command
@_data
@click.option("--timeout", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds to wait.")
def stop(data: Path | None, timeout: float) -> None:
    """Stop the broker of a data folder cleanly. No error when none runs."""
    folder = DataFolder(data or default_data_dir())
    with _errors_as_exit_codes():
        stopped = stop_broker(folder, timeout)
    click.echo(f"{'Stopped' if stopped else 'No broker runs in'} {folder.path}")


@kafka.command
@_data
@_output
def status(data: Path | None, output: str) -> None:
    """Say whether the broker of a data folder runs and answers (exit code 0; 1 when it does not answer, 3 when none runs)."""
    folder = DataFolder(data or default_data_dir())
    with _errors_as_exit_codes():
        state = _describe(folder)
    _show(state, output)
    if state["state"] != "running":
        sys.exit(NOT_RUNNING if state["state"] == "stopped" else NOT_ANSWERING)


def _run_attached(broker: EmbeddedKafka, output: str) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with broker:
            _show(_describe(broker.data), output)
            code = broker.wait()
            raise EmbeddedKafkaError(f"the broker ended with exit code {code}; see {broker.data.log}")
    except KeyboardInterrupt:
        click.echo("Stopped", err=True)


def _describe(folder: DataFolder) -> dict[str, str | int]:
    """State of a folder's broker: running, not answering or stopped; and where it is."""
    record = folder.broker()
    if not record:
        return {"state": "stopped", "data": str(folder.path)}
    client = read_properties(folder.path / "librdkafka.properties")
    answers = cluster_id(client, _ANSWER_TIMEOUT_S) == folder.cluster_id
    return {
        "state": "running" if answers else "not answering",
        "bootstrap_servers": record["bootstrap_servers"],
        "version": record["version"],
        "security_protocol": record["security_protocol"],
        "sasl_mechanism": record["sasl_mechanism"],
        "pid": int(record["pid"]),
        "since": record["since"],
        "data": str(folder.path),
        "log": str(folder.log),
        "client_properties": str(folder.path / "client.properties"),
    }


def _show(state: Mapping[str, str | int], output: str) -> None:
    if output == "json":
        click.echo(json.dumps(state))
        return
    for name, value in state.items():
        if value != "":
            click.echo(f"{name.replace('_', ' '):<18} {value}")


@contextmanager
def _errors_as_exit_codes() -> Iterator[None]:
    try:
        yield
    except EmbeddedKafkaError as error:
        click.echo(f"connectd kafka: {error}", err=True)
        sys.exit(error.exit_code)
