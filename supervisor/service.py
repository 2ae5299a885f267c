"""A worker as a service, of either kind: signals, systemd, reloads, exit codes."""

from __future__ import annotations

import asyncio
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, NoReturn

import structlog

from connectd.errors import ConnectException
from supervisor.configuration.files import FileProblems
from supervisor.configuration.reload import Reload
from supervisor.configuration.secrets import WorkerSecrets
from supervisor.configuration.start import Configuration, unknown_key_warnings
from supervisor.dump import dump_state
from supervisor.exit_codes import CommandExit
from supervisor.herder.herder import LocalHerder
from supervisor.logs.log import listen
from supervisor.notify import notify, watchdog_interval_s
from supervisor.own_memory import OwnMemory
from supervisor.processes.forkserver import ENTRY
from supervisor.processes.pool import ProcessPool
from supervisor.rest.service import RestService
from supervisor.signals import Signals
from supervisor.units.lifecycle import Statuses
from supervisor.units.unit import Surroundings
from tasks.logs import add_context, set_levels
from tasks.messages import LogSettings
from tasks.settings import WorkerConfig
from tasks.settings.rest import LISTENERS

log = structlog.get_logger(__name__)

_MEMORY_INTERVAL_S: Final = 10.0
_STOPPING_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class WorkerService(ABC):
    """One worker from its start to its end."""

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
        self._memory = OwnMemory()
        self._secrets = WorkerSecrets(self._pool, log_settings)
        self._signals = Signals()
        self._reload_wanted = asyncio.Event()
        # Set as soon as there are any.
        self._herder: LocalHerder | None = None
        self._rest: RestService | None = None

    # --- what workers of the two kinds do differently -----------------------------------------------------------------

    @abstractmethod
    async def _start(self) -> Reload:
        """Start to work. Raises FileProblems, ConnectException."""

    async def _close(self) -> None:  # noqa: B027 (most have nothing)
        """Give back what is left when all processes have ended."""

    def _failures(self) -> Sequence[asyncio.Future[NoReturn]]:
        """What fails if the worker cannot go on."""
        return ()

    def _after_reload(self) -> None:  # noqa: B027 (most have nothing)
        """The files were read again."""

    # --- its life -----------------------------------------------------------------------------------------------------

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
            await self._close()
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
        """Raises what made the worker's start fail, or keeps it from going on."""
        arrival = asyncio.ensure_future(self._signals.next())
        try:
            await asyncio.wait((work, arrival), return_when=asyncio.FIRST_COMPLETED)
            return arrival.result() if arrival.done() else work.result()
        finally:
            arrival.cancel()

    async def _work(self) -> NoReturn:
        reload = await self._start()
        _keep_watchdog_quiet()
        notify("READY=1")
        self._keep_memory_small()
        await asyncio.gather(self._reload_for_ever(reload), *self._failures())
        raise AssertionError("nothing of that ends without an error")

    async def _reload_for_ever(self, reload: Reload) -> NoReturn:
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            await reload.run(self._worker_path, self._connector_paths)
            self._after_reload()
            notify("READY=1")

    def _keep_memory_small(self) -> None:
        """From now on."""
        self._memory.tidy(len(self._pool.living))
        asyncio.get_running_loop().call_later(_MEMORY_INTERVAL_S, self._keep_memory_small)

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

    async def _stop_all(self, herder: LocalHerder) -> None:
        """Tasks need not wait for requests, nor requests for tasks."""
        await asyncio.gather(herder.stop(), *([self._rest.stop()] if self._rest is not None else []))

    # --- for `_start` -------------------------------------------------------------------------------------------------

    def _begin(self, configuration: Configuration[WorkerConfig]) -> Surroundings:
        """What follows from the worker file alone."""
        worker = configuration.worker
        set_levels(worker.log_levels)
        set_levels(self._command_levels)
        self._log_settings.levels.update({**worker.log_levels, **self._command_levels})
        for warning in unknown_key_warnings(configuration.unknown_keys):
            log.warning(f"{self._worker_path}: {warning}")
        surroundings = Surroundings(
            pool=self._pool,
            statuses=Statuses(),
            worker_config=configuration.properties,
            log=self._log_settings,
            graceful_stop_s=worker.task_shutdown_graceful_timeout_ms / 1000,
        )
        listen(surroundings.tails.listen)
        return surroundings

    def _name_in_log(self, worker_id: str) -> None:
        """Say in every line from now on which worker this is."""
        self._log_settings.worker = worker_id
        add_context(worker=worker_id)


def warn_of_nothing_to_do(configuration: Configuration[WorkerConfig]) -> None:
    """Say that there are no connectors, where none can come."""
    if configuration.connectors:
        return
    if configuration.worker.get(LISTENERS):
        log.info("there are no connectors to run yet: the REST API can create some")
    else:
        log.warning("there are no connectors to run")


def _keep_watchdog_quiet() -> None:
    """Tell systemd regularly that the event loop turns; where it does not, nobody does, and systemd acts."""
    interval_s = watchdog_interval_s()
    if interval_s is not None:
        notify("WATCHDOG=1")
        asyncio.get_running_loop().call_later(interval_s, _keep_watchdog_quiet)
