"""Where the embedded Kafka keeps what it downloaded, and its data."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Folder of all that can be fetched again: $CONNECTD_CACHE, else connectd in $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("CONNECTD_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else _xdg("XDG_CACHE_HOME", ".cache")


def default_data_dir() -> Path:
    """Data folder of `connectd kafka start` without --data: connectd/kafka in $XDG_STATE_HOME or ~/.local/state."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "kafka"


def _xdg(variable: str, default: str) -> Path:
    base = os.environ.get(variable)
    # The specification (XDG Base Directory) tells to ignore relative values.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / default) / "connectd"
