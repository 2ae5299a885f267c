"""Where connectd keeps what can be fetched or made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Folder of all that can be fetched again: $CONNECTD_CACHE, else connectd in $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("CONNECTD_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else xdg("XDG_CACHE_HOME", ".cache")


def xdg(variable: str, default: str) -> Path:
    """connectd's folder in one of the base directories of the XDG specification."""
    base = os.environ.get(variable)
    # The specification tells to ignore relative values.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / default) / "connectd"
