"""The connectors that come from files: all of them at the start, and after that exactly what has changed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from connectd.errors import ConnectException
from supervisor.configuration.difference import Difference, Reading, difference, read_all
from supervisor.configuration.files import ConnectorFile, FileProblems, Problem
from supervisor.configuration.marks import Mark
from supervisor.configuration.settling import PATIENCE_S, read_settled
from supervisor.configuration.start import all_paths, unknown_key_warnings
from supervisor.herder.herder import LocalHerder
from supervisor.inquiries.validation import FileOutcome, validate_files
from supervisor.units.counts import ReloadResult
from supervisor.units.lifecycle import Status, UnitId
from tasks.states import State

log = structlog.get_logger(__name__)


class ConnectorFiles:
    """What the files say is what runs, for all connectors that are in one; those that were created otherwise stay.

    `sources` are the files that connectors came from, by name. One that was deleted does not come from a file any more, even
    if it is created again over REST.
    """

    def __init__(self, herder: LocalHerder) -> None:
        self.sources: dict[str, str] = {}
        self._herder = herder
        surroundings = herder.worker.surroundings
        self._counts = surroundings.counts.reloads
        surroundings.statuses.listen(self._on_status)

    @property
    def configs(self) -> dict[str, dict[str, str]]:
        """The configurations of all connectors, as they are in files or would be."""
        return {name: self._herder.info(name).config for name in self._herder.connectors()}

    @property
    def paths(self) -> dict[str, str]:
        """The files that connectors come from, by name: whose connector would be removed without them. Absolute."""
        return {name: os.path.abspath(path) for name, path in self.sources.items()}  # noqa: PTH100

    @property
    def marks(self) -> dict[str, Mark] | None:
        """Of a worker of a cluster: what connectors say of the files that they come from."""
        return None

    @property
    def read_before(self) -> dict[str, ConnectorFile]:
        """Of a worker of a cluster: its files as they were read last, by path."""
        return {}

    async def start(self, files: Sequence[ConnectorFile]) -> None:
        """Validate all, then start all. Raises FileProblems, and then nothing was started."""
        outcomes = await self._validate(files)
        problems = [problem for outcome in outcomes.values() for problem in outcome.problems]
        if problems:
            raise FileProblems(problems)
        for file in files:
            await self._put(file, outcomes[file.path])

    async def reload(self, given: Sequence[str], folder: str | None) -> Difference:
        """Read all files, validate what has changed, apply it. What is wrong is logged and counted, and changes nothing.

        Raises ProcessStartError when nothing could be validated, and FileProblems when the folder cannot be read; nothing
        was changed then.
        """
        reading = await self._read(given, folder)
        found = self._compare(reading)
        outcomes = await self._validate([*found.new, *found.changed])
        reading = reading.without({path: each.problems for path, each in outcomes.items() if each.problems})
        for problems in reading.wrong.values():
            self.reject(problems)
        found = self._compare(reading)
        await self._apply(found, outcomes)
        return found

    def reject(self, problems: Sequence[Problem]) -> None:
        """Say and count that something was not applied: what is wrong with one file, or with none."""
        self._counts[ReloadResult.REJECTED] += 1
        where = problems[0].file
        log.error(f"not reloaded: {where}: {'; '.join(problem.message for problem in problems)}")

    async def _read(self, given: Sequence[str], folder: str | None) -> Reading:
        def watched() -> list[str]:
            return [*all_paths(given, folder), *([folder] if folder else [])]

        def read() -> Reading:
            return read_all([path for path in all_paths(given, folder) if not _has_vanished(path)], self.sources)

        reading, unsettled = await read_settled(watched, read, lambda reading: reading.wrong)
        message = f"it is still being written after {PATIENCE_S:g} s"
        return reading.without({path: [Problem(path, None, message)] for path in unsettled - {folder}})

    def _compare(self, reading: Reading) -> Difference:
        return difference(reading, self.configs, self.sources, lambda config: config)

    async def _validate(self, files: Sequence[ConnectorFile]) -> dict[str, FileOutcome]:
        """By path."""
        around = self._herder.worker.surroundings
        outcomes = await validate_files(around.pool, around.worker_config, around.log, files)
        for outcome in outcomes:
            for warning in unknown_key_warnings(outcome.unknown_keys):
                log.warning(f"{outcome.path}: {warning}")
        return {outcome.path: outcome for outcome in outcomes}

    async def _apply(self, found: Difference, outcomes: Mapping[str, FileOutcome]) -> None:
        for name in found.gone:
            await self._remove(name)
        for file in found.same:
            self.sources[file.name] = file.path
        for file in [*found.new, *found.changed]:
            if file.path in outcomes:  # else it has changed over REST since it was compared: the next reload's business
                await self._put(file, outcomes[file.path])
                self._counts[ReloadResult.APPLIED] += 1

    async def _put(self, file: ConnectorFile, outcome: FileOutcome) -> None:
        new = file.name not in self._herder.connectors()
        self.sources[file.name] = file.path
        await self._herder.put(file.config, file.target_state if new else None, outcome.validated)

    async def _remove(self, name: str) -> None:
        path = self.sources[name]
        try:
            if not await self._discard(name):
                return
        except ConnectException as error:  # it is busy: the next reload tries again
            self.reject([Problem(path, None, str(error))])
            return
        log.info(f"removed, for its file is gone: {path}", connector=name)
        self._counts[ReloadResult.REMOVED] += 1

    async def _discard(self, name: str) -> bool:
        """False if that is another worker's business by now. Raises ConnectException."""
        await self._herder.discard(name)
        return True

    def _on_status(self, unit: UnitId, status: Status) -> None:
        if status.state is State.DESTROYED and unit.task is None:
            self.sources.pop(unit.connector, None)


def _has_vanished(path: str) -> bool:
    """Whether a file that is not there was deleted. Where its folder is missing too, something else is wrong."""
    try:
        Path(path).lstat()
    except FileNotFoundError:
        return Path(path).parent.is_dir()
    except OSError:
        return False
    return False
