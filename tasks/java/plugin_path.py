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

import msgspec

from plugins.discovery.kinds import PluginKind
from plugins.jars.cache import cache_dir, writing_to
from plugins.java.finding import CLASS_PATH, java_plugins
from plugins.java.plugin import BASES, JavaPlugin

_BASE_OF: Final[Mapping[PluginKind, str]] = {kind: base for base, kind in BASES.items()}


def plugin_path_of(connector: JavaPlugin, plugin_path: Sequence[str], *configs: Mapping[str, str]) -> str:
    """A folder with links to the folders of the connector and of all plugins that the configurations name.

    Beside those that have no manifest is one, for these plugins alone: what else is there need not be loaded.
    """
    values = {value for config in configs for value in config.values()}
    named = [each for each in java_plugins(plugin_path) if values.intersection((each.name, *each.short_names))]
    folders = defaultdict(set)
    for plugin in (connector, *named):
        if plugin.folder != CLASS_PATH:
            folders[plugin.folder].add(plugin)
    return str(_made({folder: sorted(folders[folder], key=lambda each: each.name) for folder in sorted(folders)}))


def _made(folders: Mapping[str, list[JavaPlugin]]) -> Path:
    names = msgspec.json.encode([[folder, plugins] for folder, plugins in folders.items()])
    target = cache_dir() / "java" / "plugin-path" / hashlib.sha256(names).hexdigest()[:24]
    if not target.exists():
        with writing_to(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=target.parent))
            for number, (folder, plugins) in enumerate(folders.items()):
                _link(draft / f"{number}-{Path(folder).name}", folder, [each for each in plugins if not each.declared])
            _publish(draft, target)
    return target


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
