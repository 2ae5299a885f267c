"""`connectd config-docs`."""

from __future__ import annotations

import click

from supervisor.units.restarts import restart_config_def
from tasks.settings.reference import reference_page


@click.command(name="config-docs")
def config_docs() -> None:
    """Print the reference of all configuration keys as Markdown: the page docs/configuration.md."""
    click.echo(reference(), nl=False)


def reference() -> str:
    """The page, with the keys that only the supervisor reads."""
    return reference_page({"Restarts": restart_config_def()})
