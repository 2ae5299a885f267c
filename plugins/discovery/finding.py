"""Finds the class that a name in a configuration stands for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from connectd.errors import PluginNotFound
from plugins.discovery import builtin
from plugins.discovery.candidates import Candidate, entry_points, environment_entry_points, own_classes
from plugins.discovery.folders import PluginFolder, plugin_folders
from plugins.discovery.kinds import full_name, kinds_of, short_names
from plugins.discovery.loading import activate, load_class

# Shown when nothing is near a name that was not found.
MOST_NAMES_SHOWN = 40


def find_class(name: str, kind: type | None = None, plugin_path: Sequence[str] = ()) -> type[Any]:
    """The class for a name, imported. Call it in the process that is to run the class: importing may run any code.

    `name` is, of a built-in or of a plugin found in the environment or below `plugin_path`,

    - the class name with or without what it is (`FileStreamSourceConnector`, `FileStreamSource`; built-ins come first),
    - the name of its entry point,
    - the Java class that it stands for (its `JAVA_NAME`),

    or, for any class that can be imported, `module.Class` or `module:Class`. A class from a plugin folder is imported with
    that folder first on `sys.path`, where it stays. `kind` is the class that it must be derived from.

    Raises PluginNotFound if there is none, if there are several, if it is of another kind, or if it cannot be imported.
    """
    name = name.strip()
    found = _builtin(name)
    if found is None:
        folders = plugin_folders(plugin_path)
        found = _find_imported(name, folders) or _find_plugin(name, folders)
    if kind is not None and not issubclass(found, kind):
        raise PluginNotFound(f"{name} is {full_name(found)}, which is not a {kind.__name__}")
    return found


def named_in_python(name: str, plugin_path: Sequence[str]) -> bool:
    """Whether a plugin in Python may be meant by this name; nothing is imported."""
    return name in builtin.NAMES or any(each.may_be(name) for each in _candidates(plugin_folders(plugin_path)))


def interpreter_of(name: str, plugin_path: Sequence[str] = ()) -> str | None:
    """The interpreter of the plugin folder that has the class, if that folder has an environment of its own.

    None for all others, and where it cannot be said: `find_class` will.
    """
    folders = plugin_folders(plugin_path)
    if all(folder.environment is None for folder in folders):
        return None
    try:
        folder = folder_of(name.strip(), folders)
    except PluginNotFound:
        return None
    return None if folder is None else folder.python


def folder_of(name: str, folders: list[PluginFolder]) -> PluginFolder | None:
    """The plugin folder that `find_class` would take the class from, without importing it; None for all others.

    Raises PluginNotFound if several folders have it.
    """
    if name in builtin.NAMES:
        return None
    module, _ = _split(name)
    folder = _one_holder(name, module, folders) if module else None
    if folder is None:
        matches = [each for each in _candidates(folders) if each.may_be(name)]
        folder = _one_folder(name, [each.folder for each in matches])
    return folder


def _builtin(name: str) -> type[Any] | None:
    location = builtin.NAMES.get(name)
    return None if location is None else load_class(*_split(location))


def _find_imported(name: str, folders: list[PluginFolder]) -> type[Any] | None:
    """By `module.Class` or `module:Class`; what the process can import already comes first."""
    module, qualname = _split(name)
    if not module or not qualname:
        return None
    found = load_class(module, qualname)
    if found is None and (folder := _one_holder(name, module, folders)):
        activate(folder)
        found = load_class(module, qualname)
    return found


def _find_plugin(name: str, folders: list[PluginFolder]) -> type[Any]:
    """By a short name or a Java name; only what may be meant is imported."""
    candidates = _candidates(folders)
    matches = [each for each in candidates if each.may_be(name)]
    folder = _one_folder(name, [each.folder for each in matches])
    if folder is not None:
        activate(folder)
    found: dict[type[Any], str] = {}
    problems = []
    for each in matches:
        location = f"{each.module}:{each.qualname}"
        loaded = load_class(each.module, each.qualname)
        if loaded is None:
            problems.append(f"{location} does not exist")
        elif not kinds_of(loaded):
            problems.append(f"{location} is no plugin, or an abstract one")
        elif name in (each.name, full_name(loaded), *short_names(loaded)):
            found[loaded] = location
    if len(found) > 1:
        raise PluginNotFound(
            f"{name} is the name of several plugins, choose one of {', '.join(sorted(found.values()))}"
        )
    for only in found:
        return only
    raise PluginNotFound(_not_found(name, [each.name for each in candidates], problems, folders))


def _candidates(folders: list[PluginFolder]) -> list[Candidate]:
    found = environment_entry_points(folders)
    for folder in folders:
        if folder.problem is None:
            found += entry_points(folder) + own_classes(folder)
    return found


def _one_holder(name: str, module: str, folders: list[PluginFolder]) -> PluginFolder | None:
    top_level, _, _ = module.partition(".")
    return _one_folder(name, [folder for folder in folders if folder.holds(top_level)])


def _one_folder(name: str, found_in: Sequence[PluginFolder | None]) -> PluginFolder | None:
    """The only one of the folders. None, for the environment, if there is none."""
    distinct = list(dict.fromkeys(found_in))
    if len(distinct) > 1:
        places = ", ".join("the environment" if each is None else f"'{each.path}'" for each in distinct)
        raise PluginNotFound(f"{name} is in several places: {places}. Use another of its names, or remove all but one")
    return distinct[0] if distinct else None


def _split(name: str) -> tuple[str, str]:
    module, _, qualname = name.partition(":") if ":" in name else name.rpartition(".")
    return module, qualname


def _not_found(name: str, candidates: list[str], problems: list[str], folders: list[PluginFolder]) -> str:
    known = sorted({*builtin.SHORT_NAMES, *candidates})
    # Users mix up upper and lower case, and what is before the last point tells nothing.
    by_lower_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.rpartition(".")[2].rpartition(":")[2].lower(), by_lower_case, n=5)
    message = f"No plugin is called {name!r}."
    if problems:
        message += f" {'; '.join(problems)}."
    if near:
        message += f" Near it: {', '.join(by_lower_case[each] for each in near)}."
    elif not problems:
        message += (
            f" There are: {', '.join(known[:MOST_NAMES_SHOWN])}{', ...' if len(known) > MOST_NAMES_SHOWN else ''}."
        )
    for folder in folders:
        if folder.problem:
            message += f" Plugin folder '{folder.path}' was skipped: {folder.problem}."
    return message
