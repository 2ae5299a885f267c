"""`connectd distributed`: one worker of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import structlog

from supervisor.configuration.reload import Reload
from supervisor.configuration.running import RunningRecord, cluster_record_path
from supervisor.configuration.start import Configuration, load_worker
from supervisor.herder.distributed import ClusterFiles, ClusterWorker, DistributedHerder
from supervisor.rest.service import RestService
from supervisor.rest.settings import RestSettings
from supervisor.service import WorkerService
from tasks.settings import DistributedConfig

log = structlog.get_logger(__name__)


class DistributedWorker(WorkerService):
    """A distributed worker from its start to its end."""

    _cluster: ClusterWorker | None = None
    _record: RunningRecord | None = None

    async def _start(self) -> Reload:
        properties, worker = await load_worker(self._worker_path, self._secrets.resolve, DistributedConfig)
        configuration = Configuration(properties=properties, worker=worker, connectors=[])
        surroundings = self._begin(configuration)
        rest = self._rest = RestService(RestSettings.of(worker))
        self._name_in_log(rest.worker_id)
        cluster = self._cluster = ClusterWorker(
            surroundings, worker, rest.advertised_url, rest.worker_id, lambda: rest.client
        )
        herder = self._herder = DistributedHerder(cluster)
        rest.more_metrics.append(cluster.rebalances)
        files = ClusterFiles(herder, rest.worker_id)
        # Both before others can know of this worker.
        for problem in await asyncio.gather(rest.serve(herder, surroundings), cluster.read(), return_exceptions=True):
            if problem is not None:
                raise problem
        await cluster.join()
        await self._join(cluster)
        herder.is_ready = True
        self._record = RunningRecord(cluster_record_path(self._worker_path, Path.cwd()), herder, files, [])
        # What is wrong in one of them keeps nothing else from running, here or on other workers.
        self._reload_wanted.set()
        return Reload(herder, configuration, files, self._secrets.resolve, self._command_levels)

    def _after_reload(self) -> None:
        if self._record is not None:
            self._record.refresh()

    async def _close(self) -> None:
        if self._record is not None:
            await self._record.close()

    def _failures(self) -> Sequence[asyncio.Future[NoReturn]]:
        return () if self._cluster is None else (self._cluster.ended,)

    async def _join(self, cluster: ClusterWorker) -> None:
        """Raises ConnectException if the group will not have this worker."""
        await asyncio.wait((cluster.joined, cluster.ended), return_when=asyncio.FIRST_COMPLETED)
        if cluster.ended.done():
            cluster.ended.result()
        log.info("this worker is a member of its group", group=cluster.settings.group_id, worker=cluster.worker_id)
