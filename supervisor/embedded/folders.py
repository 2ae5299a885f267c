"""Where the embedded Kafka keeps its data."""

from __future__ import annotations

from pathlib import Path

from plugins.jars.cache import xdg


def default_data_dir() -> Path:
    """Data folder of `connectd kafka start` without --data: connectd/kafka in $XDG_STATE_HOME or ~/.local/state."""
    return xdg("XDG_STATE_HOME", ".local/state") / "kafka"
