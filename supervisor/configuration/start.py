"""The files of a worker together: all that is wrong in any of them is found before anything starts."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from supervisor.configuration.files import ConnectorFile, FileProblems, Problem, read_connector_files, read_worker_file
from supervisor.rest.settings import rest_errors
from supervisor.units.restarts import RestartPolicy
from tasks.clients import worker_client_errors
from tasks.secrets.masking import mask
from tasks.settings import DistributedConfig, StandaloneConfig, WorkerConfig
from tasks.settings.distributed import is_distributed
from tasks.settings.group import GROUP_ID
from tasks.settings.limits import CONNECTOR_HANG_TIMEOUT_MS
from tasks.settings.unknown import unknown_worker_keys
from tasks.settings.worker import CONNECTORS_DIRECTORY, LOG_LEVELS

SUFFIXES = (".properties", ".json")

# The supervisor reads these itself, so that they have to be with values and not with references: a value that is another one
# now has to be seen, and children get the limits as they were read here. What ends in a dot is for all keys that begin so.
_READ_HERE = ("task.", CONNECTOR_HANG_TIMEOUT_MS, LOG_LEVELS, CONNECTORS_DIRECTORY)

# The properties of a worker file with values for references to config providers; the file's path is for messages.
Resolve = Callable[[str, dict[str, str]], Awaitable[dict[str, str]]]


W = TypeVar("W", bound=WorkerConfig)
W_co = TypeVar("W_co", bound=WorkerConfig, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Configuration(Generic[W_co]):
    """A worker file with its connector files. `properties` are the worker's as written, `worker` with secrets resolved."""

    properties: dict[str, str]
    worker: W_co
    connectors: list[ConnectorFile]

    @property
    def unknown_keys(self) -> dict[str, str | None]:
        """The worker's keys that have no meaning, each with the known one most like it."""
        return unknown_keys(self.properties, type(self.worker))


async def load(worker_path: str, connector_paths: Sequence[str], resolve: Resolve, kind: type[W]) -> Configuration[W]:
    """Read the worker file, the connector files given, and those in its `connectors.directory`. Raises FileProblems."""
    problems: list[Problem] = []
    properties, worker = None, None
    try:
        properties, worker = await load_worker(worker_path, resolve, kind)
    except FileProblems as error:
        problems += error.problems
    try:
        connectors = read_connector_files(all_paths(connector_paths, folder_of(worker) if worker else None))
    except FileProblems as error:
        problems += error.problems
    if problems or properties is None or worker is None:
        raise FileProblems(problems)
    return Configuration(properties=properties, worker=worker, connectors=connectors)


async def load_worker(path: str, resolve: Resolve, kind: type[W]) -> tuple[dict[str, str], W]:
    """A worker's properties, as written but for those that the supervisor reads itself, and their meaning.

    Raises FileProblems with everything that is wrong.
    """
    properties = read_worker_file(path)
    resolved = await resolve(path, properties)
    errors = [*kind.errors(resolved), *RestartPolicy.errors(resolved)]
    if not errors:
        worker = kind(resolved)
        errors = [*worker_client_errors(worker), *rest_errors(worker)]
    if errors:
        raise FileProblems([Problem(path, error.key, mask(str(error))) for error in errors])
    return {key: resolved[key] if key.startswith(_READ_HERE) else value for key, value in properties.items()}, worker


def worker_kind(path: str) -> type[StandaloneConfig] | type[DistributedConfig]:
    """Whether a worker file is for `connectd standalone` or `connectd distributed`: keys that only one of them has tell."""
    try:
        properties = read_worker_file(path)
    except FileProblems:
        return StandaloneConfig
    if is_distributed(properties):
        return DistributedConfig
    own = StandaloneConfig.config_def().config_names - DistributedConfig.config_def().config_names
    return StandaloneConfig if own & properties.keys() or GROUP_ID not in properties else DistributedConfig


def folder_of(worker: WorkerConfig, used: str | None = None) -> str | None:
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


def unknown_keys(properties: Mapping[str, str], kind: type[WorkerConfig]) -> dict[str, str | None]:
    """The keys of a worker file that have no meaning, each with the known one most like it."""
    return {**unknown_worker_keys(properties, kind), **RestartPolicy.unknown_keys(properties)}


def unknown_key_warnings(unknown: Mapping[str, str | None]) -> list[str]:
    """One line a key."""
    return [
        f"unknown key {key}" + (f", did you mean {similar}?" if similar else "") for key, similar in unknown.items()
    ]
