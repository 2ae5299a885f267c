"""What all commands of the client share: their options, running them, and showing what came back."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NoReturn, TypeVar

import click
import msgspec

from supervisor.client.client import ConnectClient
from supervisor.client.contexts import Context, contexts_path, read_contexts
from supervisor.client.errors import ContextError, RequestFailed, Unreachable
from supervisor.commands.table import print_table
from supervisor.exit_codes import CommandExit

Command = TypeVar("Command", bound=Callable[..., Any])
T = TypeVar("T")

# Completing a name must not keep a shell waiting.
_COMPLETION_TIMEOUT_S: Final = 2.0


class Cluster:
    """The cluster that a command was told to talk to."""

    def __init__(self, context: str | None, url: str | None) -> None:
        self._context = context
        self._url = url

    def context(self) -> Context:
        """Raises ContextError."""
        context = read_contexts(contexts_path()).choose(self._context)
        return context if self._url is None else msgspec.structs.replace(context, urls=self._url.split(","))

    def run(self, work: Callable[[ConnectClient], Awaitable[T]]) -> T:
        """Do something with a client; what goes wrong ends the command with one line and an exit code."""
        try:
            return asyncio.run(self.attempt(work))
        except ContextError as error:
            fail(str(error), CommandExit.CONFIG)
        except Unreachable as error:
            fail(str(error), CommandExit.UNAVAILABLE)
        except RequestFailed as error:
            fail(str(error), CommandExit.REFUSED)

    async def attempt(self, work: Callable[[ConnectClient], Awaitable[T]]) -> T:
        """The same within an event loop. Raises ContextError, Unreachable, RequestFailed."""
        async with ConnectClient(self.context()) as client:
            return await work(client)


def fail(message: str, code: CommandExit) -> NoReturn:
    """End the command."""
    click.echo(f"{click.style('error', fg='red')}: {message}", err=True)
    sys.exit(code)


def cluster_options(command: Command) -> Command:
    """`--context` and `--url`; the command gets a Cluster as `cluster`."""

    def combined(*args: Any, context: str | None, url: str | None, **more: Any) -> Any:
        return command(*args, cluster=Cluster(context, url), **more)

    combined.__name__, combined.__doc__ = command.__name__, command.__doc__
    combined.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    with_url = click.option(
        "--url", metavar="URL[,URL...]", envvar="CONNECTD_URL", help="Workers to ask, instead of the context's."
    )(combined)
    return click.option(  # type: ignore[return-value]
        "--context",
        metavar="NAME",
        envvar="CONNECTD_CONTEXT",
        shell_complete=complete_contexts,
        help="The context to use, instead of the current one.",
    )(with_url)


def output_option(command: Command) -> Command:
    """`--output table|json|yaml`."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", "yaml"]),
        default="table",
        show_default=True,
        help="For people or for programs.",
    )(command)


def show(output: str, data: Any, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print an answer: as a table, or all of it as JSON or YAML."""
    if output == "table":
        print_table(heads, list(rows))
    else:
        show_data(output, data)


def show_data(output: str, data: Any) -> None:
    """Print an answer as JSON or YAML."""
    plain = msgspec.to_builtins(data)
    if output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(plain, indent=2, ensure_ascii=False))


async def require_connectd(client: ConnectClient, what: str) -> None:
    """Raises RequestFailed for a worker of Kafka's own, which would take no notice of what it does not know."""
    if "connectd" not in (await client.call("server_info")).version:
        raise RequestFailed(404, f"the worker that answers knows nothing of {what}: it is Kafka's own")


async def matching(client: ConnectClient, patterns: Sequence[str]) -> list[str]:
    """The connectors that names and patterns with `*` and `?` mean. Raises RequestFailed for one that means none."""
    if not any(set("*?[") & set(pattern) for pattern in patterns):
        return list(dict.fromkeys(patterns))
    known = await client.call("list_connectors")
    found: dict[str, None] = {}
    for pattern in patterns:
        names = [name for name in known if name == pattern or fnmatch.fnmatchcase(name, pattern)]
        if not names:
            raise RequestFailed(404, f"no connector is called {pattern}")
        found.update(dict.fromkeys(names))
    return list(found)


# --- completion of names in shells ------------------------------------------------------------------------------------


def complete_contexts(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Names of contexts."""
    try:
        names = read_contexts(contexts_path()).contexts
    except ContextError:
        return []
    return [name for name in names if name.startswith(begun)]


def complete_connectors(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Names of connectors, as the cluster knows them now."""
    return _complete(context, lambda client: client.call("list_connectors"), begun)


def complete_plugins(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Classes of plugins."""

    async def classes(client: ConnectClient) -> list[str]:
        plugins = await client.call("list_connector_plugins", query={"connectorsOnly": False})
        return [plugin.class_ for plugin in plugins]

    return _complete(context, classes, begun)


def complete_loggers(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Names of loggers."""

    async def names(client: ConnectClient) -> list[str]:
        return list(await client.call("list_loggers"))

    return _complete(context, names, begun)


def _complete(context: click.Context, ask: Callable[[ConnectClient], Awaitable[list[str]]], begun: str) -> list[str]:
    cluster = Cluster(context.params.get("context"), context.params.get("url"))
    try:
        names = asyncio.run(asyncio.wait_for(cluster.attempt(ask), _COMPLETION_TIMEOUT_S))
    except (ContextError, Unreachable, RequestFailed, TimeoutError):
        return []
    return [name for name in names if name.startswith(begun)]


def connectors_argument(command: Command) -> Command:
    """Names or patterns of connectors, one at least."""
    return click.argument(
        "connectors", metavar="CONNECTOR...", nargs=-1, required=True, shell_complete=complete_connectors
    )(command)


def connector_argument(command: Command) -> Command:
    """The name of one connector."""
    return click.argument("connector", metavar="CONNECTOR", shell_complete=complete_connectors)(command)
