"""What is wrong in a worker's files, and what the worker that runs would change if it read them now. Nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from supervisor.configuration.difference import Reading, difference, read_all
from supervisor.configuration.files import ConnectorFile, FileProblems, Problem
from supervisor.configuration.live_settings import changes
from supervisor.configuration.marks import why_left_alone
from supervisor.configuration.running import (
    Digests,
    Running,
    Shared,
    digests,
    read_cluster_record,
    read_record,
    record_path,
)
from supervisor.configuration.secrets import WorkerSecrets
from supervisor.configuration.start import (
    all_paths,
    folder_of,
    load_worker,
    unknown_key_warnings,
    unknown_keys,
    worker_kind,
)
from supervisor.inquiries.validation import validate_files
from supervisor.processes.pool import ProcessPool
from tasks.messages import LogSettings
from tasks.settings import StandaloneConfig, WorkerConfig
from tasks.settings.dead_letters import LOSES_RECORDS, loses_records


class FileError(msgspec.Struct, frozen=True):
    """Something wrong in a file; `key` is None where it concerns no single one."""

    key: str | None
    message: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What SIGHUP would do: `what` is new, changed, same, removed, kept (the file is wrong), left (alone, in a cluster; `why`
    says the reason) or unread (the worker does not read this file). `keys` are those that differ; of a worker file, those in
    `later` count for processes that start from now on, those in `restart` after a restart of the worker."""

    what: str
    keys: list[str] = []
    later: list[str] = []
    restart: list[str] = []
    why: str | None = None


class FileReport(msgspec.Struct, kw_only=True):
    """What is to be said about one file. `change` is None where no worker runs."""

    file: str
    errors: list[FileError] = []
    warnings: list[str] = []
    connector: str | None = None
    change: Change | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.errors


async def preview(
    worker_path: str, given: Sequence[str], pool: ProcessPool, settings: LogSettings
) -> Sequence[FileReport]:
    """The worker file first, then its connector files, then connectors whose files are gone.

    Raises ProcessStartError.
    """
    kind: type[WorkerConfig] = worker_kind(worker_path)
    try:
        properties, worker = await load_worker(worker_path, WorkerSecrets(pool, settings).resolve, kind)
    except FileProblems as error:
        reading = read_all(given, {})
        return [_wrong(worker_path, error.problems), *_reports(given, reading, None)]
    if isinstance(worker, StandaloneConfig):
        running = read_record(record_path(worker.offset_storage_file_filename))
    else:
        running = read_cluster_record(worker_path)
    report = FileReport(file=worker_path, warnings=unknown_key_warnings(unknown_keys(properties, kind)))
    if running is not None:
        report.change = _worker_change(properties, running)
    try:
        paths, unread = _paths(given, worker, running)
    except FileProblems as error:
        report.errors = _errors(error.problems)
        return [report, *_reports(given, read_all(given, {}), None)]
    reading = read_all(paths, _sources(paths, running))
    outcomes = await validate_files(pool, properties, settings, reading.files)
    reading = reading.without({each.path: each.problems for each in outcomes if each.problems})
    reports = _reports(paths, reading, running)
    for outcome in outcomes:
        reports[paths.index(outcome.path)].warnings = unknown_key_warnings(outcome.unknown_keys)
    for file in reading.files:
        if loses_records(file.config):
            reports[paths.index(file.path)].warnings.append(LOSES_RECORDS)
    for path in unread:
        reports[paths.index(path)].change = Change(what="unread")
    return [report, *reports, *_removed(paths, reading, running)]


def _paths(given: Sequence[str], worker: WorkerConfig, running: Running | None) -> tuple[list[str], list[str]]:
    """All files to look at, and those of them that the worker that runs does not read. Raises FileProblems."""
    if running is None:
        return all_paths(given, folder_of(worker)), []
    folder = worker.connectors_directory and str(Path(running.folder, worker.connectors_directory))
    if folder is not None and folder_of(worker) is None and not Path(folder).exists():
        folder = None
    known = {os.path.realpath(path): path for path in given}
    read = [known.get(os.path.realpath(path), path) for path in all_paths(running.given, folder) if _is_there(path)]
    unread = [path for path in given if path not in read]
    return [*read, *unread], unread


def _is_there(path: str) -> bool:
    return os.path.lexists(path)


def _sources(paths: Sequence[str], running: Running | None) -> Mapping[str, str]:
    """By name, with the paths written as here."""
    if running is None:
        return {}
    written = {os.path.abspath(path): path for path in paths}  # noqa: PTH100
    return {name: written.get(path, path) for name, path in running.sources.items()}


def _reports(paths: Sequence[str], reading: Reading, running: Running | None) -> list[FileReport]:
    reports = {path: FileReport(file=path, errors=_errors(reading.wrong.get(path, ()))) for path in paths}
    names = {path: name for name, path in _sources(paths, running).items()}
    for path in reading.wrong:
        if running is not None:
            name = names.get(path)
            reports[path].connector = name
            reports[path].change = Change(what="kept") if name in running.connectors else None
    for file in reading.files:
        reports[file.path].connector = file.name
        if running is not None:
            reports[file.path].change = _change(file, running)
    return list(reports.values())


def _change(file: ConnectorFile, running: Running) -> Change:
    before = running.connectors.get(file.name)
    if before is None:
        return Change(what="new")
    now = digests(file.config, running.salt)
    if before == now:
        return Change(what="same")
    why = None if running.shared is None else _why_left(file, now, running.shared)
    return Change(what="changed" if why is None else "left", keys=_differing(before, now), why=why)


def _why_left(file: ConnectorFile, now: Digests, shared: Shared) -> str | None:
    if shared.read.get(os.path.abspath(file.path), now) != now:  # noqa: PTH100
        return None  # it was changed since the worker read it
    return why_left_alone(file.name, file.path, shared.marks.get(file.name))


def _removed(paths: Sequence[str], reading: Reading, running: Running | None) -> list[FileReport]:
    if running is None:
        return []
    sources = _sources(paths, running)
    gone = difference(reading, running.connectors, sources, lambda config: digests(config, running.salt)).gone
    return [FileReport(file=sources[name], connector=name, change=Change(what="removed")) for name in gone]


def _worker_change(properties: dict[str, str], running: Running) -> Change:
    now, later, restart = changes(running.worker, digests(properties, running.salt)).values()
    keys = sorted([*now, *later, *restart])
    return Change(what="changed" if keys else "same", keys=keys, later=later, restart=restart)


def _differing(before: Digests, now: Digests) -> list[str]:
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def _wrong(path: str, problems: Sequence[Problem]) -> FileReport:
    return FileReport(file=path, errors=_errors(problems))


def _errors(problems: Sequence[Problem]) -> list[FileError]:
    return [FileError(problem.key, problem.message) for problem in problems]
