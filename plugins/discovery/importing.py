"""Imports the plugins of one place and describes them; run as a program, so that nothing imported outlives the listing.

Reads a `Wanted` as JSON from the standard input and writes a list of `FoundPlugin` to the standard output.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import msgspec

from connectd.errors import PluginNotFound
from plugins.discovery.candidates import Candidate, entry_points_in
from plugins.discovery.found import FoundPlugin, broken_plugin, describe_plugin
from plugins.discovery.kinds import kinds_of
from plugins.discovery.loading import describe_error, load_class


class Wanted(msgspec.Struct, frozen=True):
    """What to import: `entry_points` as name, module, class and version of their distribution, and whole modules.

    Without `entry_points` it is those of this interpreter's environment, but for those in the folders `not_in`.
    """

    location: str
    root: str | None
    entry_points: list[tuple[str, str, str, str]] | None
    modules: list[str] = []
    not_in: list[str] = []


def import_all(wanted: Wanted) -> list[FoundPlugin]:
    """Import and describe; what fails is described by its error."""
    if wanted.root is not None:
        sys.path.insert(0, wanted.root)
    found = []
    for entry_point in wanted.entry_points if wanted.entry_points is not None else _of_environment(wanted.not_in):
        found += _entry_point(wanted.location, *entry_point)
    for module in wanted.modules:
        found += _module(wanted.location, module)
    return found


def _of_environment(not_in: Sequence[str]) -> list[tuple[str, str, str, str]]:
    return rows(entry_points_in([path for path in sys.path if path not in not_in]))


def rows(candidates: Sequence[Candidate]) -> list[tuple[str, str, str, str]]:
    """Entry points as `Wanted` has them."""
    return [(each.name, each.module, each.qualname, each.version or "") for each in candidates]


def _entry_point(location: str, name: str, module: str, qualname: str, version: str) -> list[FoundPlugin]:
    try:
        plugin = load_class(module, qualname)
    except PluginNotFound as error:
        return [broken_plugin(name, location, str(error))]
    if plugin is None:
        return [broken_plugin(name, location, f"{module}:{qualname} does not exist")]
    described = describe_plugin(plugin, location, name, version)
    return described or [broken_plugin(name, location, f"{module}:{qualname} is no plugin, or an abstract one")]


def _module(location: str, name: str) -> list[FoundPlugin]:
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        return [broken_plugin(name, location, f"Cannot import {name}: {describe_error(error)}")]
    found = []
    for attribute, value in vars(module).items():
        if kinds_of(value) and not attribute.startswith("_") and f"{value.__module__}.".startswith(f"{name}."):
            found += describe_plugin(value, location, None, None)
    return found


def main() -> None:
    """Whatever plugins print while they are imported goes to the standard error output."""
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        answer.write(msgspec.json.encode(import_all(wanted)))
    # Threads that a plugin started while it was imported must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
