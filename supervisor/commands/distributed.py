"""`connectd distributed`."""

from __future__ import annotations

import asyncio
import sys

import click
from setproctitle import setproctitle

from supervisor.commands.options import log_level_option
from supervisor.commands.running import start_logging
from supervisor.configuration.running import SUPERVISOR_TITLE
from supervisor.distributed import DistributedWorker
from supervisor.exit_codes import CommandExit
from tasks.messages import LogSettings


@click.command()
@click.argument("worker", metavar="WORKER.properties")
@log_level_option
def distributed(worker: str, log_levels: tuple[str, ...]) -> None:
    """Run one worker of a cluster, until SIGTERM or Ctrl+C.

    Takes the file of Kafka's connect-distributed as it is. Workers with the same group.id share connectors, which are created
    over the REST API of any of them. SIGHUP reads the worker file and its connectors.directory again and applies what has
    changed, SIGUSR1 writes the state of everything that runs here to the log.
    """
    settings = start_logging(log_levels)
    setproctitle(SUPERVISOR_TITLE)
    sys.exit(asyncio.run(_run(worker, settings)))


async def _run(worker: str, settings: LogSettings) -> CommandExit:
    return await DistributedWorker(worker, (), settings).run()
