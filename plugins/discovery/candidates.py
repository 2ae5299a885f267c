"""Which classes may be plugins: read from entry points and source files, without importing anything."""

from __future__ import annotations

import ast
import logging
import sys
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple

from plugins.discovery.folders import PluginFolder
from plugins.discovery.kinds import PluginKind, alias, simple_name

if TYPE_CHECKING:
    from importlib.metadata import Distribution

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP: Final = "connectd.plugins"

# By folder of packages.
_remembered: Final[dict[str, list[Candidate]]] = {}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A class that may be a plugin. `name` is that of its entry point, or of the class; `folder` None is the environment."""

    name: str
    module: str
    qualname: str
    folder: PluginFolder | None
    version: str | None = None

    def may_be(self, wanted: str) -> bool:
        """Whether the class may answer to a short name or to a Java name; what it really is shows after the import."""
        simple = simple_name(self.qualname)
        short = wanted.rpartition(".")[2].rpartition("$")[2]
        return wanted == self.name or short == simple or short in {alias(simple, kind) for kind in PluginKind}


def environment_entry_points(folders: Sequence[PluginFolder]) -> list[Candidate]:
    """Those of everything installed beside connectd; `folders` are none of it, even if one is on `sys.path` by now."""
    others = {str(path) for folder in folders for path in (folder.root, *folder.packages)}
    found: list[Candidate] = []
    for path in sys.path:
        if path not in others:
            found += _remembered[path] if path in _remembered else entry_points_in([path])
    return found


def remember_environment() -> None:
    """Look at what is installed beside connectd now, for this process and those forked from it: it takes milliseconds."""
    _remembered.update((path, entry_points_in([path])) for path in sys.path)


def entry_points(folder: PluginFolder) -> list[Candidate]:
    """Those of what is installed in a plugin folder, or in its environment."""
    return entry_points_in([str(path) for path in (folder.root, *folder.packages)], folder)


def entry_points_in(path: list[str], folder: PluginFolder | None = None) -> list[Candidate]:
    """Those of what is installed in these folders of packages."""
    return [
        Candidate(point.name, point.module, point.attr, folder, distribution.version)
        for distribution in _distributions(path)
        for point in distribution.entry_points.select(group=ENTRY_POINT_GROUP)
    ]


def own_modules(folder: PluginFolder) -> list[str]:
    """The modules that belong to no installed distribution: they are no dependencies, and nobody declared entry points."""
    files = [file for distribution in _distributions([str(folder.root)]) for file in distribution.files or ()]
    installed = {file.parts[0].partition(".")[0] for file in files}
    return [module for module in folder.modules if module not in installed]


def own_classes(folder: PluginFolder) -> list[Candidate]:
    """The public classes of a plugin folder's own modules."""
    return [
        Candidate(name, module, name, folder)
        for module in own_modules(folder)
        for name in _public_names(folder, module)
    ]


class Shadowed(NamedTuple):
    """A distribution of a plugin folder, and the other version of it that is loaded; each as name and version."""

    theirs: str
    loaded: str


def shadowed_distributions(folder: PluginFolder) -> list[Shadowed]:
    """What is installed in a plugin folder in vain: this process has loaded another version of it from elsewhere."""
    # First what is cheap: hardly any folder has modules that connectd uses too.
    loaded = {name for name in folder.modules if _is_from_elsewhere(sys.modules.get(name), folder)}
    if not loaded:
        return []
    here = _by_module([str(folder.root)], loaded)
    elsewhere = _by_module([path for path in sys.path if path != str(folder.root)], loaded)
    found = {(here[name], elsewhere[name]) for name in here.keys() & elsewhere.keys() if here[name] != elsewhere[name]}
    return sorted(Shadowed(theirs, ours) for theirs, ours in found)


def _is_from_elsewhere(module: ModuleType | None, folder: PluginFolder) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and not Path(file).is_relative_to(folder.root)


def _by_module(path: list[str], modules: Set[str]) -> dict[str, str]:
    """Name and version of the first distribution that each of the modules belongs to."""
    found: dict[str, str] = {}
    for distribution in _distributions(path):
        for file in distribution.files or ():
            if (module := file.parts[0].partition(".")[0]) in modules:
                found.setdefault(module, f"{distribution.name} {distribution.version}")
    return found


def _distributions(path: list[str]) -> list[Distribution]:
    # Not at the top: its import takes longer than all of discovery, and whoever uses built-ins only never needs it.
    from importlib import metadata

    return list(metadata.distributions(path=path))


def _public_names(folder: PluginFolder, module: str) -> list[str]:
    """The classes that a module defines, and what a package takes from its own modules, by reading its source."""
    package = folder.root / module / "__init__.py"
    source = package if package.is_file() else folder.root / f"{module}.py"
    if not source.is_file():  # an extension module: its classes are found by `module:Class`
        return []
    try:
        statements = ast.parse(source.read_bytes(), str(source)).body
    except (OSError, SyntaxError, ValueError) as error:
        logger.warning("plugin.path: cannot read '%s', ignoring it: %s", source, error)
        return []
    names: list[str] = []
    for statement in statements:
        if isinstance(statement, ast.ClassDef):
            names.append(statement.name)
        elif isinstance(statement, ast.ImportFrom) and _is_from_itself(statement, module):
            names += [imported.asname or imported.name for imported in statement.names]
    return [name for name in names if name.isidentifier() and not name.startswith("_")]


def _is_from_itself(statement: ast.ImportFrom, module: str) -> bool:
    return statement.level > 0 or (statement.module or "").partition(".")[0] == module
