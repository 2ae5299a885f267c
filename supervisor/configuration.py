"""The files of a standalone worker together: all that is wrong in any of them is found before anything starts."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from supervisor.files import ConnectorFile, FileProblems, Problem, read_connector_files, read_worker_file
from supervisor.rest.settings import rest_errors
from supervisor.restarts import RestartPolicy
from tasks.clients import worker_client_errors
from tasks.secrets.masking import mask
from tasks.settings import StandaloneConfig
from tasks.settings.limits import CONNECTOR_HANG_TIMEOUT_MS
from tasks.settings.unknown import unknown_worker_keys
from tasks.settings.worker import CONNECTORS_DIRECTORY, LOG_LEVELS

SUFFIXES = (".properties", ".json")

# The supervisor reads these itself, so that they have to be with values and not with references: a value that is another one
# now has to be seen, and children get the limits as they were read here. What ends in a dot is for all keys that begin so.
_READ_HERE = ("task.", CONNECTOR_HANG_TIMEOUT_MS, LOG_LEVELS, CONNECTORS_DIRECTORY)

# The properties of a worker file with values for references to config providers; the file's path is for messages.
Resolve = Callable[[str, dict[str, str]], Awaitable[dict[str, str]]]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """A worker file with its connector files. `properties` are the worker's as written, `worker` with secrets resolved."""

    properties: dict[str, str]
    worker: StandaloneConfig
    connectors: list[ConnectorFile]

    @property
    def unknown_keys(self) -> dict[str, str | None]:
        """The worker's keys that have no meaning, each with the known one most like it."""
        return unknown_keys(self.properties)


async def load(worker_path: str, connector_paths: Sequence[str], resolve: Resolve) -> Configuration:
    """Read the worker file, the connector files given, and those in its `connectors.directory`. Raises FileProblems."""
    problems: list[Problem] = []
    properties, worker = None, None
    try:
        properties, worker = await load_worker(worker_path, resolve)
    except FileProblems as error:
        problems += error.problems
    try:
        connectors = read_connector_files(all_paths(connector_paths, folder_of(worker) if worker else None))
    except FileProblems as error:
        problems += error.problems
    if problems or properties is None or worker is None:
        raise FileProblems(problems)
    return Configuration(properties=properties, worker=worker, connectors=connectors)


async def load_worker(path: str, resolve: Resolve) -> tuple[dict[str, str], StandaloneConfig]:
    """A worker's properties, as written but for those that the supervisor reads itself, and their meaning.

    Raises FileProblems with everything that is wrong.
    """
    properties = read_worker_file(path)
    resolved = await resolve(path, properties)
    errors = [*StandaloneConfig.errors(resolved), *RestartPolicy.errors(resolved)]
    if not errors:
        worker = StandaloneConfig(resolved)
        errors = [*worker_client_errors(worker), *rest_errors(worker)]
    if errors:
        raise FileProblems([Problem(path, error.key, mask(str(error))) for error in errors])
    return {key: resolved[key] if key.startswith(_READ_HERE) else value for key, value in properties.items()}, worker


def folder_of(worker: StandaloneConfig, used: str | None = None) -> str | None:
    """The folder of connector files. The default one counts only if it is there; `used` is what counted so far."""
    folder = worker.connectors_directory
    if folder is None or CONNECTORS_DIRECTORY in worker.originals() or folder == used:
        return folder
    return folder if os.path.lexists(folder) else None


def all_paths(given: Sequence[str], folder: str | None) -> list[str]:
    """The connector files given, and those of the folder that are not among them. Raises FileProblems."""
    known = {os.path.realpath(path) for path in given}
    return [*given, *(path for path in _files_in(folder) if os.path.realpath(path) not in known)]


def _files_in(folder: str | None) -> list[str]:
    """By name; hidden ones, such as an editor's, are left out."""
    if folder is None:
        return []
    try:
        paths = sorted(Path(folder).iterdir())
    except OSError as error:
        raise FileProblems(
            [Problem(folder, CONNECTORS_DIRECTORY, f"connectors.directory cannot be read: {error.strerror}")]
        ) from error
    return [str(path) for path in paths if path.suffix in SUFFIXES and not path.name.startswith(".")]


def unknown_keys(properties: Mapping[str, str]) -> dict[str, str | None]:
    """The keys of a worker file that have no meaning, each with the known one most like it."""
    return {**unknown_worker_keys(properties, StandaloneConfig), **RestartPolicy.unknown_keys(properties)}


def unknown_key_warnings(unknown: Mapping[str, str | None]) -> list[str]:
    """One line a key."""
    return [
        f"unknown key {key}" + (f", did you mean {similar}?" if similar else "") for key, similar in unknown.items()
    ]
