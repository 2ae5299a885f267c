"""`allowed.paths`: the folders that a config provider may read from (`...common.config.internals.AllowedPaths`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from connectd.config import ConfigDef, Importance, Type
from connectd.errors import ConfigException

ALLOWED_PATHS: Final = "allowed.paths"

CONFIG: Final = ConfigDef().define(
    ALLOWED_PATHS,
    Type.STRING,
    None,
    importance=Importance.MEDIUM,
    doc="Absolute paths, separated by commas: only what is in or below them may be read. Without it everything may.",
)


class AllowedPaths:
    """Tells paths that may be read from those that may not. As in Java, links are not followed to find out."""

    def __init__(self, setting: str | None) -> None:
        """Raises ConfigException for a path that is relative or does not exist."""
        self._allowed = [_allowed(setting, each) for each in setting.split(",")] if setting else None

    def resolve(self, path: str) -> Path | None:
        """Where to read `path`; None if it may not be read."""
        if self._allowed is None:
            return Path(path)
        wanted = _normalized(path)
        return wanted if any(wanted.is_relative_to(allowed) for allowed in self._allowed) else None


def _allowed(setting: str, text: str) -> Path:
    path = _normalized(text.strip())
    if not path.is_absolute():
        raise ConfigException(ALLOWED_PATHS, setting, f"Path {path} is not absolute")
    if not path.exists():
        raise ConfigException(ALLOWED_PATHS, setting, f"Path {path} does not exist")
    return path


def _normalized(path: str) -> Path:
    return Path(os.path.normpath(path))
