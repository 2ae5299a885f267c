"""`connectd completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell: `eval "$(connectd completion bash)"`."""
    kind = get_completion_class(shell)
    assert kind is not None
    context = click.get_current_context()
    click.echo(kind(context.find_root().command, {}, "connectd", "_CONNECTD_COMPLETE").source())
