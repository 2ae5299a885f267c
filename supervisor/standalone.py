"""`connectd standalone`: one worker by itself, with the connectors of the files that it is given."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import structlog

from connectd.errors import ConnectException
from supervisor.configuration import Configuration, load, unknown_key_warnings
from supervisor.connector_files import ConnectorFiles
from supervisor.dump import dump_state
from supervisor.exit_codes import CommandExit
from supervisor.files import FileProblems
from supervisor.forkserver import ENTRY
from supervisor.herder.standalone import StandaloneHerder
from supervisor.lifecycle import Statuses
from supervisor.notify import notify, watchdog_interval_s
from supervisor.offsets import OffsetFile, OffsetStore
from supervisor.pool import ProcessPool
from supervisor.reload import Reload
from supervisor.rest.service import RestService
from supervisor.rest.settings import RestSettings
from supervisor.running import RunningRecord, record_path
from supervisor.secrets import WorkerSecrets
from supervisor.signals import Signals
from supervisor.units import Surroundings
from tasks.logs import set_levels
from tasks.messages import LogSettings
from tasks.settings.rest import LISTENERS

log = structlog.get_logger(__name__)

_STOPPING_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class StandaloneWorker:
    """A standalone worker from its start to its end."""

    def __init__(
        self,
        worker_path: str,
        connector_paths: Sequence[str],
        log_settings: LogSettings,
        entry: str = ENTRY,
    ) -> None:
        self._worker_path = worker_path
        self._connector_paths = connector_paths
        self._log_settings = log_settings
        self._command_levels = dict(log_settings.levels)
        self._pool = ProcessPool(entry)
        self._signals = Signals()
        self._reload_wanted = asyncio.Event()
        self._offsets: OffsetStore | None = None
        self._herder: StandaloneHerder | None = None
        self._record: RunningRecord | None = None
        self._rest: RestService | None = None

    async def run(self) -> CommandExit:
        """Run until a signal ends it. If it cannot start, the log says why, and the exit code what kind of thing it was."""
        self._pool.start()
        work = asyncio.ensure_future(self._work())
        try:
            return await self._serve(work)
        except FileProblems as error:
            for problem in error.problems:
                log.error(str(problem))
            return CommandExit.CONFIG
        except ConnectException as error:
            log.error(str(error))
            return CommandExit.UNAVAILABLE
        except Exception:
            log.critical("an error of connectd itself", exc_info=True)
            return CommandExit.FAILED
        finally:
            if self._rest is not None:
                await self._rest.stop()
            if self._herder is not None:
                await self._herder.stop()
            await self._pool.close()
            if self._record is not None:
                await self._record.close()
            if self._offsets is not None:
                await self._offsets.close()
            self._signals.close()

    async def _serve(self, work: asyncio.Future[NoReturn]) -> CommandExit:
        while True:
            number = await self._next_signal(work)
            if number in _STOPPING_SIGNALS:
                log.info(f"{number.name}: stopping")
                work.cancel()
                await asyncio.wait([work])
                return await self._stop()
            if number == signal.SIGHUP:
                self._reload_wanted.set()
            elif number == signal.SIGUSR1 and self._herder is not None:
                dump_state(self._herder)

    async def _next_signal(self, work: asyncio.Future[NoReturn]) -> signal.Signals:
        """Raises what made the worker's start fail."""
        arrival = asyncio.ensure_future(self._signals.next())
        try:
            await asyncio.wait((work, arrival), return_when=asyncio.FIRST_COMPLETED)
            return arrival.result() if arrival.done() else work.result()
        finally:
            arrival.cancel()

    async def _work(self) -> NoReturn:
        reload = await self._start()
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            await reload.run(self._worker_path, self._connector_paths)
            if self._record is not None:
                self._record.refresh()
            notify("READY=1")

    async def _start(self) -> Reload:
        secrets = WorkerSecrets(self._pool, self._log_settings)
        configuration = await load(self._worker_path, self._connector_paths, secrets.resolve)
        set_levels(configuration.worker.log_levels)
        set_levels(self._command_levels)
        self._log_settings.levels.update({**configuration.worker.log_levels, **self._command_levels})
        self._warn(configuration)
        self._offsets = OffsetStore(OffsetFile(Path(configuration.worker.offset_storage_file_filename)))
        self._offsets.open()
        surroundings = Surroundings(
            pool=self._pool,
            statuses=Statuses(),
            worker_config=configuration.properties,
            log=self._log_settings,
            graceful_stop_s=configuration.worker.task_shutdown_graceful_timeout_ms / 1000,
        )
        self._rest = RestService(RestSettings.of(configuration.worker))
        herder = StandaloneHerder(surroundings, self._offsets, self._rest.worker_id)
        self._herder = herder
        files = ConnectorFiles(herder)
        path = record_path(configuration.worker.offset_storage_file_filename)
        self._record = RunningRecord(path, herder, files, self._connector_paths)
        # Side by side: while children look at the files, this process has time to import the server.
        serving = asyncio.ensure_future(self._rest.serve(herder, surroundings))
        try:
            await files.start(configuration.connectors)
            await serving
        finally:
            serving.cancel()
        herder.is_ready = True
        _keep_watchdog_quiet()
        notify("READY=1")
        return Reload(herder, configuration, files, secrets.resolve, self._command_levels)

    def _warn(self, configuration: Configuration) -> None:
        for warning in unknown_key_warnings(configuration.unknown_keys):
            log.warning(f"{self._worker_path}: {warning}")
        if not configuration.connectors:
            if configuration.worker.get(LISTENERS):
                log.info("there are no connectors to run yet: the REST API can create some")
            else:
                log.warning("there are no connectors to run")

    async def _stop(self) -> CommandExit:
        """Stop in good order; another signal ends the patience."""
        notify("STOPPING=1")
        if self._herder is None:
            return CommandExit.OK
        stopping = asyncio.ensure_future(self._stop_all(self._herder))
        while not stopping.done():
            another = asyncio.ensure_future(self._signals.next())
            await asyncio.wait((stopping, another), return_when=asyncio.FIRST_COMPLETED)
            if another.done() and another.result() in _STOPPING_SIGNALS:
                log.warning(f"{another.result().name} again: killing what has not stopped yet")
                self._pool.kill_all("a second signal came")
                await stopping
                return CommandExit.KILLED
            another.cancel()
        stopping.result()
        log.info("stopped")
        return CommandExit.OK

    async def _stop_all(self, herder: StandaloneHerder) -> None:
        """Tasks need not wait for requests, nor requests for tasks."""
        await asyncio.gather(herder.stop(), *([self._rest.stop()] if self._rest is not None else []))


def _keep_watchdog_quiet() -> None:
    """Tell systemd regularly that the event loop turns; where it does not, nobody does, and systemd acts."""
    interval_s = watchdog_interval_s()
    if interval_s is not None:
        notify("WATCHDOG=1")
        asyncio.get_running_loop().call_later(interval_s, _keep_watchdog_quiet)
