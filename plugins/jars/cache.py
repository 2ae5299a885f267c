"""Where connectd keeps what can be fetched or made again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectd.errors import ConnectException


def cache_dir() -> Path:
    """Folder of all that can be fetched again: $CONNECTD_CACHE, else connectd in $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("CONNECTD_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else xdg("XDG_CACHE_HOME", ".cache")


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Says what to do where a folder of the cache cannot be written to, or is full. Raises ConnectException."""
    try:
        yield
    except OSError as error:
        raise ConnectException(
            f"cannot write to the cache {folder}: {error} ($CONNECTD_CACHE names another folder)"
        ) from error


def xdg(variable: str, default: str) -> Path:
    """connectd's folder in one of the base directories of the XDG specification."""
    base = os.environ.get(variable)
    # The specification tells to ignore relative values.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / default) / "connectd"
