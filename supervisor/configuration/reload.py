"""SIGHUP: the worker file, the connector files and the secrets that changed, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from supervisor.configuration.connector_files import ConnectorFiles
from supervisor.configuration.difference import Difference
from supervisor.configuration.files import FileProblems
from supervisor.configuration.live_settings import Effect, changes, taken_over
from supervisor.configuration.secrets import changed_references
from supervisor.configuration.start import (
    Configuration,
    Resolve,
    folder_of,
    load_worker,
    unknown_key_warnings,
    unknown_keys,
)
from supervisor.herder.herder import LocalHerder
from supervisor.inquiries.inquiry import InquiryFailed, InquiryRefused
from supervisor.processes.pool import ProcessStartError
from supervisor.units.counts import ReloadResult
from tasks.settings import WorkerConfig

log = structlog.get_logger(__name__)


class Reload:
    """Brings a running worker into line with its files. What is wrong changes nothing, and is logged and counted.

    `command_levels` are the log levels of the command line, which come before those of the worker file.
    """

    def __init__(
        self,
        herder: LocalHerder,
        configuration: Configuration[WorkerConfig],
        files: ConnectorFiles,
        resolve: Resolve,
        command_levels: Mapping[str, str],
    ) -> None:
        self._herder = herder
        self._files = files
        self._resolve = resolve
        self._command_levels = command_levels
        self._levels = {**configuration.worker.log_levels, **command_levels}
        self._folder = folder_of(configuration.worker)
        self._kind = type(configuration.worker)
        self._counts = herder.worker.surroundings.counts.reloads

    async def run(self, worker_path: str, paths: Sequence[str]) -> None:
        """Read everything again and apply the difference. Nothing is raised but by being cancelled."""
        try:
            await self._reload_worker(worker_path)
            found = await self._reload_connectors(paths)
            await self._restart_where_secrets_changed()
        except ProcessStartError as error:
            self._reject(f"not reloaded: {error}")
        except Exception:
            # An error of ours here must not end what runs well.
            self._counts[ReloadResult.REJECTED] += 1
            log.critical("not reloaded: an error of connectd itself", exc_info=True)
        else:
            if found is not None:
                log.info(
                    f"reloaded: {len(found.new) + len(found.changed)} connectors changed, {len(found.gone)} removed, "
                    f"{len(found.same)} as before"
                )

    async def _reload_worker(self, path: str) -> None:
        try:
            properties, worker = await load_worker(path, self._resolve, self._kind)
        except FileProblems as error:
            self._files.reject(error.problems)
            return
        self._folder = folder_of(worker, self._folder)
        running = self._herder.worker.surroundings.worker_config
        found = changes(running, properties)
        if not any(found.values()):
            return
        for warning in unknown_key_warnings(unknown_keys(properties, self._kind)):
            log.warning(f"{path}: {warning}")
        _name(found)
        self._apply(taken_over(running, properties), worker)

    def _apply(self, properties: dict[str, str], worker: WorkerConfig) -> None:
        self._herder.worker.configure(properties, worker.task_shutdown_graceful_timeout_ms / 1000)
        levels = {**worker.log_levels, **self._command_levels}
        self._herder.log_levels.follow(self._levels, levels)
        self._levels = levels

    async def _reload_connectors(self, paths: Sequence[str]) -> Difference | None:
        try:
            return await self._files.reload(paths, self._folder)
        except FileProblems as error:
            self._files.reject(error.problems)
            return None

    async def _restart_where_secrets_changed(self) -> None:
        """Of all connectors, not only of those that come from files."""
        worker = self._herder.worker
        try:
            changed = await changed_references(worker)
        except (InquiryFailed, InquiryRefused) as error:
            self._reject(f"secrets are not reloaded: {error}")
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
            self._reject(f"secrets are not reloaded: {error}", connector=name)
            return False
        if errors:
            messages = [message for each in errors for message in each.errors]
            self._reject(f"secrets are not reloaded: {'; '.join(messages)}", connector=name)
        return not errors

    def _reject(self, message: str, **fields: object) -> None:
        self._counts[ReloadResult.REJECTED] += 1
        log.error(message, **fields)


def _name(found: Mapping[Effect, Sequence[str]]) -> None:
    """The keys and never the values, which may be secrets."""
    if found[Effect.AT_ONCE]:
        log.info(f"changed in the worker file: {', '.join(found[Effect.AT_ONCE])}")
    if found[Effect.NEW_PROCESSES]:
        log.warning(
            "changed in the worker file, and in effect for processes that start from now on: "
            f"{', '.join(found[Effect.NEW_PROCESSES])}; restart connectors with their tasks to have it there"
        )
    if found[Effect.WORKER_RESTART]:
        log.warning(
            f"changed in the worker file, but in effect only after a restart: {', '.join(found[Effect.WORKER_RESTART])}"
        )
