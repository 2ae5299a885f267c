"""What connector files would change in a worker: which connectors are new, changed, the same or gone. Nothing is done here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from supervisor.configuration.files import ConnectorFile, FileProblems, Problem, read_connector_file

C = TypeVar("C")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Connector files as they are now: those that count, and what is wrong with the others, by path. `names` are in any."""

    files: list[ConnectorFile]
    wrong: dict[str, Sequence[Problem]]
    names: frozenset[str]

    def without(self, wrong: Mapping[str, Sequence[Problem]]) -> Reading:
        """The same after more was found to be wrong."""
        files = [file for file in self.files if file.path not in wrong]
        return Reading(files=files, wrong={**self.wrong, **wrong}, names=self.names)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Files by what they mean to the worker; `gone` are names of connectors whose files have vanished."""

    new: list[ConnectorFile]
    changed: list[ConnectorFile]
    same: list[ConnectorFile]
    gone: list[str]


def read_all(paths: Iterable[str], sources: Mapping[str, str]) -> Reading:
    """Read each file by itself. `sources` are the paths that the connectors of the worker came from, by name."""
    files: list[ConnectorFile] = []
    wrong: dict[str, Sequence[Problem]] = {}
    for path in paths:
        try:
            files.append(read_connector_file(path))
        except FileProblems as error:
            wrong[path] = error.problems
    reading = Reading(files=files, wrong=wrong, names=frozenset(file.name for file in files))
    return reading.without(_same_names(files, sources))


def difference(
    reading: Reading,
    running: Mapping[str, C],
    sources: Mapping[str, str],
    form: Callable[[dict[str, str]], C],
) -> Difference:
    """Compare with what runs, by name: the name of a file means nothing, and a file that is wrong nothing either.

    `running` are configurations, in the form that `form` gives to those of files.
    """
    found: dict[str, list[ConnectorFile]] = {"new": [], "changed": [], "same": []}
    for file in reading.files:
        if file.name not in running:
            found["new"].append(file)
        else:
            found["same" if running[file.name] == form(file.config) else "changed"].append(file)
    return Difference(**found, gone=_gone(reading, running, sources))


def _gone(reading: Reading, running: Collection[str], sources: Mapping[str, str]) -> list[str]:
    return [
        name
        for name, path in sources.items()
        if name in running and name not in reading.names and path not in reading.wrong
    ]


def _same_names(files: Sequence[ConnectorFile], sources: Mapping[str, str]) -> dict[str, Sequence[Problem]]:
    """Of several files with one name only that counts which the connector came from; if there is none, none counts."""
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(file.name, []).append(file.path)
    wrong: dict[str, Sequence[Problem]] = {}
    for name, paths in by_name.items():
        for path in paths:
            others = sorted((other for other in paths if other != path), key=lambda other: other != sources.get(name))
            if others and path != sources.get(name):
                wrong[path] = [Problem(path, "name", f"a connector called {name} is in {others[0]} already")]
    return wrong
