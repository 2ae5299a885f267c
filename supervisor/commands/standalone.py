"""`connectd standalone`."""

from __future__ import annotations

import asyncio
import sys

import click
from setproctitle import setproctitle

from supervisor.commands.options import log_level_option
from supervisor.commands.running import start_logging
from supervisor.configuration.running import SUPERVISOR_TITLE
from supervisor.exit_codes import CommandExit
from supervisor.standalone import StandaloneWorker
from tasks.messages import LogSettings


@click.command()
@click.argument("worker", metavar="WORKER.properties")
@click.argument("connectors", nargs=-1, metavar="[CONNECTOR.properties|.json]...")
@log_level_option
def standalone(worker: str, connectors: tuple[str, ...], log_levels: tuple[str, ...]) -> None:
    """Run one worker by itself with the connectors of the given files, until SIGTERM or Ctrl+C.

    Takes the files of Kafka's connect-standalone as they are. SIGHUP reads the files again and applies what has changed,
    SIGUSR1 writes the state of everything to the log.
    """
    settings = start_logging(log_levels)
    setproctitle(SUPERVISOR_TITLE)
    sys.exit(asyncio.run(_run(worker, connectors, settings)))


async def _run(worker: str, connectors: tuple[str, ...], settings: LogSettings) -> CommandExit:
    return await StandaloneWorker(worker, connectors, settings).run()
