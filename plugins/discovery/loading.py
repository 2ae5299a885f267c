"""Imports one class, from the environment or from a plugin folder."""

from __future__ import annotations

import importlib
import logging
import operator
import sys
import traceback
from pathlib import Path
from typing import Any

from connectd.errors import PluginNotFound
from plugins.discovery.candidates import shadowed_distributions
from plugins.discovery.folders import PluginFolder

logger = logging.getLogger(__name__)


def activate(folder: PluginFolder) -> None:
    """Put a plugin folder before everything else on this process's `sys.path`, so that its dependencies are its own."""
    root = str(folder.root)
    if root not in sys.path:
        sys.path.insert(0, root)
        importlib.invalidate_caches()
        logger.debug("Modules come from folder '%s' first", root)
        for shadowed in shadowed_distributions(folder):
            logger.warning(
                "Plugin folder '%s' has %s, but its plugins get %s, which connectd has loaded already. If they need the other, "
                "give them an environment of their own: see plugin.python",
                folder.path,
                shadowed.theirs,
                shadowed.loaded,
            )


def load_class(module: str, qualname: str) -> type[Any] | None:
    """The class, None if there is no such module or no such class in it.

    Raises PluginNotFound if the module is there and cannot be imported.
    """
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    try:
        imported = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            return None
        raise PluginNotFound(f"Cannot import {module}: {describe_error(error)}") from error
    try:
        found = operator.attrgetter(qualname)(imported)
    except AttributeError:
        return None
    return found if isinstance(found, type) else None


def describe_error(error: BaseException) -> str:
    """An error of an import in one line: what, and in which line of which file."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) or not frames or frames[-1].filename.startswith("<"):
        return text
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
