"""Validation of connectors: by a child, which knows the plugins, and for the keys that only the supervisor knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectd.errors import ConfigException
from supervisor.configuration.files import ConnectorFile, Problem
from supervisor.inquiries.inquiry import InquiryFailed, ask
from supervisor.processes.pool import ProcessPool, ProcessStartError
from supervisor.units.restarts import RestartPolicy
from tasks.messages import ConfigKeyErrors, LogSettings, PluginInfo, Validate, Validated


class FileOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What validation found in one connector file; without problems it is valid. `validated` is None if nobody answered."""

    path: str
    problems: list[Problem] = []
    validated: Validated | None = None

    @property
    def unknown_keys(self) -> dict[str, str | None]:
        """Each with the known one most like it."""
        return self.validated.unknown_keys if self.validated else {}


async def validate(
    pool: ProcessPool,
    worker_config: dict[str, str],
    log: LogSettings,
    config: Mapping[str, str | None],
    plugins: list[PluginInfo] | None = None,
) -> Validated:
    """The child's answer, completed by our own; with the worker's `plugins` it says everything about each key.

    Raises InquiryFailed if the child does not answer.
    """
    order = Validate(config=dict(config), worker_config=worker_config, log=log, plugins=plugins)
    outcome = await ask(pool, order, Validated)
    texts = {key: value for key, value in config.items() if value is not None}
    return msgspec.structs.replace(
        outcome,
        errors=[*outcome.errors, *_as_key_errors(RestartPolicy.errors(texts), texts)],
        unknown_keys={**outcome.unknown_keys, **RestartPolicy.unknown_keys(texts)},
    )


async def validate_files(
    pool: ProcessPool, worker_config: dict[str, str], log: LogSettings, files: Sequence[ConnectorFile]
) -> list[FileOutcome]:
    """One outcome a file, in their order. The files are validated side by side.

    Raises ProcessStartError when there can be no processes at all.
    """

    async def validate_file(file: ConnectorFile) -> FileOutcome:
        try:
            outcome = await validate(pool, worker_config, log, file.config)
        except InquiryFailed as error:
            if isinstance(error.__cause__, ProcessStartError):
                raise error.__cause__ from error  # which is not this file's fault
            return FileOutcome(path=file.path, problems=[Problem(file.path, None, str(error))])
        problems = [Problem(file.path, each.key, message) for each in outcome.errors for message in each.errors]
        return FileOutcome(path=file.path, problems=problems, validated=outcome)

    return await asyncio.gather(*map(validate_file, files))


def _as_key_errors(errors: Iterable[ConfigException], config: Mapping[str, str]) -> Iterable[ConfigKeyErrors]:
    for error in errors:
        key = error.key or ""
        yield ConfigKeyErrors(key=key, value=config.get(key), errors=[str(error)])
