"""Where Java plugins are: entries of `plugin.path` that are jars, or folders with jars anywhere below them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

logger = logging.getLogger(__name__)

_ARCHIVES: Final = (".jar", ".zip")
# How the names of folders begin in which a plugin is being installed.
UNFINISHED: Final = ".connectd-"
# What Python plugins consist of holds no Java plugins, and may be large.
_PYTHON: Final = frozenset((".venv", "__pycache__"))


class JavaFolder(msgspec.Struct, frozen=True):
    """A plugin and what it needs, isolated from all others: `path` is a folder or a single jar; `jars` are in order."""

    path: str
    jars: tuple[str, ...]


def java_folders(plugin_path: Sequence[str]) -> list[JavaFolder]:
    """All of them, in the order of `plugin.path` and by name within each (`PluginUtils.pluginLocations` in Kafka)."""
    return [
        JavaFolder(str(entry), jars)
        for each in plugin_path
        for entry in _entries(Path(each).expanduser().absolute())
        if (jars := tuple(_jars(entry)))
    ]


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(each for each in path.iterdir() if not each.name.startswith(UNFINISHED))
    except OSError:  # whoever looks for Python plugins there says so
        return [path] if path.is_file() else []


def _jars(entry: Path) -> Iterator[str]:
    if not entry.is_dir():
        if entry.name.lower().endswith(_ARCHIVES):
            yield str(entry)
        return
    try:
        endings = [each.suffix for each in entry.iterdir()]
    except OSError as error:
        logger.warning("plugin.path: cannot read folder '%s', ignoring it: %s", entry, error.strerror)
        return
    if not {".py", ".dist-info"}.isdisjoint(endings):
        return  # a plugin in Python, and what it needs
    for folder, folders, files in os.walk(entry, followlinks=True):
        folders[:] = sorted(set(folders) - _PYTHON)
        # Zip files within a folder are read by Kafka, too.
        yield from (f"{folder}/{each}" for each in sorted(files) if each.lower().endswith(_ARCHIVES))
