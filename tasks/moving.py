"""Moves a process to another Python interpreter: by exec, so that pid, channel, limits and who waits for it stay the same."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from connectd.errors import ConfigException
from plugins.discovery import interpreter_of
from plugins.discovery.interpreters import command, own_path, path_behind
from plugins.python_setting import EXPECTED, PLUGIN_PYTHON
from tasks import preload
from tasks.channel import LENGTH, ChildChannel, encode
from tasks.messages import (
    AlterOffsets,
    DescribePlugin,
    Order,
    ReplayLetters,
    RunConnector,
    RunTask,
    TryTransforms,
    Validate,
)
from tasks.secrets.references import find_references
from tasks.settings.connector import CONNECTOR_CLASS
from tasks.settings.worker import PLUGIN_PATH

# The module whose `main` goes on there.
_MOVED: Final = "tasks.moved"
# Until the new interpreter has handlers of its own: what is a question to us would end it.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)


class Home(msgspec.Struct, frozen=True):
    """The interpreter that connectd runs on, and where it has connectd from."""

    python: str
    path: list[str]


class Handover(msgspec.Struct, frozen=True):
    """What a process knows of itself, beyond the exec. Descriptors are numbers; without an `order` it waits for one.

    `python` is the interpreter that was moved to, empty for that of connectd.
    """

    python: str
    home: Home
    channel: int
    order: int | None
    inheritance: preload.Inheritance


class Interpreter:
    """The one that this process runs on; by default that of connectd, which is the `home` of all others."""

    def __init__(self, python: str = "", home: Home | None = None) -> None:
        self.python = python
        self._home = home

    def move(self, python: str, channel: ChildChannel, order: Order | None) -> None:
        """Go on in another interpreter, if it is not this one: then it does not return.

        Raises ConfigException if the other one cannot be used.
        """
        if python == self.python:
            return
        if self.python and self._home is not None:
            # Whether an interpreter can be used the one of connectd can tell.
            self._exec("", self._home.python, self._home.path, channel, order)
        self._exec(python, python, path_behind(python), channel, order)

    def _exec(self, name: str, python: str, path: list[str], channel: ChildChannel, order: Order | None) -> None:
        inheritance = preload.inheritance()
        number = None if order is None else _file_of(order)
        home = self._home or Home(sys.executable, own_path())
        handover = Handover(name, home, channel.fileno(), number, inheritance)
        _keep_open_only({handover.channel, number, inheritance.log, inheritance.stdout, inheritance.stdin})
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        os.execv(python, command(python, path, _MOVED, msgspec.json.encode(handover).decode()))  # noqa: S606


def interpreter_for(order: Order) -> str:
    """The interpreter that the plugin of this order is to run under; empty for that of connectd.

    That of the connector comes before that of its plugin folder before that of the worker. Raises ConfigException.
    """
    match order:
        case RunTask():
            config: Mapping[str, str | None] = order.connector_config
        case RunConnector() | Validate() | AlterOffsets() | TryTransforms() | ReplayLetters():
            config = order.config
        case DescribePlugin():
            config = {CONNECTOR_CLASS: order.name}
        case _:
            return ""
    worker = order.worker_config
    python = (
        config.get(PLUGIN_PYTHON)
        or interpreter_of(config.get(CONNECTOR_CLASS) or "", plugin_path(worker))
        or worker.get(PLUGIN_PYTHON)
    )
    return _absolute(python) if python else ""


def plugin_path(worker_config: Mapping[str, str]) -> list[str]:
    """The folders of `plugin.path`, of a configuration whose other keys may be wrong."""
    return [each.strip() for each in worker_config.get(PLUGIN_PATH, "").split(",") if each.strip()]


def default_interpreter(worker_config: Mapping[str, str]) -> str | None:
    """The interpreter of all plugins that have none of their own, None for that of connectd. Raises ConfigException."""
    python = worker_config.get(PLUGIN_PYTHON)
    return _absolute(python) if python else None


def _absolute(python: str) -> str:
    if any(find_references(python)):
        raise ConfigException(
            PLUGIN_PYTHON, python, f"{EXPECTED}; references to config providers are not resolved here"
        )
    # Not what a link points to: the interpreter of a virtual environment is one.
    return str(Path(python).expanduser().absolute())


def _file_of(order: Order) -> int:
    """The order in a file that is nowhere, for it may be larger than what a command line takes, and holds secrets."""
    descriptor = os.memfd_create("order", 0)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(encode(order)[LENGTH.size :])
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _keep_open_only(wanted: set[int | None]) -> None:
    for entry in Path("/proc/self/fd").iterdir():
        number = int(entry.name)
        if number > 2:
            with contextlib.suppress(OSError):  # that of the listing is closed by now
                os.set_inheritable(number, number in wanted)
