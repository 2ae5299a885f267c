"""The command line `connectd`. What a command needs is imported when it runs, for the start-up time counts."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from importlib import import_module
from typing import Any, Final, NoReturn

import click

# name -> module and object; imported on first use.
_COMMANDS: Final = {
    "standalone": "supervisor.commands.standalone:standalone",
    "distributed": "supervisor.commands.distributed:distributed",
    "check": "supervisor.commands.check:check",
    "plugins": "supervisor.commands.plugins:plugins",
    "dlq": "supervisor.commands.dlq:dlq",
    "transforms": "supervisor.commands.transforms:transforms",
    "config-docs": "supervisor.commands.config_docs:config_docs",
    "kafka": "supervisor.embedded.command:kafka",
    "get": "supervisor.commands.client.get:get",
    "describe": "supervisor.commands.client.describe:describe",
    "apply": "supervisor.commands.client.apply:apply",
    "patch": "supervisor.commands.client.patch:patch",
    "delete": "supervisor.commands.client.lifecycle:delete",
    "pause": "supervisor.commands.client.lifecycle:pause",
    "resume": "supervisor.commands.client.lifecycle:resume",
    "stop": "supervisor.commands.client.lifecycle:stop",
    "restart": "supervisor.commands.client.lifecycle:restart",
    "wait": "supervisor.commands.client.lifecycle:wait",
    "logs": "supervisor.commands.client.logs:logs",
    "top": "supervisor.commands.client.top:top",
    "offsets": "supervisor.commands.client.offsets:offsets",
    "config": "supervisor.commands.client.config:config",
    "completion": "supervisor.commands.completion:completion",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: Any = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="connectd", message="connectd %(version)s")
def cli() -> None:
    """Kafka Connect for Python: every connector task in a process of its own.

    Exit codes: 0 done, 2 wrong usage, 65 a worker turned a request down, 69 something needed is not available, 70 an error of
    connectd itself, 75 not in time, 78 a file is wrong.
    """


def main() -> None:
    """The entry point of the program."""
    runs_worker = sys.argv[1:2] in (["standalone"], ["distributed"]) and not {"-h", "--help"} & set(sys.argv)
    if runs_worker:
        # Without a handler it would end the process; whoever sends it now means files that are yet to be read.
        signal.signal(signal.SIGHUP, lambda number, frame: None)
        _prepare_worker()
    import_module("tasks.logs")  # first: it imports structlog in the cheap way
    try:
        cli(prog_name="connectd")
    except SystemExit as exit:
        if runs_worker and isinstance(exit.code, int):
            _end(exit.code)
        raise


def _prepare_worker() -> None:
    """What a worker begins with, for the sake of its memory."""
    from supervisor.bare_packages import import_bare
    from supervisor.own_memory import use_one_arena
    from supervisor.processes.forked import fork

    fork()
    use_one_arena()  # before the log has its thread
    import_bare()  # only here: tasks have whole packages


def _end(code: int) -> NoReturn:
    """Everything has been closed: not to wait for the destructors of Kafka's clients, which may take seconds."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
