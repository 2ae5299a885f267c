"""What all commands that measure have in common: how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bench.processes import RunFailed, end_on_signals
from supervisor.embedded.errors import EmbeddedKafkaError

_INTERRUPTED = 130


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Around all that is started: a failure is told in a line, and an interruption, by SIGTERM too, ends the process."""
    end_on_signals()
    try:
        yield
    except (RunFailed, EmbeddedKafkaError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted; everything that was started has been stopped.", err=True)
        sys.exit(_INTERRUPTED)
