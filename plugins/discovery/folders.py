"""The plugin folders below `plugin.path`, and which Python modules each of them holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

# The packages of connectd itself: within a task's process a plugin's own of that name could never be imported.
RESERVED_MODULES: Final = frozenset({"connectd", "plugins", "supervisor", "tasks"})

# Where the virtual environment of a plugin folder is, by the convention of uv, Poetry and others.
ENVIRONMENT: Final = ".venv"


@dataclass(frozen=True, slots=True)
class PluginFolder:
    """One entry of a folder in `plugin.path`.

    `path` is the entry, `root` the folder that has to be on `sys.path`, `modules` the top-level modules found there.
    `problem` says why it cannot be used, None if it can. `environment` is its virtual environment, None without one.
    """

    path: Path
    root: Path
    modules: tuple[str, ...]
    problem: str | None = None
    environment: Path | None = None

    def holds(self, module: str) -> bool:
        """Whether the top-level module, or a namespace package of that name, is here."""
        if module in self.modules or (self.root == self.path and (self.root / module).is_dir()):
            return True
        return any((packages / module).is_dir() or (packages / f"{module}.py").is_file() for packages in self.packages)

    @property
    def python(self) -> str | None:
        """The interpreter of its environment."""
        return None if self.environment is None else str(self.environment / "bin" / "python")

    @property
    def packages(self) -> list[Path]:
        """Where its environment has its packages; empty without one."""
        return [] if self.environment is None else sorted(self.environment.glob("lib/python*/site-packages"))


def plugin_folders(plugin_path: Sequence[str]) -> list[PluginFolder]:
    """All plugin folders, in the order of `plugin_path` and by name within each.

    An entry is a folder with modules and their dependencies beside them, as `pip install --target` makes it, or a single
    package or module. A folder of `plugin_path` that is such a folder itself is taken as one.
    """
    found = []
    for each in plugin_path:
        path = Path(each).expanduser().absolute()
        try:
            found += [_checked(folder) for folder in _folders_in(path)]
        except OSError as error:
            logger.warning("plugin.path: cannot read folder '%s', ignoring it: %s", path, error.strerror)
    return found


def _folders_in(path: Path) -> Iterator[PluginFolder]:
    entries = sorted(path.iterdir())
    if any(entry.suffix == ".dist-info" for entry in entries):
        yield PluginFolder(path, path, _modules_in(path), environment=_environment_in(path))
        return
    for entry in entries:
        name = _module_name(entry)
        if name is not None:
            yield PluginFolder(entry, path, (name,))
        elif entry.is_dir() and not entry.name.startswith((".", "_")):
            modules = _modules_in(entry)
            environment = _environment_in(entry)
            if modules or environment or _has_dist_info(entry, "*"):
                yield PluginFolder(entry, entry, modules, environment=environment)


def _environment_in(folder: Path) -> Path | None:
    environment = folder / ENVIRONMENT
    return environment if (environment / "pyvenv.cfg").is_file() else None


def _modules_in(root: Path) -> tuple[str, ...]:
    return tuple(name for entry in sorted(root.iterdir()) if (name := _module_name(entry)) is not None)


def _module_name(entry: Path) -> str | None:
    """The name to import a file or folder by, None if it is no module."""
    if entry.is_dir():
        name = entry.name if (entry / "__init__.py").is_file() else ""
    else:
        name = entry.name.partition(".")[0] if entry.suffix in (".py", ".so") else ""
    return name if name.isidentifier() else None


def _checked(folder: PluginFolder) -> PluginFolder:
    reserved = sorted(RESERVED_MODULES.intersection(folder.modules))
    # A plugin that depends on connectd brings a copy, which is never imported because the original is loaded already.
    if not reserved or _has_dist_info(folder.root, "connectd-*"):
        return folder
    problem = (
        f"it has a module called '{reserved[0]}', which is the name of one of connectd's own: "
        "rename it, nothing in this folder is loaded"
    )
    logger.warning("plugin.path: skipping '%s': %s", folder.path, problem)
    return PluginFolder(folder.path, folder.root, (), problem, folder.environment)


def _has_dist_info(root: Path, name: str) -> bool:
    return any(root.glob(f"{name}.dist-info"))
