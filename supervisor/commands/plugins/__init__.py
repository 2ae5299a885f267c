"""`connectd plugins list|install|remove`."""

from __future__ import annotations

import click

from supervisor.commands.plugins.changing import install, remove
from supervisor.commands.plugins.listing import show


class ListsByDefault(click.Group):
    """Without a command it lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asked = not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names)
        return super().parse_args(ctx, ["list", *args] if asked else args)


@click.group(cls=ListsByDefault)
def plugins() -> None:
    """Show, install and remove plugins. `connectd plugins [WORKER.properties]` is `connectd plugins list`."""


plugins.add_command(show)
plugins.add_command(install)
plugins.add_command(remove)
