"""What commands that start processes have in common: logs, and a pool of processes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import click

from supervisor.logs.formats import log_format, stderr_descriptor
from supervisor.logs.log import start_log
from supervisor.processes.pool import ProcessPool
from tasks.logs import parse_levels
from tasks.messages import LogSettings


def start_logging(assignments: Sequence[str]) -> LogSettings:
    """Configure the logs of this process as the command line and the environment say; the same is meant for children."""
    try:
        levels = parse_levels(list(assignments))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--log-level") from error
    try:
        format = log_format(stderr_descriptor())
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    start_log(format, levels)
    return LogSettings(levels=levels)


@contextlib.asynccontextmanager
async def process_pool() -> AsyncIterator[ProcessPool]:
    """A pool whose processes end with the block."""
    pool = ProcessPool()
    try:
        yield pool
    finally:
        await pool.close()
