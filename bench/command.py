"""What all commands that measure have in common: their options, what their programs find, and how they end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from bench.processes import RunFailed, end_on_signals
from supervisor.embedded.errors import EmbeddedKafkaError

_INTERRUPTED = 130

F = TypeVar("F", bound=Callable[..., Any])

# The options of those that copy a file, and of those that run each system several times.
number_of_lines = click.option(
    "--records", default=2_000_000, show_default=True, help="Lines to copy, each of 99 bytes and its end."
)
number_of_runs = click.option("--repeats", default=3, show_default=True, help="Runs of each system; the median counts.")


class Names(click.ParamType[list[str]]):
    """Names out of a known set, separated by commas."""

    name = "names"

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known

    def convert(self, value: str | list[str], param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        names = value.split(",") if isinstance(value, str) else value
        for name in names:
            if name not in self._known:
                self.fail(f"{name!r} is not one of {', '.join(self._known)}", param, ctx)
        return names


def choice_of_cases(known: Iterable[str]) -> Callable[[F], F]:
    """The option `--cases`: all that are known unless some are named."""
    return _choice("cases", list(known))


def choice_of_systems(known: Iterable[str]) -> Callable[[F], F]:
    """The option `--systems`, in the same way."""
    return _choice("systems", list(known))


def _choice(what: str, known: Sequence[str]) -> Callable[[F], F]:
    return click.option(f"--{what}", type=Names(known), default=",".join(known), help=f"Some of the {what}, by commas.")


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Around all that is started: a failure is told in a line, and an interruption, by SIGTERM too, ends the process."""
    end_on_signals()
    # As where it is installed: modules that were compiled once.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        yield
    except (RunFailed, EmbeddedKafkaError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted; everything that was started has been stopped.", err=True)
        sys.exit(_INTERRUPTED)
