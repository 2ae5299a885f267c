"""`connectd config-docs`."""

from __future__ import annotations

import click

from supervisor.restarts import restart_config_def
from tasks.settings import SinkConnectorConfig, SourceConnectorConfig
from tasks.settings.worker import StandaloneConfig

_INTRODUCTION = """# Configuration reference

Written by `connectd config-docs` from the declarations in the code; do not edit.
"""


@click.command(name="config-docs")
def config_docs() -> None:
    """Print the reference of all configuration keys as Markdown."""
    click.echo(reference(), nl=False)


def reference() -> str:
    """The page."""
    sections = {
        "Standalone workers": StandaloneConfig.config_def(),
        "Restarts": restart_config_def(),
        "Source connectors": SourceConnectorConfig.base_config_def(),
        "Sink connectors": SinkConnectorConfig.base_config_def(),
    }
    notes = {"Restarts": "In worker files for all connectors, in a connector's own configuration for that one.\n\n"}
    parts = [f"## {title}\n\n{notes.get(title, '')}{keys.to_markdown().rstrip()}\n" for title, keys in sections.items()]
    return "\n".join([_INTRODUCTION, *parts])
