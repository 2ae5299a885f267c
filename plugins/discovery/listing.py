"""Lists all plugins, broken ones with their error."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from connectd.errors import ConfigException
from plugins.discovery import builtin, importing
from plugins.discovery.candidates import entry_points, environment_entry_points, own_modules
from plugins.discovery.folders import PluginFolder, plugin_folders
from plugins.discovery.found import FoundPlugin, broken_plugin, describe_plugin
from plugins.discovery.importing import Wanted, rows
from plugins.discovery.interpreters import command, path_behind
from plugins.discovery.loading import load_class

BUILT_IN: Final = "built-in"
ENVIRONMENT: Final = "environment"
# For importing everything of one plugin folder: several that hang are still given up before whoever asked gives up.
IMPORT_TIMEOUT_S: Final = 30.0
PLACES_AT_ONCE: Final = 8


def list_plugins(
    plugin_path: Sequence[str] = (), timeout_s: float = IMPORT_TIMEOUT_S, python: str | None = None
) -> list[FoundPlugin]:
    """Everything that can be found, in the order built-ins, environment, plugin folders.

    The plugins of the environment and of each folder are imported in a process of their own: two folders may have two
    versions of a dependency, and one that crashes or takes longer than `timeout_s` harms no other. A folder with an
    environment is imported under the interpreter of that, all else under `python`, or if that is None under this one.
    """
    folders = plugin_folders(plugin_path)
    places: list[tuple[Wanted, str | None]] = [(_environment(folders, python), python)]
    places += [(_folder(folder), folder.python or python) for folder in folders if folder.problem is None]
    with ThreadPoolExecutor(max_workers=PLACES_AT_ONCE) as pool:
        listed = pool.map(lambda place: _import_elsewhere(place[0], place[1], timeout_s), places)
        found = [*_builtins(), *(plugin for plugins in listed for plugin in plugins)]
    found += [broken_plugin(each.path.name, str(each.path), each.problem) for each in folders if each.problem]
    return _without_ambiguous_aliases(found)


def _builtins() -> Iterator[FoundPlugin]:
    for location in sorted(set(builtin.NAMES.values())):
        module, _, qualname = location.partition(":")
        plugin = load_class(module, qualname)
        if plugin is not None:
            yield from describe_plugin(plugin, BUILT_IN, None, None)


def _environment(folders: Sequence[PluginFolder], python: str | None) -> Wanted:
    if python is None:
        return Wanted(ENVIRONMENT, None, rows(environment_entry_points(folders)))
    not_in = [str(path) for folder in folders for path in (folder.root, *folder.packages)]
    return Wanted(ENVIRONMENT, None, None, not_in=not_in)


def _folder(folder: PluginFolder) -> Wanted:
    return Wanted(str(folder.path), str(folder.root), rows(entry_points(folder)), own_modules(folder))


def _import_elsewhere(wanted: Wanted, python: str | None, timeout_s: float) -> list[FoundPlugin]:
    if wanted.entry_points == [] and not wanted.modules:
        return []
    try:
        path = [] if python is None else path_behind(python)
        done = subprocess.run(
            command(python or sys.executable, path, importing.__name__),
            input=msgspec.json.encode(wanted),
            capture_output=True,
            timeout=timeout_s,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=list[FoundPlugin])
    except ConfigException as unusable:
        error = str(unusable)
    except subprocess.TimeoutExpired:
        error = f"importing it took longer than {timeout_s:g} s"
    except subprocess.CalledProcessError as failure:
        error = f"importing it ended the process: {_end_of(failure)}"
    except msgspec.MsgspecError:
        error = "importing it ended the process"
    names = [name for name, *_ in wanted.entry_points or ()] + wanted.modules
    return [broken_plugin(name, wanted.location, error) for name in names or [wanted.location]]


def _end_of(failure: subprocess.CalledProcessError) -> str:
    if failure.returncode < 0:
        return signal.Signals(-failure.returncode).name
    last_line = failure.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"exit code {failure.returncode}, {last_line}"


def _without_ambiguous_aliases(found: list[FoundPlugin]) -> list[FoundPlugin]:
    """Leave out what `find_class` would refuse, or take for a built-in."""
    owners = defaultdict(set)
    for plugin in found:
        for alias in plugin.aliases:
            owners[alias].add((plugin.name, plugin.location))

    def usable(plugin: FoundPlugin, alias: str) -> bool:
        return plugin.location == BUILT_IN or (alias not in builtin.NAMES and len(owners[alias]) == 1)

    return [
        msgspec.structs.replace(plugin, aliases=[alias for alias in plugin.aliases if usable(plugin, alias)])
        for plugin in found
    ]
