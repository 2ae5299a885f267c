"""Connector files applied to a herder: all of them at the start, and on SIGHUP exactly what has changed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import structlog

from connectd.errors import NotFoundException
from supervisor.configuration import Configuration, Resolve, connector_files_in, load_worker, unknown_key_warnings
from supervisor.files import ConnectorFile, FileProblems, Problem, read_connector_file
from supervisor.herder.standalone import StandaloneHerder
from supervisor.inquiries import InquiryFailed, InquiryRefused
from supervisor.pool import ProcessStartError
from supervisor.secrets import changed_references
from supervisor.validation import FileOutcome, validate_files

log = structlog.get_logger(__name__)


class ConnectorFiles:
    """The connectors that come from files. `rejected` counts files that a reload could not apply."""

    def __init__(self, herder: StandaloneHerder, configuration: Configuration, resolve: Resolve) -> None:
        self.rejected = 0
        self._resolve = resolve
        self._herder = herder
        self._properties = configuration.properties
        self._first = configuration.connectors
        self._applied: dict[str, ConnectorFile] = {}  # by path

    async def start(self) -> None:
        """Validate all, then start all. Raises FileProblems, and then nothing was started."""
        outcomes = await self._validate(self._first)
        _warn(outcomes)
        problems = [problem for outcome in outcomes for problem in outcome.problems]
        if problems:
            raise FileProblems(problems)
        for file, outcome in zip(self._first, outcomes, strict=True):
            await self._apply(file, outcome)

    async def reload(self, worker_path: str, paths: Sequence[str]) -> None:
        """Read all, validate what has changed, apply it; what is wrong is logged and changes nothing."""
        try:
            await self._reload(worker_path, paths)
        except ProcessStartError as error:
            self.rejected += 1
            log.error(f"not reloaded: {error}")

    async def _reload(self, worker_path: str, paths: Sequence[str]) -> None:
        try:
            properties, worker = await load_worker(worker_path, self._resolve)
            paths = [*paths, *connector_files_in(worker.connectors_directory)]
        except FileProblems as error:
            self._reject(error.problems)
            return
        _name_worker_changes(self._properties, properties)
        changed = self._read_changed([path for path in paths if Path(path).exists()])
        outcomes = await self._validate(changed)
        _warn(outcomes)
        await self._remove_vanished(paths)
        applied = 0
        for file, outcome in zip(changed, outcomes, strict=True):
            if outcome.problems:
                self._reject(outcome.problems)
            else:
                await self._apply(file, outcome)
                applied += 1
        await self._restart_where_secrets_changed()
        log.info(f"reloaded: {applied} connectors changed, {len(self._applied) - applied} as before")

    async def _restart_where_secrets_changed(self) -> None:
        """Of all connectors, not only of those that come from files."""
        worker = self._herder.worker
        try:
            changed = await changed_references(worker)
        except (InquiryFailed, InquiryRefused) as error:
            self._reject_secrets(None, str(error))
            return
        for name, references in changed.items():
            if await self._still_valid(name):
                worker.restart(name, f"{', '.join(references)} changed")

    async def _still_valid(self, name: str) -> bool:
        """What keeps running with old secrets is better than what does not start with new ones."""
        unit = self._herder.worker.connectors.get(name)
        if unit is None:
            return False
        try:
            errors = (await self._herder.validate(unit.spec.config)).errors
        except (InquiryFailed, InquiryRefused) as error:
            self._reject_secrets(name, str(error))
            return False
        for each in errors:
            self._reject_secrets(name, "; ".join(each.errors))
        return not errors

    def _reject_secrets(self, connector: str | None, why: str) -> None:
        self.rejected += 1
        log.error(f"secrets are not reloaded: {why}", **({"connector": connector} if connector else {}))

    async def _validate(self, files: Sequence[ConnectorFile]) -> list[FileOutcome]:
        around = self._herder.worker.surroundings
        return await validate_files(around.pool, around.worker_config, around.log, files)

    def _read_changed(self, paths: Sequence[str]) -> list[ConnectorFile]:
        changed: list[ConnectorFile] = []
        for path in paths:
            try:
                file = read_connector_file(path)
                self._refuse_taken_name(file, [*changed, *self._applied.values()])
            except FileProblems as error:
                self._reject(error.problems)
                continue
            if file != self._applied.get(path):
                changed.append(file)
        return changed

    def _refuse_taken_name(self, file: ConnectorFile, others: Sequence[ConnectorFile]) -> None:
        for other in others:
            if other.name == file.name and other.path != file.path and Path(other.path).exists():
                raise FileProblems(
                    [Problem(file.path, "name", f"a connector called {file.name} is in {other.path} already")]
                )

    async def _apply(self, file: ConnectorFile, outcome: FileOutcome) -> None:
        before = self._applied.get(file.path)
        if before is not None and before.name != file.name:
            await self._remove(before.name)
        self._applied[file.path] = file
        await self._herder.put(file.config, file.target_state if before is None else None, outcome.validated)

    async def _remove_vanished(self, paths: Sequence[str]) -> None:
        for path, file in list(self._applied.items()):
            if path not in paths or not Path(path).exists():
                del self._applied[path]
                if not any(other.name == file.name for other in self._applied.values()):
                    await self._remove(file.name)

    async def _remove(self, name: str) -> None:
        # The REST API may have deleted it already.
        with contextlib.suppress(NotFoundException):
            await self._herder.remove(name)

    def _reject(self, problems: Sequence[Problem]) -> None:
        self.rejected += 1
        for problem in problems:
            log.error(f"not reloaded: {problem}")


def _warn(outcomes: Sequence[FileOutcome]) -> None:
    for outcome in outcomes:
        for warning in unknown_key_warnings(outcome.unknown_keys):
            log.warning(f"{outcome.path}: {warning}")


def _name_worker_changes(before: dict[str, str], now: dict[str, str]) -> None:
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if changed:
        log.warning(f"changed in the worker file, but in effect only after a restart: {', '.join(changed)}")
