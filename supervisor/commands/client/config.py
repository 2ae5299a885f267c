"""`connectd config`: contexts, in kcctl's words."""

from __future__ import annotations

import click
import msgspec

from supervisor.client.contexts import Context, Contexts, contexts_path, read_contexts, write_contexts
from supervisor.client.errors import ContextError
from supervisor.commands.client.common import complete_contexts, fail, output_option, show
from supervisor.exit_codes import CommandExit


@click.group()
def config() -> None:
    """Contexts: clusters by name, with what is needed to talk to them. Without any, a worker on this machine is meant."""


def _read() -> Contexts:
    try:
        return read_contexts(contexts_path())
    except ContextError as error:
        fail(str(error), CommandExit.CONFIG)


def _write(contexts: Contexts) -> None:
    try:
        write_contexts(contexts_path(), contexts)
    except ContextError as error:
        fail(str(error), CommandExit.UNAVAILABLE)


def _require(contexts: Contexts, name: str) -> Context:
    try:
        return contexts.choose(name)
    except ContextError as error:
        fail(str(error), CommandExit.CONFIG)


@config.command("set-context")
@click.argument("name")
@click.option("--cluster", "urls", required=True, metavar="URL[,URL...]", help="Workers of the cluster.")
@click.option("--username", help="For basic authentication.")
@click.option("--password", help="Its password; `-` asks for it, so that it is not in the shell's history.")
@click.option("--password-file", help="A file that holds the password, instead of keeping it in the context.")
@click.option("--token", help="A bearer token, for a proxy that wants one; `-` asks for it.")
@click.option("--token-file", help="A file that holds the token, read at every command.")
@click.option("--ca-file", help="Certificates to trust, PEM.")
@click.option("--certificate", help="A client certificate, PEM.")
@click.option("--key", help="Its key, PEM.")
@click.option("--insecure", is_flag=True, help="Do not verify who the workers are.")
def set_context(name: str, urls: str, password: str | None, token: str | None, **settings: str | bool | None) -> None:
    """Add or replace a context, and use it from now on."""
    if settings["username"] and (token or settings["token_file"]):
        raise click.UsageError("expected either --username or a token, a request has only one of them")
    if password == "-":  # noqa: S105 (it asks for one)
        password = click.prompt("Password", hide_input=True)
    if token == "-":  # noqa: S105
        token = click.prompt("Token", hide_input=True)
    chosen = {key: value for key, value in settings.items() if value}
    for url in urls.split(","):
        if not url.startswith(("http://", "https://")):
            raise click.BadParameter(f"{url}: expected http://HOST:PORT or https://HOST:PORT", param_hint="--cluster")
    contexts = _read()
    contexts.contexts[name] = msgspec.convert(
        {"urls": urls.split(","), "password": password, "token": token, **chosen}, Context
    )
    contexts.current = name
    _write(contexts)
    click.echo(f"using context {name}")


@config.command("use-context")
@click.argument("name", shell_complete=complete_contexts)
def use_context(name: str) -> None:
    """Use this context from now on."""
    contexts = _read()
    _require(contexts, name)
    contexts.current = name
    _write(contexts)
    click.echo(f"using context {name}")


@config.command("remove-context")
@click.argument("name", shell_complete=complete_contexts)
def remove_context(name: str) -> None:
    """Forget a context."""
    contexts = _read()
    _require(contexts, name)
    contexts.contexts.pop(name, None)
    if contexts.current == name:
        contexts.current = None
    _write(contexts)
    click.echo(f"removed context {name}")


@config.command("current-context")
def current_context() -> None:
    """The name of the context in use."""
    click.echo(_read().current or "none: a worker on this machine")


@config.command("get-contexts")
@output_option
def get_contexts(output: str) -> None:
    """All contexts; passwords and tokens are not shown."""
    contexts = _read()
    data = [
        {
            "name": name,
            "current": name == contexts.current,
            **{key: value for key, value in msgspec.to_builtins(context).items() if key not in ("password", "token")},
        }
        for name, context in contexts.contexts.items()
    ]
    rows = (
        ("*" if name == contexts.current else "", name, ",".join(context.urls), context.username or "")
        for name, context in contexts.contexts.items()
    )
    show(output, data, ("CURRENT", "NAME", "CLUSTER", "USER"), rows)
