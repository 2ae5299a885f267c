"""The Java plugins of a worker, by name; what was found in a folder is kept until one of its jars changes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from plugins.discovery.kinds import PluginKind
from plugins.jars.cache import cache_dir
from plugins.java.folders import JavaFolder, java_folders
from plugins.java.plugin import JavaPlugin

_Stamp = tuple[str, int, int]

# The location of what every host has on its class path, in Java's own word for it.
CLASS_PATH: Final = "classpath"
_FILE_STREAM: Final = "org.apache.kafka.connect.file.FileStream"
_ON_CLASS_PATH: Final = [
    JavaPlugin(name=f"{_FILE_STREAM}SourceConnector", kind=PluginKind.SOURCE, version="4.3.0", folder=CLASS_PATH),
    JavaPlugin(name=f"{_FILE_STREAM}SinkConnector", kind=PluginKind.SINK, version="4.3.0", folder=CLASS_PATH),
]


class _Kept(msgspec.Struct):
    """`jars` are paths with size and time of change, as they were when the plugins were found in them."""

    jars: list[_Stamp]
    plugins: list[JavaPlugin]


def java_plugins(plugin_path: Sequence[str]) -> list[JavaPlugin]:
    """All plugins in jars. Reading the jars of a folder takes up to some seconds, once."""
    return [plugin for folder in java_folders(plugin_path) for plugin in _plugins_in(folder)]


def find_java_plugin(name: str, plugin_path: Sequence[str], *kinds: PluginKind) -> JavaPlugin | None:
    """The plugin of these kinds that has this class name or alias; of several, as in Kafka, the one of the highest version."""
    found = [
        each for each in java_plugins(plugin_path) if each.kind in kinds and name in (each.name, *each.short_names)
    ]
    # A full name is meant as it is.
    exact = [each for each in found if each.name == name]
    return max(exact or found, key=lambda each: _order(each.version), default=None)


def on_class_path(name: str) -> JavaPlugin | None:
    """Kafka's own connectors, which need no plugin folder."""
    return next((each for each in _ON_CLASS_PATH if name in (each.name, *each.short_names)), None)


def _plugins_in(folder: JavaFolder) -> list[JavaPlugin]:
    file = cache_dir() / "java" / "listings" / f"{hashlib.sha256(folder.path.encode()).hexdigest()[:24]}.json"
    stamps = [_stamp(jar) for jar in folder.jars]
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        kept = None
    if kept is not None and kept.jars == stamps:
        return kept.plugins
    # Most processes find all that they need in what is kept.
    from plugins.java.scanning import scan

    plugins = scan(folder)
    _keep(file, _Kept(stamps, plugins))
    return plugins


def _keep(file: Path, kept: _Kept) -> None:
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.encode(kept))
        draft.replace(file)
    except OSError:
        # A cache that cannot be written: the jars are read each time.
        with contextlib.suppress(OSError):
            draft.unlink()


def _stamp(jar: str) -> _Stamp:
    try:
        stat = os.stat(jar)  # noqa: PTH116 (of hundreds of jars, at each start)
    except OSError:
        return jar, 0, 0
    return jar, stat.st_size, stat.st_mtime_ns


def _order(version: str) -> list[tuple[int, str]]:
    """Numbers by their size; a text, such as that of a preliminary version, comes before any number, and before the end."""
    parts = re.split(r"[.\-]", version)
    return [*((int(part), "") if part.isdecimal() else (-1, part) for part in parts), (0, "")]
