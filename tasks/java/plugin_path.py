"""The `plugin.path` of one host: the plugin folders that it needs, and no other, for it looks into each jar at its start."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from plugins.discovery.kinds import PluginKind
from plugins.jars.cache import cache_dir
from plugins.java import JavaPlugin, java_plugins
from plugins.java.finding import CLASS_PATH
from plugins.java.plugin import BASES

_BASE_OF: Final[Mapping[PluginKind, str]] = {kind: base for base, kind in BASES.items()}


def needed_folders(connector: JavaPlugin, plugin_path: Sequence[str], *configs: Mapping[str, str]) -> list[str]:
    """The folder of the connector, and those of all plugins that the configurations name."""
    values = {value for config in configs for value in config.values()}
    named = [each.folder for each in java_plugins(plugin_path) if values.intersection((each.name, *each.short_names))]
    return sorted({connector.folder, *named} - {CLASS_PATH})


def plugin_path_of(folders: Sequence[str], plugin_path: Sequence[str]) -> str:
    """A folder with links to these plugin folders, and manifests for plugins that have none."""
    missing = defaultdict(list)
    for plugin in java_plugins(plugin_path):
        if plugin.folder in folders and not plugin.declared:
            missing[plugin.folder].append(plugin)
    names = "\n".join([*folders, *(f"{each.kind} {each.name}" for plugins in missing.values() for each in plugins)])
    target = cache_dir() / "java" / "plugin-path" / hashlib.sha256(names.encode()).hexdigest()[:24]
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=target.parent))
        for number, folder in enumerate(folders):
            _link(draft / f"{number}-{Path(folder).name}", folder, missing[folder])
        _publish(draft, target)
    return str(target)


def _link(place: Path, folder: str, without_manifest: Iterable[JavaPlugin]) -> None:
    place.mkdir()
    os.symlink(folder, place / Path(folder).name)  # noqa: PTH211 (to a text)
    services = defaultdict(list)
    for plugin in without_manifest:
        services[f"META-INF/services/{_BASE_OF[plugin.kind]}"].append(plugin.name)
    if services:
        with zipfile.ZipFile(place / "connectd-manifests.jar", "w") as jar:
            for name, classes in services.items():
                jar.writestr(name, "\n".join(classes) + "\n")


def _publish(draft: Path, target: Path) -> None:
    try:
        draft.replace(target)
    except OSError:
        # Another process made the same meanwhile.
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():
            raise
