"""`connectd standalone`: one worker by itself, with the connectors of the files that it is given."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from supervisor.configuration.connector_files import ConnectorFiles
from supervisor.configuration.reload import Reload
from supervisor.configuration.running import RunningRecord, record_path
from supervisor.configuration.start import load
from supervisor.herder.standalone import StandaloneHerder
from supervisor.rest.service import RestService
from supervisor.rest.settings import RestSettings
from supervisor.service import WorkerService, warn_of_nothing_to_do
from supervisor.storage.offset_file import OffsetFile, OffsetStore
from tasks.settings import StandaloneConfig

log = structlog.get_logger(__name__)


class StandaloneWorker(WorkerService):
    """A standalone worker from its start to its end."""

    _offsets: OffsetStore | None = None
    _record: RunningRecord | None = None

    async def _start(self) -> Reload:
        configuration = await load(self._worker_path, self._connector_paths, self._secrets.resolve, StandaloneConfig)
        worker = configuration.worker
        surroundings = self._begin(configuration)
        warn_of_nothing_to_do(configuration)
        self._offsets = OffsetStore(OffsetFile(Path(worker.offset_storage_file_filename)))
        self._offsets.open()
        self._rest = RestService(RestSettings.of(worker))
        self._name_in_log(self._rest.worker_id)
        herder = StandaloneHerder(surroundings, self._offsets, self._rest.worker_id)
        self._herder = herder
        files = ConnectorFiles(herder)
        path = record_path(worker.offset_storage_file_filename)
        self._record = RunningRecord(path, herder, files, self._connector_paths)
        # Side by side: while children look at the files, this process has time to import the server.
        serving = asyncio.ensure_future(self._rest.serve(herder, surroundings))
        try:
            await files.start(configuration.connectors)
            await serving
        finally:
            serving.cancel()
        herder.is_ready = True
        return Reload(herder, configuration, files, self._secrets.resolve, self._command_levels)

    def _after_reload(self) -> None:
        if self._record is not None:
            self._record.refresh()

    async def _close(self) -> None:
        if self._record is not None:
            await self._record.close()
        if self._offsets is not None:
            await self._offsets.close()
