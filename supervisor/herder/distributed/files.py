"""Connector files of workers of a cluster: applied through the leader, and marked so that all can see whose they are.

Several workers may have the same files. Of two that differ the one counts that was written later, whichever worker read it
last; a connector that was changed over REST is left alone until its file is changed again; and one is deleted only with the
very file that brought it, by the worker that read it there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from typing import Final

import structlog

from connectd.errors import ConnectException
from supervisor.configuration.connector_files import ConnectorFiles
from supervisor.configuration.difference import Difference, Reading, difference
from supervisor.configuration.files import ConnectorFile, Problem
from supervisor.configuration.live_settings import CONNECTOR_FILE
from supervisor.configuration.marks import Mark, why_left_alone, without_mark
from supervisor.herder.herder import LocalHerder
from supervisor.inquiries.validation import FileOutcome

log = structlog.get_logger(__name__)

# While the group has no leader, or Kafka does not answer. After that the next SIGHUP tries again.
_RETRIES_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class ClusterFiles(ConnectorFiles):
    """As `ConnectorFiles`, for a worker that is called `worker_id`."""

    def __init__(self, herder: LocalHerder, worker_id: str) -> None:
        super().__init__(herder)
        self._worker_id = worker_id
        self._read_before: dict[str, ConnectorFile] = {}
        self._left_alone: dict[str, str] = {}

    async def reload(self, given: Sequence[str], folder: str | None) -> Difference:
        found = await super().reload(given, folder)
        for path, why in self._left_alone.items():
            log.warning(f"not applied: {path}: {why}")
        self._read_before = {file.path: file for file in (*found.new, *found.changed, *found.same)}
        return found

    @property
    def configs(self) -> dict[str, dict[str, str]]:
        return {name: without_mark(self._herder.info(name).config) for name in self._herder.connectors()}

    @property
    def marks(self) -> dict[str, Mark]:
        found = {name: Mark.of_config(self._herder.info(name).config) for name in self._herder.connectors()}
        return {name: mark for name, mark in found.items() if mark is not None}

    @property
    def read_before(self) -> dict[str, ConnectorFile]:
        return self._read_before

    @property
    def paths(self) -> dict[str, str]:
        return {name: mark.path for name, mark in self.marks.items() if mark.worker == self._worker_id}

    def _compare(self, reading: Reading) -> Difference:
        marks = self.marks
        self.sources = self._own_sources(reading)
        found = difference(reading, self.configs, self.sources, without_mark)
        self._left_alone = {}
        changed, same = [], list(found.same)
        for file in found.changed:
            why = self._why_not(file, marks.get(file.name))
            if why is None:
                changed.append(file)
            else:
                self._left_alone[file.path] = why
                same.append(file)
        return Difference(new=found.new, changed=changed, same=same, gone=found.gone)

    def _own_sources(self, reading: Reading) -> dict[str, str]:
        """Of the connectors that came from this worker's files, the paths, written as they are now if they are still there."""
        written = {os.path.abspath(path): path for path in (*(f.path for f in reading.files), *reading.wrong)}  # noqa: PTH100
        return {name: written.get(path, path) for name, path in self.paths.items()}

    def _why_not(self, file: ConnectorFile, mark: Mark | None) -> str | None:
        """Why a file is not applied to a connector that has another configuration; None if it is."""
        before = self._read_before.get(file.path)
        if before is not None and before.config != file.config:
            return None  # somebody has changed it, and sent SIGHUP
        return why_left_alone(file.name, file.path, mark)

    async def _put(self, file: ConnectorFile, outcome: FileOutcome) -> None:
        config = {**file.config, CONNECTOR_FILE: str(Mark.of_file(file.path, self._worker_id))}
        for wait_s in (*_RETRIES_S, None):
            new = file.name not in self._herder.connectors()
            if not new and without_mark(self._herder.info(file.name).config) == file.config:
                return  # another worker has just done it
            try:
                await self._herder.put(config, file.target_state if new else None, outcome.validated)
                return
            except ConnectException as error:
                if wait_s is None:
                    self.reject([Problem(file.path, None, str(error))])
                    return
            await asyncio.sleep(wait_s)

    async def _discard(self, name: str) -> bool:
        path = self.paths.get(name)
        for wait_s in _RETRIES_S:
            with contextlib.suppress(ConnectException):
                return await super()._discard(name)
            await asyncio.sleep(wait_s)
            if path is None or self.paths.get(name) != path:
                return False  # another worker has deleted it, or has brought it since
        return await super()._discard(name)
